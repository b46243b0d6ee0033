/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bbr.c - BBR, version 3 (draft-ietf-ccwg-bbr).
 *
 * The path is modelled by two figures: the most it delivers in a second,
 * max_bw, and the least time a round trip takes, min_rtt. Their product, the
 * BDP, is what belongs in flight; it goes out paced at about max_bw. Startup
 * raises the rate 2.77 times a round until it grows no more; drain empties the
 * queue that this made. From then on a cycle: down and cruise, a bit below the
 * path's rate, for three to seven round trips; refill, for a round; up, a
 * quarter above it, until the queue grows or segments are lost. Every five
 * seconds half a BDP is in flight for 200 ms, so that the least round trip can
 * be seen.
 *
 * Loss alone says little. Up to a fifth of what was in flight is taken as it
 * comes; above that inflight_hi, the most the path is known to hold, comes
 * down. While it is not probing, the lower bounds bw_lo and inflight_lo follow
 * what was delivered in rounds with losses, and the next refill forgets them.
 *
 * A round trip of up to SHORT_RTT_US, a few ticks of the timer wheel, is not
 * worth pacing; it counts as so long, and nothing is paced. What is then
 * acknowledged in lumps may be what was sent in lumps: were all of it added to
 * what is in flight it would wait in somebody's queue, and come in larger ones,
 * until eight streams have 8 MB in the socket of a busy WireGuard peer. */
#include "bbr_model.h"

#define STARTUP_PACING_GAIN 2.77f
/* The draft has 2, with which the rate grows by less than it: a flight that is
 * paced takes longer than a round trip to be delivered. */
#define STARTUP_CWND_GAIN 2.77f
#define CWND_GAIN 2.0f
#define DRAIN_PACING_GAIN 0.5f
#define DOWN_PACING_GAIN 0.75f /* 0.9 leaves two flows unequal for long */
#define UP_PACING_GAIN 1.25f
#define UP_CWND_GAIN 2.25f
#define PROBE_RTT_CWND_GAIN 0.5f
#define UNPACED_EXTRA_GAIN 2.0f
#define UNPACED_EXTRA_LEAST (256u << 10)
#define PACING_MARGIN 0.99f
#define BETA 0.7f
#define HEADROOM 0.85f /* 0.15 of inflight_hi are left to others */
#define FULL_BW_GROWTH 1.25f
#define FULL_BW_ROUNDS 3
#define STARTUP_LOSS_EVENTS 6
#define EXTRA_ACKED_ROUNDS 5 /* each half of the filter of ten */
#define QUANTUM_US 1000u     /* of pacing go out in one piece */
#define QUANTUM_MOST 65536u
#define FIRST_RTT_US 1000u

/* ---- what should be in flight ---- */

static uint32_t path_rtt_us(const struct bbr *b)
{
	return more32(b->min_rtt_us, SHORT_RTT_US);
}

uint32_t bbr_bdp(const struct congestion *cc, uint64_t bw, float gain)
{
	const struct bbr *b = &cc->is.bbr;
	float bytes;

	if (b->min_rtt_us == NONE32 || !bw)
		return CONGESTION_FIRST_SEGMENTS * cc->mss;
	bytes = gain * (float)bw * (float)path_rtt_us(b) * 1e-6f;
	return bytes < 1e9f ? (uint32_t)bytes : 1000000000u;
}

/* Room for what is on its way while a piece waits to be sent or counted. */
static uint32_t with_room(const struct congestion *cc, uint32_t inflight)
{
	const struct bbr *b = &cc->is.bbr;
	uint64_t quantum = cc->pacing_rate * QUANTUM_US / 1000000;

	if (quantum < 2 * cc->mss)
		quantum = 2 * cc->mss;
	if (quantum > QUANTUM_MOST)
		quantum = QUANTUM_MOST;
	inflight = more32(inflight, 3 * (uint32_t)quantum);
	inflight = more32(inflight, LEAST_SEGMENTS * cc->mss);
	return b->mode == UP ? inflight + 2 * cc->mss : inflight;
}

