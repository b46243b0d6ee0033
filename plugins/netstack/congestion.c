/* SPDX-License-Identifier: GPL-2.0-or-later */
/* congestion.c - CUBIC with HyStart++.
 *
 * Slow start doubles the window a round trip until it meets ssthresh, or until
 * the round trip time of a round has grown by an eighth (4..16 ms) over the
 * round before: the queue is filling. After a loss the window shrinks to 0.7
 * and grows along a cubic curve whose plateau is the window at the loss, never
 * slower than Reno would (w_est). A window that the sender does not fill is
 * not grown. */
#include "congestion.h"

#include <math.h>

#define INITIAL_SEGMENTS 10u
#define CUBIC_BETA 0.7f
#define CUBIC_C 0.4f
#define RENO_ALPHA 0.5294f /* 3 (1 - beta) / (1 + beta) */
#define FAST_CONVERGENCE 0.85f
#define HYSTART_SAMPLES 8
#define HYSTART_MIN_US 4000u
#define HYSTART_MAX_US 16000u
#define HYSTART_LEAST_SEGMENTS 16u
#define NO_SAMPLE UINT32_MAX

void congestion_init(struct congestion *cc, uint32_t mss, uint32_t next_seq)
{
	*cc = (struct congestion){
		.mss = mss,
		.cwnd = INITIAL_SEGMENTS * mss,
		.ssthresh = UINT32_MAX,
		.round_end = next_seq,
		.round_min_us = NO_SAMPLE,
		.last_min_us = NO_SAMPLE,
	};
}

static void cubic_begin_epoch(struct congestion *cc, float w, uint64_t now_us)
{
	cc->epoch_us = now_us;
	cc->origin = w < cc->w_max ? cc->w_max : w;
	cc->k = cbrtf((cc->origin - w) / CUBIC_C);
	cc->w_est = w;
}

static void cubic_grow(struct congestion *cc, uint32_t bytes,
		       uint32_t min_rtt_us, uint64_t now_us)
{
	float w = (float)cc->cwnd / (float)cc->mss;
	float acked = (float)bytes / (float)cc->mss;
	float from_plateau, target, grown = w;

	if (!cc->epoch_us)
		cubic_begin_epoch(cc, w, now_us);
	from_plateau =
		(float)(now_us - cc->epoch_us + min_rtt_us) * 1e-6f - cc->k;
	target = cc->origin +
		 CUBIC_C * from_plateau * from_plateau * from_plateau;
	if (target > 1.5f * w)
		target = 1.5f * w;
	cc->w_est += acked * (cc->w_est < cc->w_max ? RENO_ALPHA : 1.0f) / w;
	if (target > w)
		grown = w + (target - w) / w * acked;
	if (cc->w_est > grown)
		grown = cc->w_est;
	cc->cwnd = (uint32_t)(grown * (float)cc->mss + 0.5f);
}

void congestion_acked(struct congestion *cc, uint32_t bytes, uint32_t in_flight,
		      uint32_t min_rtt_us, uint64_t now_us)
{
	bool slow_start = cc->cwnd < cc->ssthresh;

	if (in_flight + bytes + 2 * cc->mss < cc->cwnd / (slow_start ? 2 : 1))
		return;
	if (slow_start)
		cc->cwnd += bytes;
	else
		cubic_grow(cc, bytes, min_rtt_us, now_us);
}

void congestion_rtt(struct congestion *cc, uint32_t rtt_us)
{
	if (rtt_us < cc->round_min_us)
		cc->round_min_us = rtt_us;
	if (cc->round_samples < UINT8_MAX)
		cc->round_samples++;
}

/* Has the queue begun to fill? Asked from the eighth sample of a round on. */
static bool hystart_found(const struct congestion *cc)
{
	uint32_t margin = cc->last_min_us / 8;

	if (cc->round_samples < HYSTART_SAMPLES || cc->last_min_us == NO_SAMPLE)
		return false;
	if (cc->cwnd < HYSTART_LEAST_SEGMENTS * cc->mss)
		return false;
	if (margin < HYSTART_MIN_US)
		margin = HYSTART_MIN_US;
	if (margin > HYSTART_MAX_US)
		margin = HYSTART_MAX_US;
	return cc->round_min_us >= cc->last_min_us + margin;
}

void congestion_round(struct congestion *cc, uint32_t ack, uint32_t next_seq)
{
	if (cc->cwnd < cc->ssthresh && hystart_found(cc))
		cc->ssthresh = cc->cwnd;
	if ((int32_t)(ack - cc->round_end) < 0)
		return;
	cc->last_min_us = cc->round_min_us;
	cc->round_min_us = NO_SAMPLE;
	cc->round_samples = 0;
	cc->round_end = next_seq;
}

void congestion_loss(struct congestion *cc)
{
	float w = (float)cc->cwnd / (float)cc->mss;
	uint32_t less = (uint32_t)((float)cc->cwnd * CUBIC_BETA);

	cc->undo_cwnd = cc->cwnd;
	cc->undo_ssthresh = cc->ssthresh;
	cc->epoch_us = 0;
	cc->w_max = w < cc->w_max ? w * FAST_CONVERGENCE : w;
	cc->ssthresh = less > 2 * cc->mss ? less : 2 * cc->mss;
	cc->cwnd = cc->ssthresh;
}

void congestion_timeout(struct congestion *cc)
{
	cc->cwnd = cc->mss;
}

void congestion_undo(struct congestion *cc)
{
	if (cc->undo_cwnd > cc->cwnd)
		cc->cwnd = cc->undo_cwnd;
	if (cc->undo_ssthresh > cc->ssthresh)
		cc->ssthresh = cc->undo_ssthresh;
	cc->undo_cwnd = 0;
}
