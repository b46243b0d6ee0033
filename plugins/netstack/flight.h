/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flight.h - the segments in flight: where one is, which of them are open (not
 * known to have arrived), and in what order these were sent last. scoreboard.c
 * works on it, and nobody else but through that. */
#ifndef NETSTACK_FLIGHT_H
#define NETSTACK_FLIGHT_H

#include "recovery.h"

#include "lwip/priv/tcp_priv.h"

#define MAX_SACKS 4

/* In the headroom of a segment's header pbuf. */
struct segment_note {
	uint64_t sent_us : 48;
	uint64_t arrived : 16; /* bytes of it, since, while it is open */
	struct tcp_seg *older, *newer; /* sent before and after it, if open */
	struct rate_note rate;
};
_Static_assert(sizeof(struct segment_note) <= PBUF_LINK_ENCAPSULATION_HLEN,
	       "the headers would overwrite it");

/* A few neighbours. */
struct group {
	struct tcp_seg *first;
	uint32_t begin; /* sequence number; what is left may begin later */
	uint8_t segments, open, waiting;
};

struct sack_block {
	uint32_t left, right;
};

/* It is there while something is, and does not count the handshake. */
struct flight {
	struct tcp_seg *tail; /* the last of pcb->unacked */
	struct tcp_seg *oldest, *newest;
	struct tcp_seg *unjudged;  /* all sent before it wait to go again */
	struct tcp_seg *uncounted; /* all below were lost by count or never */
	struct sack_block told[MAX_SACKS]; /* by the ACK before */
	uint32_t tellings;
	uint32_t begin, end, room; /* groups [begin, end) are in use */
	struct group group[];
};

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

static inline struct group *flight_first(struct flight *f)
{
	return &f->group[f->begin];
}

static inline struct group *flight_end(struct flight *f)
{
	return &f->group[f->end];
}

/* The first segment beyond a group. */
static inline struct tcp_seg *group_end(struct flight *f, const struct group *g)
{
	return g + 1 < flight_end(f) ? g[1].first : NULL;
}

/* Is there memory to note one more? */
bool flight_admits(struct recovery *r);
/* It was sent, and is now the last. */
void flight_append(struct recovery *r, struct tcp_seg *seg);
/* The first was acknowledged. With the last one the flight is over. */
void flight_shift(struct recovery *r, struct tcp_seg *seg);
/* It has arrived, one of that group. */
void flight_arrived(struct flight *f, struct group *g, struct tcp_seg *seg);
/* It is the newest: it was sent again, or is open again. */
void flight_renew(struct flight *f, struct tcp_seg *seg);
void flight_reopen(struct flight *f, struct group *g, struct tcp_seg *seg);
/* Whose group the sequence number is in. */
struct group *flight_group(struct flight *f, uint32_t seq);
void flight_free(struct recovery *r);

#endif
