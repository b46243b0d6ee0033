/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scoreboard.h - which segments are in flight, which arrived and which are
 * lost. recovery.c, retransmit.c, tcp_out.c and pmtu.c work on it. */
#ifndef NETSTACK_SCOREBOARD_H
#define NETSTACK_SCOREBOARD_H

#include "conn.h"

#include "lwip/priv/tcp_priv.h"

#define MAX_SACKS 4

/* What one ACK said, and what was made of it. */
struct ack {
	uint32_t ack;
	uint64_t now_us;
	uint32_t rtt_us;    /* of something never resent; 0: none */
	uint32_t delivered; /* bytes */
	uint32_t arrived;   /* the same; without SACK by count of ACKs */
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

/* In the headroom of a segment's header pbuf. */
struct segment_note {
	uint64_t sent_us;
	struct tcp_seg *next; /* the next one above that is not known there */
	struct rate_note rate;
};
_Static_assert(sizeof(struct segment_note) <= PBUF_LINK_ENCAPSULATION_HLEN,
	       "the headers would overwrite it");

static inline struct segment_note *note_of(const struct tcp_seg *seg)
{
	return (struct segment_note *)(void *)((char *)seg->p +
					       LWIP_MEM_ALIGN_SIZE(
						       sizeof(struct pbuf)));
}

static inline uint32_t seg_begin(const struct tcp_seg *seg)
{
	return lwip_ntohl(seg->tcphdr->seqno);
}

static inline uint32_t seg_end(const struct tcp_seg *seg)
{
	return seg_begin(seg) + TCP_TCPLEN(seg);
}

/* Lost, and not sent again yet. */
static inline bool seg_waits(const struct tcp_seg *seg)
{
	return (seg->flags & (SEGMENT_LOST | SEGMENT_RESENT)) == SEGMENT_LOST;
}

/* Begin with what lwIP has in flight. */
void scoreboard_init(struct conn *c);
/* It joined the end of what is in flight. */
void scoreboard_append(struct recovery *r, struct tcp_seg *seg);
/* Take in what `a` says has arrived. */
void scoreboard_take(struct conn *c, struct ack *a);
/* Mark what must be lost by now. */
void scoreboard_mark_lost(struct recovery *r, struct ack *a);
void scoreboard_lose(struct recovery *r, struct tcp_seg *seg, struct ack *a);
/* All that is not known to have arrived counts as lost. */
void scoreboard_lose_all(struct recovery *r);
/* What waits to be sent again is on its way after all. */
void scoreboard_find_all(struct recovery *r);
/* The peer may have thrown away what it once said it had (RFC 2018, 8). */
void scoreboard_forget_sacks(struct conn *c);
/* The first that is lost and waits to be sent again. */
struct tcp_seg *scoreboard_first_waiting(const struct recovery *r);

#endif
