/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sieve.c - tells, in a flood of SYNs, who asks twice.
 *
 * A held handshake costs a dial, so a flood with forged sources would make us
 * dial for nobody. Forged SYNs differ from each other, while an honest client
 * repeats its own after a second. So under pressure the first of a kind is
 * only remembered, and the second is let in: honest clients come a second late
 * and a flood leaves nothing behind but bits.
 *
 * What was seen is kept in two Bloom filters, one of the present span and one
 * of the span before; at SPAN_US the older is emptied and takes the present's
 * place. With 100,000 SYNs a second a filter is a seventh full at its end, and
 * one forged SYN in 1,500 is taken for a repeated one. The hash is keyed: no
 * outsider can make his SYNs meet. */
#include "sieve.h"

#include <stdlib.h>
#include <string.h>

#define SECOND_US 1000000ull
#define SPAN_US (3 * SECOND_US) /* a client's second and third try are in it */
#define FILTER_BITS (1u << 23)
#define FILTER_BYTES (FILTER_BITS / 8)
#define PROBES 4
#define FLOOD_A_SECOND 1000 /* SYNs that are no burst any more */
#define SPREAD 0x9e3779b97f4a7c15ull

bool sieve_flooded(struct sieve *s, uint64_t now_us)
{
	if (now_us - s->second_us >= SECOND_US) {
		bool next = now_us - s->second_us < 2 * SECOND_US;

		s->before = next ? s->syns : 0;
		s->syns = 0;
		s->second_us = now_us;
	}
	s->syns++;
	return s->syns > FLOOD_A_SECOND || s->before > FLOOD_A_SECOND;
}

static bool sieve_begin(struct sieve *s)
{
	for (int i = 0; i < 2; i++)
		if (!s->seen[i])
			s->seen[i] = calloc(1, FILTER_BYTES);
	return s->seen[0] && s->seen[1];
}

static void sieve_turn(struct sieve *s, uint64_t now_us)
{
	uint8_t *older = s->seen[1];
	bool forgotten = now_us - s->turned_us >= 2 * SPAN_US;

	if (now_us - s->turned_us < SPAN_US)
		return;
	s->seen[1] = s->seen[0];
	s->seen[0] = older;
	memset(s->seen[0], 0, FILTER_BYTES);
	if (forgotten)
		memset(s->seen[1], 0, FILTER_BYTES);
	s->turned_us = now_us;
}

bool sieve_repeated(struct sieve *s, const struct siphash_key *key,
		    const struct tuple *who, uint32_t seq, uint64_t now_us)
{
	uint64_t hash = (table_hash(key, who) ^ seq) * SPREAD;
	uint32_t at = (uint32_t)hash, step = (uint32_t)(hash >> 32) | 1;
	bool now = true, before = true;

	if (!sieve_begin(s))
		return false;
	sieve_turn(s, now_us);
	for (int i = 0; i < PROBES; i++, at += step) {
		uint32_t bit = at % FILTER_BITS;
		uint8_t mask = (uint8_t)(1u << bit % 8);

		now = now && s->seen[0][bit / 8] & mask;
		before = before && s->seen[1][bit / 8] & mask;
		s->seen[0][bit / 8] |= mask;
	}
	return now || before;
}

void sieve_fini(struct sieve *s)
{
	free(s->seen[0]);
	free(s->seen[1]);
	s->seen[0] = s->seen[1] = NULL;
}