uint32_t bbr_with_headroom(const struct congestion *cc)
{
	uint32_t hi = cc->is.bbr.inflight_hi;

	if (hi == NONE32)
		return hi;
	return more32((uint32_t)(HEADROOM * (float)hi),
		      LEAST_SEGMENTS * cc->mss);
}

uint32_t bbr_target_inflight(const struct congestion *cc)
{
	return less32(bbr_bdp(cc, cc->is.bbr.bw, 1), cc->cwnd);
}

uint32_t bbr_probe_rtt_cwnd(const struct congestion *cc)
{
	return more32(bbr_bdp(cc, cc->is.bbr.bw, PROBE_RTT_CWND_GAIN),
		      LEAST_SEGMENTS * cc->mss);
}

/* ---- the model ---- */

static void update_round(struct bbr *b, const struct ack_sample *s)
{
	b->round_start = s->prior_delivered >= b->next_round;
	if (b->round_start) {
		start_round(b, s->delivered);
		b->bw_rounds += b->bw_rounds < UINT8_MAX;
	}
	b->loss_round_start = s->prior_delivered >= b->loss_round;
	if (b->loss_round_start)
		b->loss_round = s->delivered;
}

static void lower_bounds(struct congestion *cc)
{
	struct bbr *b = &cc->is.bbr;
	uint64_t bw;

	if (b->mode == REFILL || b->mode == UP || b->mode == STARTUP ||
	    crowded(b))
		return;
	if (b->bw_lo == NONE64)
		b->bw_lo = best_bw(b);
	if (b->inflight_lo == NONE32)
		b->inflight_lo = cc->cwnd;
	bw = (uint64_t)(BETA * (float)b->bw_lo);
	b->bw_lo = bw > b->bw_latest ? bw : b->bw_latest;
	b->inflight_lo = more32((uint32_t)(BETA * (float)b->inflight_lo),
				b->inflight_latest);
}

/* What an aggregating path acknowledges in one lump beyond its rate. */
static void update_extra(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;
	uint64_t expected = b->bw * (s->now_us - b->extra_begun_us) / 1000000;
	uint32_t extra;

	if (b->round_start && ++b->extra_rounds >= EXTRA_ACKED_ROUNDS) {
		b->extra_rounds = 0;
		b->extra_acked[0] = b->extra_acked[1];
		b->extra_acked[1] = 0;
	}
	if (b->extra_delivered <= expected) {
		b->extra_delivered = 0;
		b->extra_begun_us = s->now_us;
		expected = 0;
	}
	b->extra_delivered += s->acked;
	extra = less32(b->extra_delivered - (uint32_t)expected, cc->cwnd);
	b->extra_acked[1] = more32(b->extra_acked[1], extra);
}

/* While the rate is held, a sample only repeats what is believed already, or
 * shows what another flow left free while it looked for its round trip: with
 * such samples flows of unequal shares would stay unequal. What up sent is
 * answered in the round after it, whatever the mode is then. */
static void update_max_bw(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;
	bool held = b->mode == PROBE_RTT ||
		    ((b->mode == DOWN || b->mode == CRUISE) &&
		     b->ack_phase != STOPPING);

	if (held && cc->pacing_rate && !crowded(b))
		return;
	if (s->rate > b->max_bw[1] &&
	    (s->rate >= best_bw(b) || !s->app_limited))
		b->max_bw[1] = s->rate;
}

static void update_model(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;

	update_round(b, s);
	bbr_watch_crowd(cc, s);
	if (s->newly_lost && b->loss_events < UINT8_MAX)
		b->loss_events++;
	if (s->rate > b->bw_latest)
		b->bw_latest = s->rate;
	b->inflight_latest = more32(b->inflight_latest, s->over_interval);
	update_max_bw(cc, s);
	if (b->loss_round_start &&
	    bbr_too_much_lost(cc, b->round_lost, b->inflight_latest))
		lower_bounds(cc);
	update_extra(cc, s);
}

