/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rival.c - a model of BBR version 1 as Linux 6 has it (tcp_bbr.c), packet by
 * packet and without TCP around it: every packet that arrives is told to the
 * sender, and one that three later ones have overtaken is lost and counts no
 * longer as in flight. What it sends next takes its place.
 *
 * Startup raises the rate 2.885 times a round until it grows no more in three;
 * then it drains. From then on eight phases of a round trip at 1.25, 0.75 and
 * six times 1 of the highest rate seen in ten rounds, with up to twice the
 * path's product in flight; every ten seconds four packets for 200 ms. Loss
 * only makes it keep what is in flight for a round. */
#include "rival.h"

#include <assert.h>
#include <stdlib.h>

#define PACKET_BYTES 1500u
#define PAYLOAD_BYTES 1448u
#define RING 16384u /* packets that are not settled; a power of two */
#define OVERTAKEN 3u
#define HIGH_GAIN 2.885
#define CWND_GAIN 2.0
#define BW_ROUNDS 10u
#define PHASES 8u
#define FIRST_WINDOW 10.0
#define LEAST_WINDOW 4.0
#define LEAST_BURST 2.0
#define BURST_US 1000.0 /* of the rate leave at once */
#define MIN_RTT_US 10000000u
#define PROBE_RTT_US 200000u
#define EXTRA_ROUNDS 5u /* each half of the filter of ten */
#define EXTRA_MOST_US 100000.0
#define LUMP_US 2000u /* ACKs come in lumps of so long */
#define LATE_US 100.0 /* a timer of the kernel's, at most */
#define TIMEOUT_US 300000u

enum phase { STARTUP, DRAIN, PROBE_BW, PROBE_RTT };

struct sent {
	uint64_t at_us, first_us, delivered, delivered_us;
	bool settled;
};

struct rival {
	struct sim_link *link;
	uint64_t back_us;
	struct sent ring[RING];
	uint64_t next, oldest; /* numbers of packets */
	uint64_t in_flight, delivered, delivered_us, first_us;
	uint64_t send_at_us; /* 0: no timer runs */
	double paced_us;
	/* the model; rates are packets a microsecond */
	double bw[BW_ROUNDS], full_bw, rate, cwnd, saved_cwnd;
	uint64_t rounds, next_round, min_rtt_us, min_rtt_at_us, cycle_us;
	uint64_t probe_done_us, recover, extra_begun_us;
	double extra[2], extra_acked;
	unsigned extra_rounds;
	unsigned cycle, full_rounds;
	enum phase phase;
	bool full, probe_round_done, in_recovery, conserves, closed;
	unsigned pending; /* events that will come */
};

static double more(double a, double b)
{
	return a > b ? a : b;
}

static double best_bw(const struct rival *r)
{
	double best = 0;

	for (unsigned i = 0; i < BW_ROUNDS; i++)
		best = more(best, r->bw[i]);
	return best;
}

static double bdp(const struct rival *r, double gain)
{
	return gain * best_bw(r) * (double)r->min_rtt_us;
}

static double pacing_gain(const struct rival *r)
{
	static const double cycle[PHASES] = {1.25, 0.75, 1, 1, 1, 1, 1, 1};
	static const double gains[] = {[STARTUP] = HIGH_GAIN,
				       [DRAIN] = 1 / HIGH_GAIN,
				       [PROBE_RTT] = 1};

	return r->phase == PROBE_BW ? cycle[r->cycle] : gains[r->phase];
}

static double burst(const struct rival *r)
{
	return more(LEAST_BURST, (double)(uint64_t)(r->rate * BURST_US));
}

/* ---- sending ---- */

static void rival_send(struct rival *r);

static void rival_free(struct rival *r)
{
	if (r->closed && !r->pending)
		free(r);
}

static void timer_fired(void *arg, uint64_t number)
{
	struct rival *r = arg;

	(void)number;
	r->pending--;
	r->send_at_us = 0;
	if (r->closed)
		rival_free(r);
	else
		rival_send(r);
}

static void wait_until(struct rival *r, double at_us)
{
	if (r->send_at_us)
		return;
	r->send_at_us = (uint64_t)(at_us + sim_random() * LATE_US) + 1;
	r->pending++;
	sim_at(r->send_at_us, timer_fired, r, 0);
}

static void packet_acked(void *arg, uint64_t number);

static void send_packet(struct rival *r)
{
	uint64_t arrives_us;

	assert(r->next - r->oldest < RING);
	if (!r->in_flight)
		r->first_us = r->delivered_us = sim.now_us;
	r->ring[r->next % RING] = (struct sent){
		.at_us = sim.now_us,
		.first_us = r->first_us,
		.delivered = r->delivered,
		.delivered_us = r->delivered_us,
	};
	if (wire_carries(r->link, PACKET_BYTES, &arrives_us)) {
		r->pending++;
		arrives_us += r->back_us;
		arrives_us += LUMP_US - arrives_us % LUMP_US;
		sim_at(arrives_us, packet_acked, r, r->next);
	}
	r->next++;
	r->in_flight++;
}

