/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routing.h - a routing table for what comes from an interface's addresses. */
#ifndef TUN_ROUTING_H
#define TUN_ROUTING_H

#include <weir/base.h>

#include "mend.h"

struct routing_plan {
	const char *name;		   /* of the interface, */
	unsigned index;			   /* which outlives a new name */
	const struct weir_cidr *addresses; /* base alone counts */
	size_t count;
};

/* A table with a default route by the interface for each family of its
 * addresses, and a rule for each address; nothing of the main table changes.
 * Rules that a killed process left are removed first. Blocks, for a bounded
 * time. Where IPv6 is switched off its part is left out. */
bool routing_apply(const struct routing_plan *, struct weir_error *);

/* Add the routes and rules that are gone. False: they could not be asked for
 * now. */
bool routing_mend(const struct routing_plan *, struct mend *);

/* Remove the rules again, also where the interface is gone; the routes go with
 * it. False with the error: one is left, which leads nowhere. */
bool routing_undo(const struct routing_plan *, struct weir_error *);

/* The number of the interface's table. */
uint32_t routing_table(unsigned index);

#endif
