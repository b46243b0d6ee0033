/* SPDX-License-Identifier: GPL-2.0-or-later */
/* upkeep.h - a device that stays as weir made it.
 *
 * What others take of its addresses, routes and rules is put back, a moment
 * after the last such news and a bounded number of times. It may be taken down;
 * what the kernel drops with that comes back when it is up again. */
#ifndef TUN_UPKEEP_H
#define TUN_UPKEEP_H

#include <weir/host.h>

#include "address.h"
#include "tun.h"

struct upkeep_conf {
	struct weir_instance *instance;
	const struct weir_host *host;
	struct tun_device *device;     /* up, with its addresses */
	struct address_plan addresses; /* by whatever name it has */
	bool routed;		       /* as routing_apply has it */
	/* The device is gone: make it and all that belongs to it again. False
	 * with the error. */
	bool (*remake)(void *arg, struct weir_error *);
	/* It is not made again. Who asks for this tells of a device that is
	 * down itself, and goes on with one that was moved to another network
	 * namespace. NULL: the log tells. */
	void (*lost)(void *arg, const char *why);
	void *arg;
};

struct upkeep;

/* NULL with the error filled in. */
struct upkeep *upkeep_new(const struct upkeep_conf *, struct weir_error *);
/* Who uses the device found that it is gone. */
void upkeep_gone(struct upkeep *);
void upkeep_free(struct upkeep *); /* NULL is fine; nothing is undone */

#endif
