/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bbr_probe.c - how BBR keeps its model true: the cycle of down, cruise, refill
 * and up, the bounds that loss sets, and the look for the least round trip.
 * bbr.c says what the whole is about. */
#include "bbr_model.h"

/* The draft has 0.02 here, and probes every two or three seconds: then two
 * flows of unequal shares stay so. */
#define LOSS_THRESHOLD 0.2f
#define CYCLE_ROUND_TRIPS 3u
#define CYCLE_CHANCE 4u /* round trips more at most: none probe in step */
#define UP_INFLIGHT_GAIN 1.25f
#define BETA 0.7f
#define CHANCE_SEGMENTS 4u
#define MIN_RTT_FILTER_US 10000000u
#define PROBE_RTT_EVERY_US 5000000u
#define PROBE_RTT_FOR_US 200000u
#define UP_ROUNDS_MOST 30
#define LIMITED_PART 8 /* of the window may wait for a train to be full */
#define CROWD_RTT_GAIN 1.25f
#define CROWD_LOSS 0.03f
#define CROWD_MOST 8u
#define CROWD_BW_ROUNDS 5u /* each half of the filter of ten */

static uint32_t random_below(struct bbr *b, uint32_t n)
{
	b->random = b->random * 1664525u + 1013904223u;
	return (uint32_t)((uint64_t)b->random * n >> 32);
}

/* ---- steps of the cycle ---- */

void bbr_start_down(struct congestion *cc, uint64_t delivered, uint64_t now_us)
{
	struct bbr *b = &cc->is.bbr;

	b->up_each = NONE32;
	b->cycle_for_us = b->min_rtt_us * CYCLE_ROUND_TRIPS +
			  random_below(b, b->min_rtt_us * CYCLE_CHANCE);
	b->cycle_us = now_us;
	b->ack_phase = STOPPING;
	start_round(b, delivered);
	b->mode = DOWN;
}

static void start_refill(struct bbr *b, uint64_t delivered)
{
	reset_lower_bounds(b);
	b->up_rounds = 0;
	b->up_acked = 0;
	b->ack_phase = REFILLING;
	start_round(b, delivered);
	b->mode = REFILL;
}

/* Each round of probing lets inflight_hi grow twice as fast. */
static void raise_slope(struct congestion *cc)
{
	struct bbr *b = &cc->is.bbr;

	b->up_each = more32(cc->cwnd >> b->up_rounds, cc->mss);
	if (b->up_rounds < UP_ROUNDS_MOST)
		b->up_rounds++;
}

static void start_up(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;

	b->probe_samples = true;
	b->ack_phase = STARTING;
	start_round(b, s->delivered);
	raise_slope(cc);
	b->cycle_us = s->now_us;
	b->mode = UP;
}

/* Is inflight_hi what bounds the flight? */
static bool hi_bounds(const struct congestion *cc, const struct ack_sample *s)
{
	return cc->cwnd >= cc->is.bbr.inflight_hi &&
	       s->prior_in_flight + 3 * cc->mss >=
		       cc->cwnd - cc->cwnd / LIMITED_PART;
}

/* ---- loss ---- */

/* Where little is in flight a few segments are chance, not a rate. `in_flight`
 * is what was sent with them: more than was in flight before where the flight
 * had run dry and grew again. */
static float loss_allowed(const struct congestion *cc, uint32_t in_flight)
{
	return LOSS_THRESHOLD * (float)in_flight +
	       (float)(CHANCE_SEGMENTS * cc->mss);
}

bool bbr_too_much_lost(const struct congestion *cc, uint32_t lost,
		       uint32_t in_flight)
{
	return (float)lost > loss_allowed(cc, in_flight);
}

static void inflight_too_high(struct congestion *cc, uint32_t in_flight,
			      bool app_limited, uint64_t delivered,
			      uint64_t now_us)
{
	struct bbr *b = &cc->is.bbr;

	b->probe_samples = false;
	if (!app_limited && !crowded(b))
		b->inflight_hi = more32(
			in_flight,
			(uint32_t)(BETA * (float)bbr_target_inflight(cc)));
	if (b->mode == UP)
		bbr_start_down(cc, delivered, now_us);
}

