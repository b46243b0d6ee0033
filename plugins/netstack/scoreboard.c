/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scoreboard.c - which segments arrived and which are lost (RFC 6675, 8985).
 *
 * A segment is lost when one sent later has arrived and it had its round trip
 * and the reorder window (RACK), or while no reordering was ever seen, when 3
 * segments above it have arrived. Where the first is not due yet a timer comes
 * back for it: the ACK that would tell may never come. The tail of a flight has
 * nothing above it, but a segment resent after it does as well.
 *
 * The cost of an ACK goes with what is new in it, not with how much is in
 * flight or what else it says: there may be ten thousand segments, and the peer
 * need not be a friend. What one ACK said of SACK blocks the next says again;
 * only what goes beyond that is looked up, in flight.c's groups. What is lost
 * by time is found in the order of sending, from where all before is known to
 * be lost; what is lost by count from below, once for each segment. */
#include "scoreboard.h"

#include "port.h"

#define DUPLICATE_SEGMENTS 3u

/* `seg` arrived. Of one that went out more than once nobody knows which copy it
 * was (RFC 6298, 3), but where the timestamp says so (RFC 3522) or it comes
 * sooner than a round trip can be, it was the first: it was merely late. */
static void seg_delivered(struct recovery *r, struct tcp_seg *seg,
			  struct ack *a)
{
	uint64_t sent_us = note_of(seg)->sent_us;
	uint32_t rtt_us = (uint32_t)(a->now_us - sent_us);

