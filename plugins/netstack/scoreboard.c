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
 * segments above it have arrived. Where the first is not due yet a timer comes
 * back for it: the ACK that would tell may never come. The tail of a flight has
 * nothing above it, but a segment resent after it does as well. */
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
	} else if (a->early) {
		return;
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

/* The timestamp it was sent with last. */
static uint32_t stamp_of(const struct tcp_seg *seg)
{
	return (uint32_t)(note_of(seg)->sent_us / 1000);
}

/* Bytes that the first block says came twice: it lies below the ACK, or inside
 * the second block (RFC 2883, 4). */
static uint32_t needless(const struct ack *a)
{
	if (!a->sacks || !TCP_SEQ_LT(a->left[0], a->right[0]))
		return 0;
	if (TCP_SEQ_LEQ(a->right[0], a->ack) ||
	    (a->sacks > 1 && TCP_SEQ_GEQ(a->left[0], a->left[1]) &&
	     TCP_SEQ_LEQ(a->right[0], a->right[1])))
		return a->right[0] - a->left[0];
	return 0;
}

/* What the cumulative ACK covers; lwIP will free it. */
static void take_acked(struct conn *c, struct ack *a)
{
	struct recovery *r = &c->recovery;
	struct tcp_seg *seg = c->pcb->unacked;

	a->needless = needless(a);
	a->early = seg && a->moved && a->has_echo &&
		   (int32_t)(a->echo - stamp_of(seg)) < 0;
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

/* The window is a quarter of the least round trip, and more where segments
 * were resent in vain, up to a whole one. */
static uint32_t reorder_window_us(const struct recovery *r)
{
	uint32_t window_us = (1u + r->reorder_quarters) * (r->min_rtt_us / 4);

	return window_us < r->srtt_us ? window_us : r->srtt_us;
}

/* Was it sent before the newest that is known to have arrived? */
static bool sent_before_rack(const struct recovery *r,
			     const struct tcp_seg *seg)
{
	uint64_t sent_us = note_of(seg)->sent_us;

	if (sent_us != r->rack_sent_us)
		return sent_us < r->rack_sent_us;
	return TCP_SEQ_LT(seg_end(seg), r->rack_end);
}

static bool seg_lost(struct recovery *r, const struct tcp_seg *seg,
		     uint64_t now_us)
{
	uint64_t sent_us = note_of(seg)->sent_us, late_us;

	if (!(seg->flags & SEGMENT_RESENT) && !r->reordering &&
	    TCP_SEQ_GEQ(r->highest_sacked,
			seg_end(seg) + DUPLICATE_SEGMENTS * r->mss))
		return true;
	if (!sent_before_rack(r, seg))
		return false;
	late_us = sent_us + r->rack_rtt_us + reorder_window_us(r) + 1;
	if (now_us >= late_us)
		return true;
	if (!r->reorder_at_us || late_us < r->reorder_at_us)
		r->reorder_at_us = late_us;
	return false;
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
	lost.over_interval = (uint32_t)r->rate.delivered - note->delivered;
	r->cc.ops->on_lost(&r->cc, &lost);
}

void scoreboard_mark_lost(struct recovery *r, struct ack *a)
{
	r->reorder_at_us = 0;
	for (struct tcp_seg *s = r->open; s; s = note_of(s)->next) {
		if (seg_waits(s) || !s->len)
			continue;
		if (seg_lost(r, s, a->now_us))
			scoreboard_lose(r, s, a);
		else if (TCP_SEQ_GEQ(seg_begin(s), r->highest_sacked) &&
			 !(s->flags & SEGMENT_RESENT) &&
			 !sent_before_rack(r, s))
			break; /* so were all that follow */
	}
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

void scoreboard_find_all(struct recovery *r)
{
	for (struct tcp_seg *s = r->open; s; s = note_of(s)->next)
		if (seg_waits(s)) {
			s->flags &= (u8_t)~SEGMENT_LOST;
			r->lost -= s->len;
		}
}

void scoreboard_forget_sacks(struct conn *c)
{
	struct recovery *r = &c->recovery;

	for (struct tcp_seg *s = c->pcb->unacked; s; s = s->next)
		s->flags &= (u8_t)~SEGMENT_SACKED;
	r->sacked = 0;
	r->highest_sacked = c->pcb->lastack;
	scoreboard_init(c);
}

struct tcp_seg *scoreboard_first_waiting(const struct recovery *r)
{
	struct tcp_seg *s = r->lost ? r->open : NULL;

	while (s && !seg_waits(s))
		s = note_of(s)->next;
	return s;
}
