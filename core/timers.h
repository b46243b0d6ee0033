/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timers.h - what a loop keeps of its timers; private to loop.c. */
#ifndef WEIR_CORE_TIMERS_H
#define WEIR_CORE_TIMERS_H

#include <stdint.h>

struct loop;

struct loop_timer {
	struct loop_timer *next, **link; /* of its owner's */
	struct loop *loop;
	uint64_t due_us;
	void (*fire)(void *);
	void *arg;
	uint32_t place; /* in the heap, from 1 on; 0: it is not set */
};

struct timers {
	struct loop_timer **heap; /* from 1 on */
	uint32_t count, room;
};

/* The one that is due first; NULL where none is set. */
struct loop_timer *timers_first(const struct timers *);
/* It is not set. */
void timers_put(struct timers *, struct loop_timer *, uint64_t due_us);
void timers_remove(struct timers *, struct loop_timer *); /* if it is set */
void timers_fini(struct timers *);

#endif
