/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A loop's timers.
 *
 * Theory of operation: a binary heap, the soonest on top; each timer knows its
 * place, so that it can be taken out from anywhere. Every session has a timer:
 * one of libevent's takes three times the memory. */
#include "timers.h"

#include "util.h"

#include <assert.h>
#include <stdlib.h>

#define ROOM_LEAST 64

struct loop_timer *timers_first(const struct timers *h)
{
	return h->count ? h->heap[1] : NULL;
}

static void place(struct timers *h, uint32_t at, struct loop_timer *t)
{
	h->heap[at] = t;
	t->place = at;
}

static void sift_up(struct timers *h, uint32_t at, struct loop_timer *t)
{
	for (; at > 1 && h->heap[at / 2]->due_us > t->due_us; at /= 2)
		place(h, at, h->heap[at / 2]);
	place(h, at, t);
}

static void sift_down(struct timers *h, uint32_t at, struct loop_timer *t)
{
	for (uint32_t child; (child = 2 * at) <= h->count; at = child) {
		if (child < h->count &&
		    h->heap[child + 1]->due_us < h->heap[child]->due_us)
			child++;
		if (h->heap[child]->due_us >= t->due_us)
			break;
		place(h, at, h->heap[child]);
	}
	place(h, at, t);
}

static void grow(struct timers *h)
{
	h->room = h->room ? 2 * h->room : ROOM_LEAST;
	h->heap = must(realloc(h->heap, (h->room + 1) * sizeof *h->heap));
}

void timers_put(struct timers *h, struct loop_timer *t, uint64_t due_us)
{
	if (h->count == h->room)
		grow(h);
	t->due_us = due_us;
	sift_up(h, ++h->count, t);
}

void timers_remove(struct timers *h, struct loop_timer *t)
{
	struct loop_timer *last;
	uint32_t at = t->place;

	if (!at)
		return;
	t->place = 0;
	last = h->heap[h->count--];
	if (last == t)
		return;
	if (at > 1 && h->heap[at / 2]->due_us > last->due_us)
		sift_up(h, at, last);
	else
		sift_down(h, at, last);
}

void timers_fini(struct timers *h)
{
	assert(!h->count); /* every owner was swept */
	free(h->heap);
}