static void rival_send(struct rival *r)
{
	double now_us = (double)sim.now_us;

	while ((double)r->in_flight < r->cwnd) {
		double left = burst(r);

		if (r->paced_us > now_us) {
			wait_until(r, r->paced_us);
			return;
		}
		r->paced_us = more(r->paced_us, now_us - BURST_US);
		for (; left >= 1 && (double)r->in_flight < r->cwnd; left--) {
			send_packet(r);
			r->paced_us += 1 / r->rate;
		}
	}
}

/* ---- the model ---- */

static bool update_bw(struct rival *r, const struct sent *s)
{
	uint64_t sending = s->at_us - s->first_us;
	uint64_t receiving = sim.now_us - s->delivered_us;
	uint64_t interval = sending > receiving ? sending : receiving;
	bool begins = s->delivered >= r->next_round;
	double bw = 0, *slot;

	if (begins) {
		r->next_round = r->delivered;
		r->rounds++;
		r->bw[r->rounds % BW_ROUNDS] = 0;
		r->conserves = false;
	}
	if (interval && interval >= r->min_rtt_us)
		bw = (double)(r->delivered - s->delivered) / (double)interval;
	slot = &r->bw[r->rounds % BW_ROUNDS];
	*slot = more(*slot, bw);
	return begins;
}

/* What is acknowledged in one lump beyond the rate. */
static void update_extra(struct rival *r, bool begins)
{
	double expected = best_bw(r) * (double)(sim.now_us - r->extra_begun_us);

	if (begins && ++r->extra_rounds >= EXTRA_ROUNDS) {
		r->extra_rounds = 0;
		r->extra[0] = r->extra[1];
		r->extra[1] = 0;
	}
	if (r->extra_acked <= expected) {
		r->extra_acked = expected = 0;
		r->extra_begun_us = sim.now_us;
	}
	r->extra_acked++;
	expected = r->extra_acked - expected;
	r->extra[1] =
		more(r->extra[1], expected < r->cwnd ? expected : r->cwnd);
}

static void start_cycle(struct rival *r)
{
	r->phase = PROBE_BW;
	r->cycle = 2 + (unsigned)(sim_random() * (PHASES - 2));
	r->cycle_us = sim.now_us;
}

static void step_cycle(struct rival *r, uint64_t before, bool lost)
{
	double gain = pacing_gain(r);
	bool over = sim.now_us - r->cycle_us > r->min_rtt_us;

	if (gain > 1)
		over = over && (lost || (double)before >= bdp(r, gain));
	else if (gain < 1)
		over = over || (double)before <= bdp(r, 1);
	if (!over)
		return;
	r->cycle = (r->cycle + 1) % PHASES;
	r->cycle_us = sim.now_us;
}

static void check_full(struct rival *r, bool begins)
{
	if (r->full || !begins)
		return;
	if (best_bw(r) >= 1.25 * r->full_bw) {
		r->full_bw = best_bw(r);
		r->full_rounds = 0;
	} else {
		r->full = ++r->full_rounds >= 3;
	}
}

static void probe_rtt(struct rival *r, bool begins)
{
	if (!r->probe_done_us) {
		if ((double)r->in_flight > LEAST_WINDOW)
			return;
		r->probe_done_us = sim.now_us + PROBE_RTT_US;
		r->probe_round_done = false;
		r->next_round = r->delivered;
		return;
	}
	r->probe_round_done |= begins;
	if (!r->probe_round_done || sim.now_us <= r->probe_done_us)
		return;
	r->min_rtt_at_us = sim.now_us;
	r->cwnd = more(r->cwnd, r->saved_cwnd);
	if (r->full)
		start_cycle(r);
	else
		r->phase = STARTUP;
}

static void update_min_rtt(struct rival *r, uint64_t rtt_us, bool begins)
{
	bool stale = sim.now_us > r->min_rtt_at_us + MIN_RTT_US;

	if (rtt_us <= r->min_rtt_us || stale) {
		r->min_rtt_us = rtt_us;
		r->min_rtt_at_us = sim.now_us;
	}
	if (stale && r->phase != PROBE_RTT) {
		r->phase = PROBE_RTT;
		r->saved_cwnd = r->cwnd;
		r->probe_done_us = 0;
	}
	if (r->phase == PROBE_RTT)
		probe_rtt(r, begins);
}

static void set_rate(struct rival *r)
{
	double rate = 0.99 * pacing_gain(r) * best_bw(r);

	if (rate > 0 && (r->full || rate > r->rate))
		r->rate = rate;
}

