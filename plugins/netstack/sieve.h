/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sieve.h - tells, in a flood of SYNs, who asks twice.
 *
 * Owned by the stack; it has memory only while there is pressure. */
#ifndef NETSTACK_SIEVE_H
#define NETSTACK_SIEVE_H

#include "table.h"

struct sieve {
	uint8_t *seen[2];      /* Bloom filters: of now and of before */
	uint64_t turned_us;    /* when seen[0] was begun */
	uint64_t second_us;    /* when `syns` was begun to be counted */
	uint32_t syns, before; /* in this second, in the one before */
};

/* Every new SYN is counted here; true while they come at a flood's rate. */
bool sieve_flooded(struct sieve *s, uint64_t now_us);
/* Has this SYN, with the sequence number, come before in the last seconds?
 * From now on it has. */
bool sieve_repeated(struct sieve *s, const struct siphash_key *key,
		    const struct tuple *who, uint32_t seq, uint64_t now_us);
void sieve_fini(struct sieve *s);

#endif
