/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking for news before sleeping.
 *
 * Theory of operation: a processor that fell asleep takes 20 to 50 us to wake,
 * in a virtual machine above all, and a packet that goes through weir and back
 * pays for it four times. Where news has been coming sooner than that, and
 * little of it at a time, as when two programs ask and answer each other, the
 * loop looks for more for up to SPIN_US before it sleeps; each look lets run
 * whoever wants the processor. Looking in vain counts as a long wait, so that
 * it is soon given up. Where much comes at a time the next of it is there
 * anyway, and the time is better left to who sends it. An idle weir, or one
 * with a packet now and then, never spins. */
#include "spin.h"

#include <sched.h>

#define SPIN_US 100u
#define WAIT_MOST_US 200u /* asleep, that is with the time it takes to wake */
#define WORK_MOST_US 100u /* in a turn: more is no question and answer */
#define WAIT_COUNTED_US 1000u
#define TURNS 8u /* that the means are of */
#define MEAN_ONE 256u

void spin_init(struct spin *s)
{
	cpu_set_t cpus;

	s->alone = sched_getaffinity(0, sizeof cpus, &cpus) < 0 ||
		   CPU_COUNT(&cpus) < 2;
	s->wait = s->work = WAIT_COUNTED_US * MEAN_ONE;
}

/* Fractions of a microsecond are kept, or a mean would stop short. */
static void mean_add(uint32_t *mean, uint64_t us)
{
	uint32_t counted =
		us < WAIT_COUNTED_US ? (uint32_t)us : WAIT_COUNTED_US;

	*mean = *mean - *mean / TURNS + counted * (MEAN_ONE / TURNS);
}

void spin_note(struct spin *s, uint64_t wait_us, uint64_t work_us)
{
	bool in_vain = wait_us > SPIN_US && spin_us(s);

	mean_add(&s->wait, in_vain ? WAIT_COUNTED_US : wait_us);
	mean_add(&s->work, work_us);
}

uint32_t spin_us(const struct spin *s)
{
	if (s->alone || s->wait >= WAIT_MOST_US * MEAN_ONE ||
	    s->work >= WORK_MOST_US * MEAN_ONE)
		return 0;
	return SPIN_US;
}