/* Any sample of a round may show that it still grows: the first one alone may
 * tell of a gap that loss tore. */
static void check_full_bw(struct bbr *b, const struct ack_sample *s)
{
	if (b->full_bw_now || s->app_limited)
		return;
	if ((float)s->rate >= FULL_BW_GROWTH * (float)b->full_bw) {
		reset_full_bw(b, s->rate);
		return;
	}
	if (!b->round_start || ++b->full_bw_count < FULL_BW_ROUNDS)
		return;
	b->full_bw_now = b->full_bw_reached = true;
}

static void check_startup(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;

	check_full_bw(b, s);
	if (b->mode == STARTUP && b->loss_round_start &&
	    b->loss_events >= STARTUP_LOSS_EVENTS &&
	    bbr_too_much_lost(cc, b->round_lost, b->inflight_latest)) {
		b->full_bw_reached = true;
		b->inflight_hi =
			more32(bbr_bdp(cc, best_bw(b), 1), b->inflight_latest);
	}
	if (b->mode == STARTUP && b->full_bw_reached)
		b->mode = DRAIN;
	if (b->mode == DRAIN && s->in_flight <= bbr_bdp(cc, best_bw(b), 1))
		bbr_start_down(cc, s->delivered, s->now_us);
}

/* ---- what the sender obeys ---- */

/* Before anything is known of the path: the window in a round trip. */
static uint64_t first_rate(const struct congestion *cc, uint32_t rtt_us)
{
	return (uint64_t)(STARTUP_PACING_GAIN * 1e6f * (float)cc->cwnd /
			  (float)rtt_us);
}

/* Where the handshake told no round trip, the first ACK does. What was sent
 * until then may have been a few bytes, and the rate of those is none of the
 * path's. */
static void set_pacing(struct congestion *cc, uint64_t bw)
{
	static const float gains[] = {
		[STARTUP] = STARTUP_PACING_GAIN,
		[DRAIN] = DRAIN_PACING_GAIN,
		[DOWN] = DOWN_PACING_GAIN,
		[CRUISE] = 1,
		[REFILL] = 1,
		[UP] = UP_PACING_GAIN,
		[PROBE_RTT] = 1,
	};
	struct bbr *b = &cc->is.bbr;
	uint64_t rate = (uint64_t)(gains[b->mode] * PACING_MARGIN * (float)bw);

	if (b->min_rtt_us == NONE32)
		return;
	if (b->min_rtt_us <= SHORT_RTT_US) {
		cc->pacing_rate = 0;
		return;
	}
	if (!cc->pacing_rate && !b->full_bw_reached)
		cc->pacing_rate = first_rate(cc, b->min_rtt_us);
	if (bw && (b->full_bw_reached || rate > cc->pacing_rate))
		cc->pacing_rate = rate;
}

static uint32_t cwnd_bound(const struct congestion *cc)
{
	const struct bbr *b = &cc->is.bbr;
	uint32_t most = NONE32;

	if (b->mode == CRUISE || b->mode == PROBE_RTT)
		most = bbr_with_headroom(cc);
	else if (in_cycle(b))
		most = b->inflight_hi;
	if (b->mode == PROBE_RTT)
		most = less32(most, bbr_probe_rtt_cwnd(cc));
	most = less32(most, b->inflight_lo);
	return more32(most, LEAST_SEGMENTS * cc->mss);
}

static float cwnd_gain(const struct bbr *b)
{
	if (b->mode == STARTUP)
		return STARTUP_CWND_GAIN;
	return b->mode == UP ? UP_CWND_GAIN : CWND_GAIN;
}

