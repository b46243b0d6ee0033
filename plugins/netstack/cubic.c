/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cubic.c - CUBIC (RFC 9438) with HyStart++ (RFC 9406).
 *
 * Slow start doubles the window a round trip until it meets ssthresh; while
 * that is unknown hystart.c says when the queue begins to fill. After a loss
 * the window shrinks to 0.7, as arrivals go (prr.c), and grows along a cubic
 * curve whose plateau is the window at the loss, never slower than Reno would
 * (w_est). A window that the sender does not fill is not grown. Where a round
 * trip takes more than SHORT_RTT_US, what the window lets out is paced. */
#include "congestion.h"
#include "timer.h"

#include <math.h>

#define CUBIC_BETA 0.7f
#define CUBIC_C 0.4f
#define RENO_ALPHA 0.5294f /* 3 (1 - beta) / (1 + beta) */
#define FAST_CONVERGENCE 0.85f
#define START_PACING_GAIN 2.0f
#define PACING_GAIN 1.2f
#define UNKNOWN UINT32_MAX

static void cubic_init(struct congestion *cc, uint32_t next_seq,
		       uint32_t srtt_us)
{
	(void)srtt_us;
	cc->is.cubic = (struct cubic){.ssthresh = UNKNOWN};
	hystart_init(&cc->is.cubic.hystart, next_seq);
}

static void cubic_begin_epoch(struct cubic *q, float w, uint64_t now_us)
{
	q->epoch_ms = q->acked_ms = clock_ms(now_us);
	q->origin = w < q->w_max ? q->w_max : w;
	q->k = cbrtf((q->origin - w) / CUBIC_C);
	q->w_est = w;
}

/* Time in which the sender had little to say is none of the curve's (RFC 9438,
 * 5.8), and where no ACK came for longer than a round trip it had nothing. */
static void cubic_skip(struct cubic *q, const struct ack_sample *s)
{
	uint32_t now_ms = clock_ms(s->now_us), passed_ms = now_ms - q->acked_ms;
	uint32_t most_ms = s->app_limited ? 0 : s->srtt_us / 1000 + 1;

	if (passed_ms > most_ms)
		q->epoch_ms += passed_ms - most_ms;
	q->acked_ms = now_ms;
}

/* What Reno's window would grow a round trip, in segments: less than one, as
 * CUBIC shrinks less, until it is what it was at the loss (RFC 9438, 4.3). */
static float reno_alpha(const struct congestion *cc)
{
	const struct cubic *q = &cc->is.cubic;
	float at_loss = (float)q->ssthresh / CUBIC_BETA;

	return q->w_max > 0 && q->w_est * (float)cc->mss < at_loss ? RENO_ALPHA
								   : 1.0f;
}

static void cubic_grow(struct congestion *cc, const struct ack_sample *s)
{
	struct cubic *q = &cc->is.cubic;
	float w = (float)cc->cwnd / (float)cc->mss;
	float acked = (float)s->acked / (float)cc->mss;
	float from_plateau, target, grown = w;

	if (!q->epoch_ms)
		cubic_begin_epoch(q, w, s->now_us);
	from_plateau = (float)(clock_ms(s->now_us) - q->epoch_ms) * 1e-3f +
		       (float)s->min_rtt_us * 1e-6f - q->k;
	target = q->origin +
		 CUBIC_C * from_plateau * from_plateau * from_plateau;
	if (target > 1.5f * w)
		target = 1.5f * w;
	q->w_est += acked * reno_alpha(cc) / w;
	if (target > w)
		grown = w + (target - w) / w * acked;
	if (q->w_est > grown)
		grown = q->w_est;
	cc->cwnd = (uint32_t)(grown * (float)cc->mss + 0.5f);
}

/* A window that the sender did not fill proves nothing. */
static void cubic_acked(struct congestion *cc, const struct ack_sample *s)
{
	struct cubic *q = &cc->is.cubic;
	bool slow_start = cc->cwnd < q->ssthresh;

	if (q->epoch_ms)
		cubic_skip(q, s);
	if (s->prior_in_flight + 2 * cc->mss < cc->cwnd / (slow_start ? 2 : 1))
		return;
	if (q->ssthresh == UNKNOWN)
		cc->cwnd += hystart_grow(&q->hystart, s->acked);
	else if (slow_start)
		cc->cwnd += s->acked;
	else
		cubic_grow(cc, s);
}

static void cubic_reduce(struct congestion *cc, const struct ack_sample *s)
{
	struct cubic *q = &cc->is.cubic;

	q->reducing = s->in_recovery;
	cc->cwnd = q->ssthresh;
	if (q->reducing)
		cc->cwnd =
			prr_window(&q->prr, s, q->ssthresh, cc->sent, cc->mss);
}

/* What is lost in a short queue is mostly the end of a burst. The rate is above
 * the window's own, which is to stay what limits the sender. */
static void cubic_pace(struct congestion *cc, const struct ack_sample *s)
{
	bool slow_start = cc->cwnd < cc->is.cubic.ssthresh;
	float gain = slow_start ? START_PACING_GAIN : PACING_GAIN;

	cc->pacing_rate = 0;
	if (s->min_rtt_us > SHORT_RTT_US)
		cc->pacing_rate = (uint64_t)(gain * 1e6f * (float)cc->cwnd /
					     (float)s->srtt_us);
}

static void cubic_on_ack(struct congestion *cc, const struct ack_sample *s)
{
	struct cubic *q = &cc->is.cubic;
	bool first = q->ssthresh == UNKNOWN;

	if (first && s->rtt_us)
		hystart_rtt(&q->hystart, s->rtt_us);
	if (q->reducing)
		cubic_reduce(cc, s);
	if (!s->in_recovery && s->acked)
		cubic_acked(cc, s);
	if (first && hystart_over(&q->hystart, s->ack, s->next_seq))
		q->ssthresh = cc->cwnd;
	cubic_pace(cc, s);
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

	if (!cc->can_undo) {
		q->undo_cwnd = cc->cwnd;
		q->undo_ssthresh = q->ssthresh;
		q->undo_w_max = q->w_max;
	}
	cc->can_undo = true;
	q->epoch_ms = 0;
	q->w_max = w < q->w_max ? w * FAST_CONVERGENCE : w;
	q->ssthresh = less > 2 * cc->mss ? less : 2 * cc->mss;
	q->prr = (struct prr){0};
	q->reducing = true;
	cc->sent = 0;
}

/* As for a loss (RFC 9438, 4.6); but nobody says later that it was none. */
static void cubic_on_mark(struct congestion *cc)
{
	cubic_on_loss(cc);
	cc->can_undo = false;
}

static void cubic_on_timeout(struct congestion *cc, bool again)
{
	if (!again)
		cubic_on_loss(cc);
	cc->is.cubic.reducing = false;
	cc->cwnd = cc->mss;
	cc->pacing_rate = 0;
}

static void cubic_undo(struct congestion *cc)
{
	struct cubic *q = &cc->is.cubic;

	if (q->undo_cwnd > cc->cwnd)
		cc->cwnd = q->undo_cwnd;
	if (q->undo_ssthresh > q->ssthresh)
		q->ssthresh = q->undo_ssthresh;
	q->w_max = q->undo_w_max;
	q->reducing = false;
	cc->can_undo = false;
}

const struct congestion_ops congestion_cubic = {
	.init = cubic_init,
	.on_ack = cubic_on_ack,
	.on_lost = cubic_on_lost,
	.on_loss = cubic_on_loss,
	.on_timeout = cubic_on_timeout,
	.on_mark = cubic_on_mark,
	.undo = cubic_undo,
};
