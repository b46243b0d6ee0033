/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lookup.h - the addresses of a name, asked for in both families at once, so
 * that a name server that is silent about one holds up nobody who can do with
 * the other.
 *
 * Whoever wants them embeds a lookup, gives it room and a timer, and ends it by
 * lookup_fini, which also frees the timer. */
#ifndef FREEDOM_LOOKUP_H
#define FREEDOM_LOOKUP_H

#include "freedom.h"

/* Addresses of a family that are kept; the rest of a long answer is not. */
#define FOUND_MAX 8

typedef struct weir_addr lookup_room[FAMILIES][FOUND_MAX];

struct lookup {
	struct freedom *freedom;
	struct weir_timer *timer; /* fires when what there is must do */
	/* The name is answered in one family. */
	void (*answered)(struct lookup *, enum family);
	uint16_t port; /* of what is found */
	struct lookup_family {
		struct lookup *lookup;
		struct weir_query *query; /* NULL: answered, or not asked */
		struct weir_addr *found;
		uint8_t count;
		int err;
	} of[FAMILIES];
};

/* With all but the families filled in. False: neither can be asked; their
 * errors say why. */
bool lookup_start(struct lookup *, const char *name, lookup_room room);
bool lookup_pending(const struct lookup *);
/* To be asked when `family` is answered: is it time to use what there is?
 * Otherwise, where there is something, the timer is set. */
bool lookup_settled(struct lookup *, enum family);
void lookup_fini(struct lookup *); /* also of one that was never started */

#endif
