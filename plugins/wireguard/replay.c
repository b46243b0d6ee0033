/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay.c - the ring's words are cleared as the greatest counter enters them,
 * whole words at a time, so one word is always partly of the future and the
 * window is a word smaller than the ring. */
#include "replay.h"

#include <string.h>

/* Clear the words between those of the old and the new greatest counter. */
static void advance(struct replay *r, uint64_t counter)
{
	uint64_t word = counter / REPLAY_WORD_BITS;
	uint64_t entered =
		r->next > 0 ? (r->next - 1) / REPLAY_WORD_BITS + 1 : 0;

	if (word >= entered && word - entered >= REPLAY_WORDS)
		memset(r->ring, 0, sizeof r->ring);
	else
		for (; entered <= word; entered++)
			r->ring[entered % REPLAY_WORDS] = 0;
	r->next = counter + 1;
}

bool replay_accept(struct replay *r, uint64_t counter)
{
	uint64_t *word = &r->ring[counter / REPLAY_WORD_BITS % REPLAY_WORDS];
	uint64_t bit = (uint64_t)1 << counter % REPLAY_WORD_BITS;

	if (counter >= r->next)
		advance(r, counter);
	else if (r->next - 1 - counter > REPLAY_WINDOW)
		return false;
	if (*word & bit)
		return false;
	*word |= bit;
	return true;
}
