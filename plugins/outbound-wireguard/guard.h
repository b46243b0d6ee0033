/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard.h - which packets pass between a tunnel and the kernel. */
#ifndef OUTBOUND_WIREGUARD_GUARD_H
#define OUTBOUND_WIREGUARD_GUARD_H

#include <weir/base.h>

#define GUARD_PORTS 65536u

struct guard {
	const struct weir_cidr *addresses; /* own; the bases */
	size_t count;
	uint8_t used[GUARD_PORTS / 8]; /* a bit each UDP port that has sent */
};

/* A packet of the kernel's for the tunnel; notes the port. */
bool guard_leaves(struct guard *, const uint8_t *packet, size_t len);
/* A packet out of the tunnel for the kernel. */
bool guard_enters(const struct guard *, const uint8_t *packet, size_t len);

#endif