void bbr_on_lost(struct congestion *cc, const struct lost_segment *l)
{
	struct bbr *b = &cc->is.bbr;
	uint32_t sent = more32(l->in_flight, l->over_interval);
	uint32_t before = sent > l->bytes ? sent - l->bytes : 0;
	uint32_t lost_before = l->lost_since - l->bytes, fitted = 0;
	float allowed = loss_allowed(cc, before);

	b->round_lost += l->bytes;
	if (!b->probe_samples || !bbr_too_much_lost(cc, l->lost_since, sent))
		return;
	/* How much of the segment still fitted before it was too much? */
	if (allowed > (float)lost_before)
		fitted = (uint32_t)((allowed - (float)lost_before) /
				    (1 - LOSS_THRESHOLD));
	inflight_too_high(cc, before + less32(fitted, l->bytes), l->app_limited,
			  l->delivered, l->now_us);
}

/* ---- others ---- */

/* A round in which we sent no more than the path delivers to us, and yet a
 * queue stood and overflowed: it is not ours. */
static void judge_round(struct bbr *b, uint32_t in_flight)
{
	bool queue =
		b->quiet_rtt_us != NONE32 &&
		(float)b->quiet_rtt_us > CROWD_RTT_GAIN * (float)b->min_rtt_us;

	if (!queue)
		b->crowd -= !!b->crowd;
	else if ((float)b->quiet_lost > CROWD_LOSS * (float)in_flight &&
		 b->crowd < CROWD_MOST)
		b->crowd++;
	if (crowded(b))
		b->inflight_hi = NONE32;
}

void bbr_watch_crowd(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;

	if (b->round_start) {
		if (b->quiet)
			judge_round(b, s->sent_in_flight);
		b->quiet = b->mode == DOWN || b->mode == CRUISE;
		b->quiet_rtt_us = NONE32;
		b->quiet_lost = 0;
	}
	if (s->rtt_us)
		b->quiet_rtt_us = less32(b->quiet_rtt_us, s->rtt_us);
	b->quiet_lost += s->newly_lost;
}

/* ---- probing for bandwidth ---- */

static void upper_bounds(struct congestion *cc, const struct ack_sample *s,
			 bool bounded)
{
	struct bbr *b = &cc->is.bbr;

	if (b->ack_phase == STARTING && b->round_start)
		b->ack_phase = FEEDBACK;
	if (b->ack_phase == STOPPING && b->round_start) {
		b->ack_phase = REFILLING; /* once a cycle */
		if (in_cycle(b) && !s->app_limited &&
		    (!crowded(b) || b->bw_rounds >= CROWD_BW_ROUNDS)) {
			b->max_bw[0] = b->max_bw[1];
			b->max_bw[1] = 0;
			b->bw_rounds = 0;
		}
	}
	if (bbr_too_much_lost(cc, s->lost_since,
			      more32(s->sent_in_flight, s->over_interval))) {
		if (b->probe_samples)
			inflight_too_high(cc, s->sent_in_flight, s->app_limited,
					  s->delivered, s->now_us);
		return;
	}
	if (b->inflight_hi == NONE32)
		return;
	b->inflight_hi = more32(b->inflight_hi, s->sent_in_flight);
	if (b->mode != UP || !bounded)
		return;
	b->up_acked += s->acked;
	b->inflight_hi += b->up_acked / b->up_each * cc->mss;
	b->up_acked %= b->up_each;
	if (b->round_start)
		raise_slope(cc);
}

static bool time_to_probe(const struct bbr *b, uint64_t now_us)
{
	return now_us - b->cycle_us > b->cycle_for_us;
}

/* A round trip is enough, once the queue grows or something is lost; but while
 * inflight_hi bounds the flight and too little is lost to lower it, it
 * grows. */
