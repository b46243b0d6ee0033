/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routing.h - a routing table for what comes from an interface's addresses. */
#ifndef TUN_ROUTING_H
#define TUN_ROUTING_H

#include <weir/base.h>

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

/* Remove the rules again, also where the interface is gone; the routes go with
 * it. */
void routing_undo(const struct routing_plan *);

#endif