static void set_cwnd(struct rival *r, uint64_t lost)
{
	double gain = r->phase == STARTUP || r->phase == DRAIN ? HIGH_GAIN
							       : CWND_GAIN;
	double target = bdp(r, gain) + 3 * burst(r);
	double extra = more(r->extra[0], r->extra[1]);

	if (extra > best_bw(r) * EXTRA_MOST_US)
		extra = best_bw(r) * EXTRA_MOST_US;
	if (r->full)
		target += extra;
	if (lost)
		r->cwnd = more(r->cwnd - (double)lost, 1);
	if (r->conserves) {
		r->cwnd = more(r->cwnd, (double)r->in_flight + 1);
	} else {
		if (r->full)
			r->cwnd = r->cwnd + 1 < target ? r->cwnd + 1 : target;
		else if (r->cwnd < target || r->delivered < FIRST_WINDOW)
			r->cwnd++;
		r->cwnd = more(r->cwnd, LEAST_WINDOW);
	}
	if (r->phase == PROBE_RTT && r->cwnd > LEAST_WINDOW)
		r->cwnd = LEAST_WINDOW;
}

static void step_recovery(struct rival *r, uint64_t lost)
{
	if (r->in_recovery && r->oldest >= r->recover) {
		r->in_recovery = r->conserves = false;
		r->cwnd = more(r->cwnd, r->saved_cwnd);
	}
	if (!lost || r->in_recovery)
		return;
	r->in_recovery = r->conserves = true;
	r->recover = r->next;
	if (r->phase != PROBE_RTT)
		r->saved_cwnd = r->cwnd;
	r->next_round = r->delivered;
	r->cwnd = (double)r->in_flight + 1;
}

/* ---- what comes back ---- */

/* How many were overtaken, now that this one has arrived? */
static uint64_t settle(struct rival *r, uint64_t number)
{
	uint64_t lost = 0;

	if (number < r->oldest)
		return 0;
	r->ring[number % RING].settled = true;
	r->in_flight--;
	while (r->oldest < r->next) {
		struct sent *s = &r->ring[r->oldest % RING];

		if (!s->settled && r->oldest + OVERTAKEN > number)
			break;
		if (!s->settled) {
			r->in_flight--;
			lost++;
		}
		r->oldest++;
	}
	return lost;
}

static void packet_acked(void *arg, uint64_t number)
{
	struct rival *r = arg;
	struct sent s = r->ring[number % RING];
	uint64_t before = r->in_flight, lost;
	bool begins;

	r->pending--;
	if (r->closed) {
		rival_free(r);
		return;
	}
	lost = settle(r, number);
	r->delivered++;
	r->delivered_us = sim.now_us;
	r->first_us = s.at_us;
	begins = update_bw(r, &s);
	update_extra(r, begins);
	if (r->phase == PROBE_BW)
		step_cycle(r, before, lost > 0);
	check_full(r, begins);
	if (r->phase == STARTUP && r->full)
		r->phase = DRAIN;
	if (r->phase == DRAIN && (double)r->in_flight <= bdp(r, 1))
		start_cycle(r);
	update_min_rtt(r, sim.now_us - s.at_us, begins);
	set_rate(r);
	step_recovery(r, lost);
	set_cwnd(r, lost);
	rival_send(r);
}

/* Nothing has come for so long: nothing will. */
static void look_for_timeout(void *arg, uint64_t number)
{
	struct rival *r = arg;

	(void)number;
	r->pending--;
	if (r->closed) {
		rival_free(r);
		return;
	}
	if (r->in_flight && r->delivered_us + TIMEOUT_US < sim.now_us) {
		r->oldest = r->next;
		r->in_flight = 0;
		r->cwnd = LEAST_WINDOW;
		rival_send(r);
	}
	r->pending++;
	sim_at(sim.now_us + TIMEOUT_US, look_for_timeout, r, 0);
}

struct rival *rival_open(struct sim_link *link, uint64_t back_us)
{
	struct rival *r = calloc(1, sizeof *r);

	assert(r);
	r->link = link;
	r->back_us = back_us;
	r->min_rtt_us = UINT64_MAX;
	r->min_rtt_at_us = sim.now_us;
	r->cwnd = FIRST_WINDOW;
	r->rate = HIGH_GAIN * FIRST_WINDOW / (double)(link->delay_us + back_us);
	rival_send(r);
	r->pending++;
	sim_at(sim.now_us + TIMEOUT_US, look_for_timeout, r, 0);
	return r;
}

uint64_t rival_got(const struct rival *r)
{
	return r->delivered * PAYLOAD_BYTES;
}

void rival_close(struct rival *r)
{
	r->closed = true;
	rival_free(r);
}
