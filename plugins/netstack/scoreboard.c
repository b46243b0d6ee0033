/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scoreboard.c - which segments arrived and which are lost (RFC 6675, 8985).
 *
 * Of the segments in flight, lwIP's list `unacked`, those that are not known
 * to have arrived are linked once more, through the notes in their headers:
 * the open ones. What a SACK block covers leaves that list. So an ACK looks at
 * the holes and at what it newly covers, and not at the thousands of segments
 * between that have arrived already.
 *
 * A segment is lost when one sent later has arrived and it had its round trip
 * and the reorder window (RACK), or while no reordering was ever seen, when 3
 * segments above it have arrived. */
#include "scoreboard.h"

#define DUPLICATE_SEGMENTS 3u

void scoreboard_append(struct recovery *r, struct tcp_seg *seg)
{
	note_of(seg)->next = NULL;
	if (r->open)
		note_of(r->open_tail)->next = seg;
	else
		r->open = seg;
	r->open_tail = seg;
	r->tail = seg;
}

void scoreboard_init(struct conn *c)
{
	struct recovery *r = &c->recovery;

	r->open = r->open_tail = r->tail = NULL;
	for (struct tcp_seg *s = c->pcb->unacked; s; s = s->next)
		scoreboard_append(r, s);
}

/* `seg` arrived. A resent one that comes sooner than a round trip can be was
 * not lost at all: the first copy was acknowledged. */
static void seg_delivered(struct recovery *r, struct tcp_seg *seg,
			  struct ack *a)
{
	uint64_t sent_us = note_of(seg)->sent_us;
	uint32_t rtt_us = (uint32_t)(a->now_us - sent_us);

	a->delivered += seg->len;
	rate_delivered(&r->rate, &note_of(seg)->rate, seg->len, a->now_us,
		       &a->probe);
	if (seg_waits(seg))
		r->lost -= seg->len;
	if (!(seg->flags & SEGMENT_RESENT)) {
		a->rtt_us = rtt_us ? rtt_us : 1;
		if (seg->len && TCP_SEQ_LT(seg_end(seg), r->highest_sacked))
			r->reordering = true;
	} else if (r->min_rtt_us &&
		   rtt_us < r->min_rtt_us - r->min_rtt_us / 8) {
		a->too_soon = true;
		return;
	}
	if (sent_us > r->rack_sent_us ||
	    (sent_us == r->rack_sent_us &&
	     TCP_SEQ_GT(seg_end(seg), r->rack_end))) {
		r->rack_sent_us = sent_us;
		r->rack_end = seg_end(seg);
		r->rack_rtt_us = rtt_us;
	}
}

/* What the cumulative ACK covers; lwIP will free it. */
static void take_acked(struct conn *c, struct ack *a)
{
	struct recovery *r = &c->recovery;
	struct tcp_seg *seg = c->pcb->unacked;

	for (; seg && TCP_SEQ_LEQ(seg_end(seg), a->ack); seg = seg->next) {
		if (seg->flags & SEGMENT_SACKED)
			r->sacked -= seg->len;
		else
			seg_delivered(r, seg, a);
	}
	while (r->open && TCP_SEQ_LEQ(seg_end(r->open), a->ack))
		r->open = note_of(r->open)->next;
}

static bool seg_in_sacks(const struct tcp_seg *seg, const struct ack *a)
{
	for (int i = 0; i < a->sacks; i++)
		if (TCP_SEQ_GT(a->left[i], a->ack) &&
		    TCP_SEQ_GEQ(seg_begin(seg), a->left[i]) &&
		    TCP_SEQ_LEQ(seg_end(seg), a->right[i]))
			return true;
	return false;
}

static void seg_sacked(struct recovery *r, struct tcp_seg *seg, struct ack *a)
{
	seg_delivered(r, seg, a);
	seg->flags &= (u8_t)~SEGMENT_LOST;
	seg->flags |= SEGMENT_SACKED;
	r->sacked += seg->len;
	a->sacked = true;
	if (TCP_SEQ_GT(seg_end(seg), r->highest_sacked))
		r->highest_sacked = seg_end(seg);
}

static void take_sacked(struct recovery *r, struct ack *a, uint32_t snd_nxt)
{
	struct tcp_seg **at = &r->open, *before = NULL;
	uint32_t highest = a->ack;

	for (int i = 0; i < a->sacks; i++)
		if (TCP_SEQ_GT(a->right[i], highest) &&
		    TCP_SEQ_LEQ(a->right[i], snd_nxt))
			highest = a->right[i];
	while (*at && TCP_SEQ_LT(seg_begin(*at), highest)) {
		struct tcp_seg *seg = *at;

		if (!seg_in_sacks(seg, a)) {
			before = seg;
			at = &note_of(seg)->next;
			continue;
		}
		seg_sacked(r, seg, a);
		*at = note_of(seg)->next;
		if (!*at)
			r->open_tail = before;
	}
}

void scoreboard_take(struct conn *c, struct ack *a)
{
	struct recovery *r = &c->recovery;

	take_acked(c, a);
	if (a->sacks)
		take_sacked(r, a, c->pcb->snd_nxt);
	if (TCP_SEQ_LT(r->highest_sacked, a->ack))
		r->highest_sacked = a->ack;
}

static bool seg_lost(const struct recovery *r, const struct tcp_seg *seg,
		     uint64_t now_us)
{
	uint64_t sent_us = note_of(seg)->sent_us;

	if (!(seg->flags & SEGMENT_RESENT) && !r->reordering &&
	    r->highest_sacked - seg_end(seg) >= DUPLICATE_SEGMENTS * r->mss)
		return true;
	return sent_us < r->rack_sent_us &&
	       now_us - sent_us > r->rack_rtt_us + r->min_rtt_us / 4;
}

void scoreboard_lose(struct recovery *r, struct tcp_seg *seg, struct ack *a)
{
	const struct rate_note *note = &note_of(seg)->rate;
	struct lost_segment lost = {
		.now_us = a->now_us,
		.delivered = r->rate.delivered,
		.bytes = seg->len,
		.in_flight = note->in_flight,
		.app_limited = note->app_limited,
	};

	seg->flags |= SEGMENT_LOST;
	seg->flags &= (u8_t)~SEGMENT_RESENT;
	r->lost += seg->len;
	r->rate.lost += seg->len;
	a->newly_lost += seg->len;
	lost.lost_since = r->rate.lost - note->lost;
	r->cc.ops->on_lost(&r->cc, &lost);
}

void scoreboard_mark_lost(struct recovery *r, struct ack *a)
{
	for (struct tcp_seg *s = r->open;
	     s && TCP_SEQ_LT(seg_begin(s), r->highest_sacked);
	     s = note_of(s)->next)
		if (!seg_waits(s) && seg_lost(r, s, a->now_us))
			scoreboard_lose(r, s, a);
}

void scoreboard_lose_all(struct recovery *r)
{
	r->lost = 0;
	for (struct tcp_seg *s = r->open; s; s = note_of(s)->next) {
		s->flags |= SEGMENT_LOST;
		s->flags &= (u8_t)~SEGMENT_RESENT;
		r->lost += s->len;
	}
}

struct tcp_seg *scoreboard_first_waiting(const struct recovery *r)
{
	struct tcp_seg *s = r->lost ? r->open : NULL;

	while (s && !seg_waits(s))
		s = note_of(s)->next;
	return s;
}
