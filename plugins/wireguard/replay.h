/* SPDX-License-Identifier: GPL-2.0-or-later */
/* replay.h - which counters of a keypair were received (RFC 6479): a ring of
 * bits over the greatest counter and the 8128 before it. */
#ifndef WIREGUARD_REPLAY_H
#define WIREGUARD_REPLAY_H

#include <stdbool.h>
#include <stdint.h>

#define REPLAY_WORDS 128u
#define REPLAY_WORD_BITS 64u

/* One word of the ring is always being filled. */
#define REPLAY_WINDOW ((REPLAY_WORDS - 1) * REPLAY_WORD_BITS)

/* All zero is a window that has seen nothing. */
struct replay {
	uint64_t next; /* greatest counter + 1, 0: none yet */
	uint64_t ring[REPLAY_WORDS];
};

/* Mark a counter, whose packet is authentic, as received. False when it was
 * already, or is more than REPLAY_WINDOW behind the greatest. The caller has
 * checked that it is below REJECT_AFTER_MESSAGES. */
bool replay_accept(struct replay *r, uint64_t counter);

#endif