	a->delivered += seg->len;
	a->arrived += seg->len - note_of(seg)->arrived;
	rate_delivered(&r->rate, &note_of(seg)->rate, seg->len, a->now_us,
		       &a->probe);
	if (seg_waits(seg))
		r->lost -= seg->len;
	if (!(seg->flags & SEGMENT_REPEATED)) {
		a->rtt_us = rtt_us ? rtt_us : 1;
		if (seg->len && TCP_SEQ_LT(seg_end(seg), r->highest_sacked))
			r->reordering = true;
	} else if (a->early) {
		a->too_soon |= r->in_recovery;
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

/* Some bytes of `seg` arrived, others not. Whether they were told of before is
 * not remembered for long, but a segment is never counted for more than it is.
 * False: nothing of it was left to count. */
static bool part_arrived(struct tcp_seg *seg, uint32_t bytes, struct ack *a)
{
	struct segment_note *note = note_of(seg);
	uint32_t left = seg->len - (uint32_t)note->arrived;

	if (bytes > left)
		bytes = left;
	note->arrived += bytes;
	a->arrived += bytes;
	return bytes;
}

/* Of `seg` that which lies in [from, to). */
static bool part_between(struct tcp_seg *seg, uint32_t from, uint32_t to,
			 struct ack *a)
{
	if (TCP_SEQ_LT(from, seg_begin(seg)))
		from = seg_begin(seg);
	if (TCP_SEQ_GT(to, seg_end(seg)))
		to = seg_end(seg);
	return TCP_SEQ_LT(from, to) && part_arrived(seg, to - from, a);
}

/* The timestamp it was sent with last. */
static uint32_t stamp_of(const struct tcp_seg *seg)
{
	return port_stamp(note_of(seg)->sent_us);
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

/* What the cumulative ACK covers; lwIP will free it. Where a copy was among it
 * the others may have waited for that one, and tell no round trip. */
static void take_acked(struct conn *c, struct ack *a)
{
	struct recovery *r = &c->recovery;
	struct tcp_seg *seg = c->pcb->unacked;
	bool copies = false;

	a->needless = needless(a);
	a->early = seg && a->moved && a->has_echo &&
		   (int32_t)(a->echo - stamp_of(seg)) < 0;
	for (; seg && TCP_SEQ_LEQ(seg_end(seg), a->ack); seg = seg->next) {
		if (seg->flags & SEGMENT_SACKED) {
			r->sacked -= seg->len;
		} else {
			copies |= seg->flags & SEGMENT_REPEATED;
			seg_delivered(r, seg, a);
		}
		flight_shift(r, seg);
	}
	if (copies && !a->early)
		a->rtt_us = 0;
	if (seg)
		part_between(seg, c->pcb->lastack, a->ack, a);
}

static void seg_sacked(struct recovery *r, struct group *g, struct tcp_seg *seg,
		       struct ack *a)
{
	seg_delivered(r, seg, a);
	flight_arrived(r->flight, g, seg);
	seg->flags &= (u8_t)~SEGMENT_LOST;
	seg->flags |= SEGMENT_SACKED;
	r->sacked += seg->len;
	a->sacked = true;
}

/* Segments that lie in a block as a whole arrived, of those at its edges a
 * part. None is looked for that ends below `from`. */
static void take_block(struct recovery *r, const struct sack_block *b,
		       uint32_t from, struct ack *a)
{
	struct flight *f = r->flight;
	struct group *g = flight_group(f, from);

	for (; g < flight_end(f) && TCP_SEQ_LT(g->begin, b->right); g++) {
		const struct tcp_seg *end = group_end(f, g);

		for (struct tcp_seg *s = g->first; g->open && s != end;
		     s = s->next) {
			if (s->flags & SEGMENT_SACKED)
				continue;
			if (TCP_SEQ_GEQ(seg_begin(s), b->left) &&
			    TCP_SEQ_LEQ(seg_end(s), b->right))
				seg_sacked(r, g, s, a);
			else
				a->sacked |= part_between(s, from, b->right, a);
			if (TCP_SEQ_GEQ(seg_end(s), b->right))
				return;
		}
	}
}

/* Up to where from its left edge on a block was told of before. */
static uint32_t told_up_to(const struct flight *f, const struct sack_block *b)
{
	uint32_t from = b->left;

	for (uint32_t i = 0; i < f->tellings; i++)
		if (TCP_SEQ_LEQ(f->told[i].left, b->left) &&
		    TCP_SEQ_GT(f->told[i].right, from))
			from = f->told[i].right;
	return from;
}

/* Those that can be true, the lowest first: a segment that arrived with one
 * above it did not come late. */
static uint32_t sort_blocks(const struct ack *a, uint32_t snd_nxt,
			    struct sack_block *to)
{
	uint32_t n = 0;

	for (int i = 0; i < a->sacks; i++) {
		struct sack_block b = {a->left[i], a->right[i]};
		uint32_t at = n;

		if (TCP_SEQ_LEQ(b.left, a->ack) ||
		    TCP_SEQ_GEQ(b.left, b.right) ||
		    TCP_SEQ_GT(b.right, snd_nxt))
			continue;
		for (; at && TCP_SEQ_LT(b.left, to[at - 1].left); at--)
			to[at] = to[at - 1];
		to[at] = b;
		n++;
	}
	return n;
}

static void take_sacked(struct recovery *r, struct ack *a, uint32_t snd_nxt)
{
	struct flight *f = r->flight;
	struct sack_block blocks[MAX_SACKS];
	uint32_t n = sort_blocks(a, snd_nxt, blocks);

	for (uint32_t i = 0; i < n; i++) {
		uint32_t from = told_up_to(f, &blocks[i]);

		if (TCP_SEQ_LT(from, blocks[i].right))
			take_block(r, &blocks[i], from, a);
		if (TCP_SEQ_GT(blocks[i].right, r->highest_sacked))
			r->highest_sacked = blocks[i].right;
	}
	memcpy(f->told, blocks, n * sizeof blocks[0]);
	f->tellings = n;
}

void scoreboard_take(struct conn *c, struct ack *a)
{
	struct recovery *r = &c->recovery;

	take_acked(c, a);
	if (r->flight)
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
	flight_group(r->flight, seg_begin(seg))->waiting++;
	r->lost += seg->len;
	r->rate.lost += seg->len;
	a->newly_lost += seg->len;
	lost.lost_since = r->rate.lost - note->lost;
	lost.over_interval = (uint32_t)r->rate.delivered - note->delivered;
	r->cc.ops->on_lost(&r->cc, &lost);
}

static void lose_once(struct recovery *r, struct tcp_seg *s, struct ack *a)
{
	if (!(s->flags & (SEGMENT_SACKED | SEGMENT_RESENT)) && !seg_waits(s) &&
	    s->len)
		scoreboard_lose(r, s, a);
}

/* What 3 segments have come ahead of. Of a train at the head of the flight it
 * is known which packet is missing. */
static void lose_by_count(struct recovery *r, struct ack *a)
{
	struct tcp_seg *s = r->flight->uncounted;
	uint32_t most = r->highest_sacked - DUPLICATE_SEGMENTS * r->mss;

	for (; s && TCP_SEQ_LEQ(seg_end(s), most); s = s->next)
		lose_once(r, s, a);
	r->flight->uncounted = s;
	if (TCP_SEQ_LEQ(a->ack + r->mss, most))
		lose_once(r, flight_first(r->flight)->first, a);
}

/* What was sent before something that has arrived, and is late. */
static void lose_by_time(struct recovery *r, struct ack *a)
{
	uint64_t wait_us = r->rack_rtt_us + reorder_window_us(r) + 1;
	struct tcp_seg *s = r->flight->unjudged;

	for (; s; s = note_of(s)->newer) {
		uint64_t late_us = note_of(s)->sent_us + wait_us;

		if (seg_waits(s) || !s->len)
			continue;
		if (!sent_before_rack(r, s))
			break;
		if (a->now_us < late_us) {
			r->reorder_at_us = late_us;
			break;
		}
		scoreboard_lose(r, s, a);
	}
	r->flight->unjudged = s;
}

void scoreboard_mark_lost(struct recovery *r, struct ack *a)
{
	r->reorder_at_us = 0;
	if (!r->flight)
		return;
	if (!r->reordering)
		lose_by_count(r, a);
	lose_by_time(r, a);
}

static void lose_from(struct recovery *r, uint32_t least_len)
{
	struct flight *f = r->flight;

	if (!f)
		return;
	for (struct group *g = flight_first(f); g < flight_end(f); g++) {
		const struct tcp_seg *end = group_end(f, g);

		for (struct tcp_seg *s = g->first; s != end; s = s->next) {
			if (s->flags & SEGMENT_SACKED || seg_waits(s) ||
			    s->len < least_len)
				continue;
			s->flags |= SEGMENT_LOST;
			s->flags &= (u8_t)~SEGMENT_RESENT;
			r->lost += s->len;
			g->waiting++;
		}
	}
}

void scoreboard_lose_all(struct recovery *r)
{
	lose_from(r, 0);
	if (r->flight)
		r->flight->unjudged = NULL;
}

void scoreboard_lose_larger(struct recovery *r, uint32_t len)
{
	lose_from(r, len + 1);
}

static struct tcp_seg *waiting_from(struct flight *f, const struct group *g,
				    struct tcp_seg *seg)
{
	for (;;) {
		const struct tcp_seg *end = group_end(f, g);

		for (; g->waiting && seg != end; seg = seg->next)
			if (seg_waits(seg))
				return seg;
		if (++g == flight_end(f))
			return NULL;
		seg = g->first;
	}
}

struct tcp_seg *scoreboard_first_waiting(const struct recovery *r)
{
	struct group *g = r->lost && r->flight ? flight_first(r->flight) : NULL;

	return g ? waiting_from(r->flight, g, g->first) : NULL;
}

struct tcp_seg *scoreboard_next_waiting(const struct recovery *r,
					const struct tcp_seg *seg)
{
	struct group *g = flight_group(r->flight, seg_begin(seg));

	return waiting_from(r->flight, g, seg->next);
}

void scoreboard_resent(struct recovery *r, struct tcp_seg *seg)
{
	if (r->flight) {
		if (seg_waits(seg)) {
			flight_group(r->flight, seg_begin(seg))->waiting--;
			r->lost -= seg->len;
		}
		flight_renew(r->flight, seg);
	}
	seg->flags |= SEGMENT_RESENT | SEGMENT_REPEATED;
}

void scoreboard_find_all(struct recovery *r)
{
	struct flight *f = r->flight;

	if (!f)
		return;
	for (struct group *g = flight_first(f); g < flight_end(f); g++)
		for (struct tcp_seg *s = g->first; g->waiting; s = s->next) {
			if (!seg_waits(s))
				continue;
			s->flags &= (u8_t)~SEGMENT_LOST;
			r->lost -= s->len;
			g->waiting--;
		}
	f->unjudged = f->oldest;
	f->uncounted = flight_first(f)->first;
}

void scoreboard_forget_sacks(struct conn *c)
{
	struct recovery *r = &c->recovery;
	struct flight *f = r->flight;

	for (struct group *g = flight_first(f); g < flight_end(f); g++) {
		const struct tcp_seg *end = group_end(f, g);

		for (struct tcp_seg *s = g->first; s != end; s = s->next) {
			if (!(s->flags & SEGMENT_SACKED))
				continue;
			s->flags &= (u8_t)~SEGMENT_SACKED;
			flight_reopen(f, g, s);
		}
	}
	r->sacked = 0;
	r->highest_sacked = c->pcb->lastack;
	f->tellings = 0;
	f->uncounted = flight_first(f)->first;
}