static void set_cwnd(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;
	uint32_t most = bbr_bdp(cc, b->bw, cwnd_gain(b)), extra;

	extra = more32(b->extra_acked[0], b->extra_acked[1]);
	if (!cc->pacing_rate)
		extra = less32(extra,
			       more32(bbr_bdp(cc, b->bw, UNPACED_EXTRA_GAIN),
				      UNPACED_EXTRA_LEAST));
	if (b->full_bw_reached)
		most += extra;
	most = with_room(cc, most);
	if (b->full_bw_reached)
		cc->cwnd = less32(cc->cwnd + s->acked, most);
	else if (cc->cwnd < most ||
		 s->delivered < CONGESTION_FIRST_SEGMENTS * cc->mss)
		cc->cwnd += s->acked;
	cc->cwnd = more32(cc->cwnd, LEAST_SEGMENTS * cc->mss);
	cc->cwnd = less32(cc->cwnd, cwnd_bound(cc));
}

static void bbr_on_ack(struct congestion *cc, const struct ack_sample *s)
{
	struct bbr *b = &cc->is.bbr;

	if (b->after_timeout && s->ends_timeout) {
		b->after_timeout = false;
		cc->cwnd = more32(cc->cwnd, b->saved_cwnd);
	}
	if (!s->acked)
		return;
	update_model(cc, s);
	check_startup(cc, s);
	bbr_step_cycle(cc, s);
	bbr_update_min_rtt(cc, s);
	if (b->loss_round_start) {
		b->bw_latest = s->rate;
		b->inflight_latest = s->over_interval;
		b->loss_events = 0;
		b->round_lost = 0;
	}
	b->bw = best_bw(b) < b->bw_lo ? best_bw(b) : b->bw_lo;
	set_pacing(cc, b->bw);
	set_cwnd(cc, s);
}

static void bbr_on_loss(struct congestion *cc)
{
	cc->can_undo = true;
}

/* The model stays: what it knows of the path is not less true. */
static void bbr_on_timeout(struct congestion *cc, bool again)
{
	struct bbr *b = &cc->is.bbr;

	(void)again;
	if (!b->after_timeout && b->mode != PROBE_RTT)
		b->saved_cwnd = cc->cwnd;
	b->after_timeout = true;
	cc->can_undo = true;
	cc->cwnd = cc->mss;
}

static void bbr_undo(struct congestion *cc)
{
	struct bbr *b = &cc->is.bbr;

	if (b->after_timeout)
		cc->cwnd = more32(cc->cwnd, b->saved_cwnd);
	b->after_timeout = false;
	b->round_lost = 0;
	reset_lower_bounds(b);
	cc->can_undo = false;
}

bool bbr_holds_back(const struct congestion *cc)
{
	return cc->ops == &congestion_bbr && cc->is.bbr.mode == PROBE_RTT;
}

bool bbr_is_starting(const struct congestion *cc)
{
	return cc->ops == &congestion_bbr && cc->is.bbr.mode == STARTUP;
}

static void bbr_init(struct congestion *cc, uint32_t next_seq, uint32_t srtt_us)
{
	struct bbr *b = &cc->is.bbr;
	uint32_t rtt_us = srtt_us ? srtt_us : FIRST_RTT_US;

	*b = (struct bbr){
		.min_rtt_us = NONE32,
		.probe_rtt_min_us = NONE32,
		.inflight_hi = NONE32,
		.up_each = NONE32,
		.random = next_seq,
	};
	reset_lower_bounds(b);
	if (rtt_us > SHORT_RTT_US)
		cc->pacing_rate = first_rate(cc, rtt_us);
}

const struct congestion_ops congestion_bbr = {
	.init = bbr_init,
	.on_ack = bbr_on_ack,
	.on_lost = bbr_on_lost,
	.on_loss = bbr_on_loss,
	.on_timeout = bbr_on_timeout,
	.undo = bbr_undo,
};