static bool time_to_go_down(const struct congestion *cc,
			    const struct ack_sample *s, bool bounded)
{
	const struct bbr *b = &cc->is.bbr;

	return s->now_us - b->cycle_us > b->min_rtt_us &&
	       ((s->newly_lost && !bounded) ||
		s->prior_in_flight >=
			bbr_bdp(cc, best_bw(b), UP_INFLIGHT_GAIN));
}

/* Those who keep the queue would only take what we leave. */
static bool is_down(const struct congestion *cc, const struct ack_sample *s)
{
	const struct bbr *b = &cc->is.bbr;

	if (crowded(b) && s->now_us - b->cycle_us > b->min_rtt_us)
		return true;
	return s->in_flight <= bbr_with_headroom(cc) &&
	       s->in_flight <= bbr_bdp(cc, best_bw(b), 1);
}

void bbr_step_cycle(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;
	bool bounded;

	if (!b->full_bw_reached)
		return;
	bounded = hi_bounds(cc, s);
	upper_bounds(cc, s, bounded);
	if ((b->mode == DOWN || b->mode == CRUISE) &&
	    time_to_probe(b, s->now_us))
		start_refill(b, s->delivered);
	else if (b->mode == DOWN && is_down(cc, s))
		b->mode = CRUISE;
	else if (b->mode == REFILL && b->round_start)
		start_up(cc, s);
	else if (b->mode == UP && time_to_go_down(cc, s, bounded))
		bbr_start_down(cc, s->delivered, s->now_us);
}

/* ---- probing for the round trip time ---- */

static void end_probe_rtt(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;

	b->probe_rtt_at_us = s->now_us;
	if ((float)b->probe_rtt_min_us < CROWD_RTT_GAIN * (float)b->min_rtt_us)
		b->crowd = 0; /* whoever keeps a queue now shows it anew */
	cc->cwnd = more32(cc->cwnd, b->saved_cwnd);
	reset_lower_bounds(b);
	if (!b->full_bw_reached) {
		b->mode = STARTUP;
		return;
	}
	bbr_start_down(cc, s->delivered, s->now_us);
	b->ack_phase = REFILLING; /* half a BDP in flight shows no rate */
	b->mode = CRUISE;
}

static void in_probe_rtt(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;

	if (!b->probe_rtt_done_us) {
		if (s->in_flight > bbr_probe_rtt_cwnd(cc))
			return;
		b->probe_rtt_done_us = s->now_us + PROBE_RTT_FOR_US;
		b->probe_rtt_round_done = false;
		start_round(b, s->delivered);
		return;
	}
	if (b->round_start)
		b->probe_rtt_round_done = true;
	if (b->probe_rtt_round_done && s->now_us > b->probe_rtt_done_us)
		end_probe_rtt(cc, s);
}

void bbr_update_min_rtt(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;
	bool stale = b->probe_rtt_at_us &&
		     s->now_us > b->probe_rtt_at_us + PROBE_RTT_EVERY_US;

	if (s->rtt_us && (stale || s->rtt_us <= b->probe_rtt_min_us)) {
		b->probe_rtt_min_us = s->rtt_us;
		b->probe_rtt_at_us = s->now_us;
	}
	if (b->probe_rtt_min_us <= b->min_rtt_us ||
	    s->now_us > b->min_rtt_at_us + MIN_RTT_FILTER_US) {
		b->min_rtt_us = b->probe_rtt_min_us;
		b->min_rtt_at_us = b->probe_rtt_at_us;
	}
	/* Where little is in flight anyway, the path shows its round trip. */
	if (b->mode == PROBE_RTT) {
		in_probe_rtt(cc, s);
	} else if (stale && s->in_flight > bbr_probe_rtt_cwnd(cc) &&
		   b->min_rtt_us > SHORT_RTT_US) {
		b->mode = PROBE_RTT;
		b->saved_cwnd = cc->cwnd;
		b->probe_rtt_done_us = 0;
		b->ack_phase = STOPPING;
		start_round(b, s->delivered);
	}
}
