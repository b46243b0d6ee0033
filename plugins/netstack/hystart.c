/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hystart.c - HyStart++ (RFC 9406).
 *
 * When the least of eight round trip times in a row is an eighth (4..16 ms)
 * above that of the round before, a queue may have begun to fill. The RFC takes
 * the least of the whole round, which is that of its beginning; but during a
 * round twice as much is sent as the path takes, and a queue of half a round
 * trip runs over before the next round begins. What we send is paced, so that
 * eight in a row are no burst that waits behind itself.
 *
 * From then on the window grows four times more slowly: the conservative slow
 * start. After five rounds of it slow start is over. If the round trip gets
 * shorter again it was jitter, and the window doubles as before. While it is
 * longer by another eighth the window does not grow at all, which is not in the
 * RFC: a queue that goes on to fill is no jitter, and all that the window still
 * grew would be lost behind it.
 *
 * Growth for an ACK is not limited to 8 segments as the RFC has it where
 * nothing is paced: an ACK here stands for a train, and what it lets out is
 * one. */
#include "hystart.h"

#define SAMPLES_LEAST 8
#define THRESHOLD_SHARE 8u /* of the round trip */
#define THRESHOLD_MIN_US 4000u
#define THRESHOLD_MAX_US 16000u
#define CAREFUL_DIVISOR 4u
#define CAREFUL_ROUNDS 5
#define NONE UINT32_MAX

void hystart_init(struct hystart *h, uint32_t next_seq)
{
	*h = (struct hystart){
		.round_end = next_seq,
		.round_min_us = NONE,
		.recent_us = NONE,
		.last_min_us = NONE,
		.baseline_us = NONE,
	};
}

void hystart_rtt(struct hystart *h, uint32_t rtt_us)
{
	if (rtt_us < h->round_min_us)
		h->round_min_us = rtt_us;
	if (h->samples == SAMPLES_LEAST) {
		h->samples = 0;
		h->recent_us = NONE;
	}
	if (rtt_us < h->recent_us)
		h->recent_us = rtt_us;
	h->samples++;
}

/* The last samples are so far above that a queue has begun to fill since. */
static bool queue_fills(const struct hystart *h, uint32_t since_us)
{
	uint32_t margin = since_us / THRESHOLD_SHARE;

	if (since_us == NONE)
		return false;
	if (margin < THRESHOLD_MIN_US)
		margin = THRESHOLD_MIN_US;
	if (margin > THRESHOLD_MAX_US)
		margin = THRESHOLD_MAX_US;
	return h->recent_us >= since_us + margin;
}

uint32_t hystart_grow(struct hystart *h, uint32_t acked)
{
	bool careful = h->baseline_us != NONE;

	if (h->samples == SAMPLES_LEAST) {
		h->fills_on = queue_fills(h, h->baseline_us);
		if (!careful && queue_fills(h, h->last_min_us))
			h->baseline_us = h->recent_us;
		else if (careful && h->recent_us < h->baseline_us)
			h->baseline_us = NONE;
	}
	if (!careful)
		return acked;
	return h->fills_on ? 0 : acked / CAREFUL_DIVISOR;
}

bool hystart_over(struct hystart *h, uint32_t ack, uint32_t next_seq)
{
	if ((int32_t)(ack - h->round_end) < 0)
		return false;
	h->last_min_us = h->round_min_us;
	h->round_min_us = h->recent_us = NONE;
	h->samples = 0;
	h->round_end = next_seq;
	h->careful_rounds =
		h->baseline_us == NONE ? 0 : (uint8_t)(h->careful_rounds + 1);
	return h->careful_rounds >= CAREFUL_ROUNDS;
}
