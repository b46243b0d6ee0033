/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cubic.c - CUBIC (RFC 9438) with HyStart++ (RFC 9406).
 *
 * Slow start doubles the window a round trip until it meets ssthresh, or until
 * the round trip time of a round has grown by an eighth (4..16 ms) over the
 * round before: the queue is filling. After a loss the window shrinks to 0.7
 * and grows along a cubic curve whose plateau is the window at the loss, never
 * slower than Reno would (w_est). A window that the sender does not fill is
 * not grown. */
#include "congestion.h"

#include <math.h>

#define CUBIC_BETA 0.7f
#define CUBIC_C 0.4f
#define RENO_ALPHA 0.5294f /* 3 (1 - beta) / (1 + beta) */
#define FAST_CONVERGENCE 0.85f
#define HYSTART_SAMPLES 8
#define HYSTART_MIN_US 4000u
#define HYSTART_MAX_US 16000u
#define HYSTART_LEAST_SEGMENTS 16u
#define NO_SAMPLE UINT32_MAX

static void cubic_init(struct congestion *cc, uint32_t next_seq,
		       uint32_t srtt_us)
{
	(void)srtt_us;
	cc->is.cubic = (struct cubic){
		.ssthresh = UINT32_MAX,
		.round_end = next_seq,
		.round_min_us = NO_SAMPLE,
		.last_min_us = NO_SAMPLE,
	};
}

static void cubic_begin_epoch(struct cubic *q, float w, uint64_t now_us)
{
	q->epoch_us = now_us;
	q->origin = w < q->w_max ? q->w_max : w;
	q->k = cbrtf((q->origin - w) / CUBIC_C);
	q->w_est = w;
}

static void cubic_grow(struct congestion *cc, const struct ack_sample *s)
{
	struct cubic *q = &cc->is.cubic;
	float w = (float)cc->cwnd / (float)cc->mss;
	float acked = (float)s->acked / (float)cc->mss;
	float from_plateau, target, grown = w;

	if (!q->epoch_us)
		cubic_begin_epoch(q, w, s->now_us);
	from_plateau =
		(float)(s->now_us - q->epoch_us + s->min_rtt_us) * 1e-6f - q->k;
	target = q->origin +
		 CUBIC_C * from_plateau * from_plateau * from_plateau;
	if (target > 1.5f * w)
		target = 1.5f * w;
	q->w_est += acked * (q->w_est < q->w_max ? RENO_ALPHA : 1.0f) / w;
	if (target > w)
		grown = w + (target - w) / w * acked;
	if (q->w_est > grown)
		grown = q->w_est;
	cc->cwnd = (uint32_t)(grown * (float)cc->mss + 0.5f);
}

/* A window that the sender did not fill proves nothing. */
static void cubic_acked(struct congestion *cc, const struct ack_sample *s)
{
	bool slow_start = cc->cwnd < cc->is.cubic.ssthresh;

	if (s->prior_in_flight + 2 * cc->mss < cc->cwnd / (slow_start ? 2 : 1))
		return;
	if (slow_start)
		cc->cwnd += s->acked;
	else
		cubic_grow(cc, s);
}

/* Has the queue begun to fill? Asked from the eighth sample of a round on. */
static bool hystart_found(const struct congestion *cc)
{
	const struct cubic *q = &cc->is.cubic;
	uint32_t margin = q->last_min_us / 8;

	if (q->round_samples < HYSTART_SAMPLES || q->last_min_us == NO_SAMPLE)
		return false;
	if (cc->cwnd < HYSTART_LEAST_SEGMENTS * cc->mss)
		return false;
	if (margin < HYSTART_MIN_US)
		margin = HYSTART_MIN_US;
	if (margin > HYSTART_MAX_US)
		margin = HYSTART_MAX_US;
	return q->round_min_us >= q->last_min_us + margin;
}

static void cubic_rtt(struct cubic *q, uint32_t rtt_us)
{
	if (rtt_us < q->round_min_us)
		q->round_min_us = rtt_us;
	if (q->round_samples < UINT8_MAX)
		q->round_samples++;
}

static void cubic_round(struct congestion *cc, uint32_t ack, uint32_t next_seq)
{
	struct cubic *q = &cc->is.cubic;

	if (cc->cwnd < q->ssthresh && hystart_found(cc))
		q->ssthresh = cc->cwnd;
	if ((int32_t)(ack - q->round_end) < 0)
		return;
	q->last_min_us = q->round_min_us;
	q->round_min_us = NO_SAMPLE;
	q->round_samples = 0;
	q->round_end = next_seq;
}

static void cubic_on_ack(struct congestion *cc, const struct ack_sample *s)
{
	if (s->rtt_us)
		cubic_rtt(&cc->is.cubic, s->rtt_us);
	if (!s->in_recovery && s->acked)
		cubic_acked(cc, s);
	cubic_round(cc, s->ack, s->next_seq);
}

static void cubic_on_lost(struct congestion *cc, const struct lost_segment *l)
{
	(void)cc;
	(void)l;
}

static void cubic_on_loss(struct congestion *cc)
{
	struct cubic *q = &cc->is.cubic;
	float w = (float)cc->cwnd / (float)cc->mss;
	uint32_t less = (uint32_t)((float)cc->cwnd * CUBIC_BETA);

	q->undo_cwnd = cc->cwnd;
	q->undo_ssthresh = q->ssthresh;
	cc->can_undo = true;
	q->epoch_us = 0;
	q->w_max = w < q->w_max ? w * FAST_CONVERGENCE : w;
	q->ssthresh = less > 2 * cc->mss ? less : 2 * cc->mss;
	cc->cwnd = q->ssthresh;
}

static void cubic_on_timeout(struct congestion *cc, bool again)
{
	if (!again)
		cubic_on_loss(cc);
	cc->cwnd = cc->mss;
}

static void cubic_undo(struct congestion *cc)
{
	struct cubic *q = &cc->is.cubic;

	if (q->undo_cwnd > cc->cwnd)
		cc->cwnd = q->undo_cwnd;
	if (q->undo_ssthresh > q->ssthresh)
		q->ssthresh = q->undo_ssthresh;
	cc->can_undo = false;
}

const struct congestion_ops congestion_cubic = {
	.name = "cubic",
	.init = cubic_init,
	.on_ack = cubic_on_ack,
	.on_lost = cubic_on_lost,
	.on_loss = cubic_on_loss,
	.on_timeout = cubic_on_timeout,
	.undo = cubic_undo,
};
