/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pace.c - segments spread over time.
 *
 * Each segment takes the time that its bytes take at the pacing rate, and the
 * next one may leave up to AHEAD_US before that has passed: the wheel cannot
 * wake us more finely than its tick. A wake-up that comes late is made up for,
 * as far as LATE_US, so that the rate is kept on the average. */
#include "pace.h"

#include "timer.h"

#define AHEAD_US 1000u
#define LATE_US (2 * WHEEL_TICK_US)

void pace_sent(struct pace *p, uint64_t rate, uint32_t bytes, uint64_t now_us)
{
	if (!rate) {
		p->next_us = 0;
		return;
	}
	if (p->next_us + LATE_US < now_us)
		p->next_us = now_us - LATE_US;
	p->next_us += bytes * 1000000ull / rate;
}

uint64_t pace_wait(const struct pace *p, uint64_t rate, uint64_t now_us)
{
	if (!rate || p->next_us <= now_us + AHEAD_US)
		return 0;
	return p->next_us - AHEAD_US;
}
