/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wheel.h - the timers of all peers, behind one wish to be woken. Whoever
 * embeds a timer owns it and stops it before it goes. */
#ifndef WIREGUARD_WHEEL_H
#define WIREGUARD_WHEEL_H

#include <stdbool.h>
#include <stdint.h>

#define WHEEL_TICK_US 4000u
#define WHEEL_SLOTS 4096u /* 16 s; what is later is looked at again then */
#define WHEEL_NEVER UINT64_MAX

struct timer {
	struct timer *next, **link; /* link NULL: not armed */
	uint64_t at_us;
	uint64_t tick; /* of the slot it lies in */
	void (*fire)(struct timer *t, uint64_t now_us);
};

struct wheel {
	uint64_t tick; /* everything up to here was run */
	uint32_t armed;
	bool running; /* inside wheel_run */
	struct timer *slots[WHEEL_SLOTS];
	uint64_t used[WHEEL_SLOTS / 64]; /* a bit for each slot with timers */
};

/* All zero is a wheel without timers. */

/* Fire at `at_us`, at most a tick late; moves an armed timer. Moving it later
 * is nearly free. */
void timer_set(struct wheel *w, struct timer *t, uint64_t at_us,
	       uint64_t now_us);
void timer_stop(struct wheel *w, struct timer *t);
static inline bool timer_armed(const struct timer *t)
{
	return t->link;
}

/* When the wheel must be run next, or WHEEL_NEVER. */
uint64_t wheel_next_us(const struct wheel *w);

/* Fire what is due. */
void wheel_run(struct wheel *w, uint64_t now_us);

#endif
