/* SPDX-License-Identifier: GPL-2.0-or-later */
/* address.h - an interface's MTU, state and addresses, over rtnetlink. */
#ifndef TUN_ADDRESS_H
#define TUN_ADDRESS_H

#include <weir/base.h>

#include "mend.h"

struct address_plan {
	const char *name; /* of the interface */
	uint32_t mtu_bytes;
	const struct weir_cidr *addresses; /* host bits kept */
	size_t count;
	bool unrouted; /* their prefixes get no routes of the main table */
};

/* Bring it about: MTU, addresses, up; who may not does with what is there, if
 * it is the same. Blocks, for a bounded time. IPv6 addresses that a machine
 * without IPv6 refuses are skipped: *skipped counts them. */
bool address_apply(const struct address_plan *, size_t *skipped,
		   struct weir_error *);
/* Add those that are gone. False: not all could be asked for now. */
bool address_mend(const struct address_plan *, struct mend *);

#endif
