/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timer.h - a timing wheel on top of one timer of the host. Whoever embeds a
 * wheel_timer owns it and stops it before it goes. */
#ifndef NETSTACK_TIMER_H
#define NETSTACK_TIMER_H

#include <weir/host.h>

#define WHEEL_TICK_US 1000u
#define WHEEL_SLOTS 16384u /* 16 s; what is later is looked at again then */

/* No timer is two years away, so these bits of the clock tell when it is. */
#define WHEEL_CLOCK_BITS 47

/* Whose timer: what is called when it is due. */
enum wheel_user { WHEEL_CONN, WHEEL_FRAGMENTS, WHEEL_TRIM, WHEEL_USERS };

struct wheel_timer {
	struct wheel_timer *next, **link;  /* link NULL: not armed */
	uint64_t at_us : WHEEL_CLOCK_BITS; /* the low bits of it */
	uint64_t slot : 14;		   /* it lies in */
	uint64_t user : 3;		   /* enum wheel_user */
};
_Static_assert(WHEEL_SLOTS <= 1u << 14 && WHEEL_USERS <= 1u << 3,
	       "a wheel_timer has no room for it");

/* The clock in milliseconds, its low half, but never 0. */
static inline uint32_t clock_ms(uint64_t now_us)
{
	uint32_t now_ms = (uint32_t)(now_us / 1000);

	return now_ms + !now_ms;
}

struct wheel {
	const struct weir_host *host;
	struct weir_timer *timer;
	uint64_t tick;	     /* everything up to here was run */
	uint64_t timer_tick; /* when the host's timer fires; 0: stopped */
	uint32_t armed;
	void (*fire[WHEEL_USERS])(struct wheel_timer *, uint64_t now_us);
	struct wheel_timer *slots[WHEEL_SLOTS];
	uint64_t used[WHEEL_SLOTS / 64]; /* a bit for each slot with timers */
};

/* The users set their `fire` after this. */
bool wheel_init(struct wheel *w, struct weir_instance *instance,
		const struct weir_host *host);
void wheel_fini(struct wheel *w);

/* Fire at `at_us` of the host's clock, at most a tick late; moves an armed
 * timer. Moving it later is nearly free. */
void wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t at_us);
void wheel_stop(struct wheel *w, struct wheel_timer *t);

#endif
