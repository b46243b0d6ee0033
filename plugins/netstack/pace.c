/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pace.c - segments spread over time.
 *
 * Each segment takes the time that its bytes take at the pacing rate, and the
 * next one may leave up to AHEAD_US before that has passed: the wheel cannot
 * wake us more finely than its tick. A wake-up that comes late is made up for,
 * as far as LATE_US, so that the rate is kept on the average; time in which the
 * window held the segment back is not. No piece is larger than what PIECE_US
 * send: a queue that others keep full has room for a packet or two at a time,
 * and loses the rest of a train. */
#include "pace.h"

#include "timer.h"

#define AHEAD_US (WHEEL_TICK_US / 2)
#define LATE_US 4000u
#define PIECE_US 1000u
#define PIECE_LEAST_SEGMENTS 2u

void pace_sent(struct pace *p, uint64_t rate, uint32_t bytes, uint64_t now_us)
{
	uint64_t late_us;

	if (!rate) {
		p->next_us = 0;
		return;
	}
	late_us = p->waits ? LATE_US : 0;
	if (p->next_us + late_us < now_us)
		p->next_us = now_us - late_us;
	p->next_us += bytes * 1000000ull / rate;
}

uint64_t pace_wait(const struct pace *p, uint64_t rate, uint64_t now_us)
{
	if (!rate || p->next_us <= now_us + AHEAD_US)
		return 0;
	return p->next_us - AHEAD_US;
}

uint32_t pace_piece(uint64_t rate, uint32_t mss)
{
	uint64_t segments = rate * PIECE_US / 1000000 / mss;

	if (!rate || segments > UINT32_MAX / mss)
		return UINT32_MAX;
	if (segments < PIECE_LEAST_SEGMENTS)
		segments = PIECE_LEAST_SEGMENTS;
	return (uint32_t)segments * mss;
}
