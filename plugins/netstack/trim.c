/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trim.c - memory kept for reuse goes back when it is not reused.
 *
 * Slabs and blocks of 64 KB are recycled, since fresh ones cost a page fault
 * every 4 KB. Every few seconds those that lay unused all the while are freed;
 * once none is left, nothing wakes the daemon for this. */
#include "block.h"
#include "buffer.h"

#ifdef __GLIBC__
#include <malloc.h>
#endif

#define TRIM_EVERY_US (3 * SECOND_US)
#define HEAP_SLACK (1u << 20)

static void trim_fire(struct wheel_timer *t, uint64_t now_us)
{
	struct netstack *s =
		(struct netstack *)(void *)((char *)t -
					    offsetof(struct netstack,
						     trim_timer));

	buffer_trim(s, s->slabs_idle);
	block_trim(s, s->blocks_idle);
	s->slabs_idle = s->slabs_free;
	s->blocks_idle = s->blocks_free;
	if (s->slabs_free || s->blocks_free) {
		wheel_set(&s->wheel, t, now_us + TRIM_EVERY_US);
		return;
	}
#ifdef __GLIBC__
	malloc_trim(HEAP_SLACK);
#endif
}

void trim_init(struct netstack *s)
{
	s->trim_timer.user = WHEEL_TRIM;
	s->wheel.fire[WHEEL_TRIM] = trim_fire;
}

void trim_later(struct netstack *s)
{
	if (!s->trim_timer.link)
		wheel_set(&s->wheel, &s->trim_timer,
			  stack_now_us(s) + TRIM_EVERY_US);
}

void trim_all(struct netstack *s)
{
	wheel_stop(&s->wheel, &s->trim_timer);
	buffer_trim(s, UINT32_MAX);
	block_trim(s, UINT32_MAX);
}
