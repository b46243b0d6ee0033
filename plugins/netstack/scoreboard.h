/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scoreboard.h - which segments are in flight, which arrived and which are
 * lost. recovery.c, retransmit.c, tcp_out.c and pmtu.c work on it. */
#ifndef NETSTACK_SCOREBOARD_H
#define NETSTACK_SCOREBOARD_H

#include "conn.h"
#include "flight.h"

/* What one ACK said, and what was made of it. */
struct ack {
	uint32_t ack;
	uint64_t now_us;
	uint32_t rtt_us;    /* of something never resent; 0: none */
	uint32_t delivered; /* bytes, of segments that arrived as a whole */
	uint32_t arrived; /* of parts as well; without SACK by count of ACKs */
	uint32_t newly_lost;
	struct rate_probe probe;
	int sacks;
	uint32_t left[MAX_SACKS], right[MAX_SACKS];
	uint32_t echo; /* the timestamp it answers */
	bool has_echo;
	uint32_t needless; /* bytes that arrived twice (RFC 2883) */
	bool moved, sacked;
	bool duplicate; /* says again what the one before said */
	bool marked;	/* it says ECE */
	bool early; /* it answers what was sent before the first was resent */
	bool too_soon; /* a resent one came sooner than it can have */
};

/* Take in what `a` says has arrived. */
void scoreboard_take(struct conn *c, struct ack *a);
/* Mark what must be lost by now. */
void scoreboard_mark_lost(struct recovery *r, struct ack *a);
void scoreboard_lose(struct recovery *r, struct tcp_seg *seg, struct ack *a);
/* What is not known to have arrived counts as lost: all of it, or what has more
 * than `len` bytes. */
void scoreboard_lose_all(struct recovery *r);
void scoreboard_lose_larger(struct recovery *r, uint32_t len);
/* It was sent again. */
void scoreboard_resent(struct recovery *r, struct tcp_seg *seg);
/* What waits to be sent again is on its way after all. */
void scoreboard_find_all(struct recovery *r);
/* The peer may have thrown away what it once said it had (RFC 2018, 8). */
void scoreboard_forget_sacks(struct conn *c);
/* The first that is lost and waits to be sent again, and the next beyond. */
struct tcp_seg *scoreboard_first_waiting(const struct recovery *r);
struct tcp_seg *scoreboard_next_waiting(const struct recovery *r,
					const struct tcp_seg *seg);

#endif
