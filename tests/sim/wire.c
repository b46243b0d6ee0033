/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wire.c - packets on their way between two links.
 *
 * A heap in the order of their arrival: thousands are under way on a long
 * path. Of two that arrive at once the one sent first is first. */
#include "sim.h"

#include <assert.h>
#include <stdlib.h>

static bool before(const struct sim_packet *a, const struct sim_packet *b)
{
	return a->at_us < b->at_us ||
	       (a->at_us == b->at_us && a->number < b->number);
}

static void heap_put(struct sim_wire *w, struct sim_packet *p)
{
	size_t at = w->n++;

	if (w->n > w->room) {
		w->room = w->room ? 2 * w->room : 1024;
		w->heap =
			realloc(w->heap, w->room * sizeof(struct sim_packet *));
		assert(w->heap);
	}
	for (; at && before(p, w->heap[(at - 1) / 2]); at = (at - 1) / 2)
		w->heap[at] = w->heap[(at - 1) / 2];
	w->heap[at] = p;
}

struct sim_packet *wire_first(const struct sim_wire *w)
{
	return w->n ? w->heap[0] : NULL;
}

struct sim_packet *wire_take(struct sim_wire *w)
{
	struct sim_packet *first = w->heap[0], *last = w->heap[--w->n];
	size_t at = 0, child;

	while ((child = 2 * at + 1) < w->n) {
		if (child + 1 < w->n &&
		    before(w->heap[child + 1], w->heap[child]))
			child++;
		if (!before(w->heap[child], last))
			break;
		w->heap[at] = w->heap[child];
		at = child;
	}
	w->heap[at] = last;
	return first;
}

void wire_free(struct sim_wire *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->heap[i]);
	free(w->heap);
	*w = (struct sim_wire){0};
}

double sim_random(void)
{
	sim.random ^= sim.random << 13;
	sim.random ^= sim.random >> 7;
	sim.random ^= sim.random << 17;
	return (double)(sim.random >> 11) / 9007199254740992.0;
}

void sim_connect(struct sim_link *a, struct sim_link *b, uint64_t delay_us)
{
	a->far = b;
	b->far = a;
	a->delay_us = b->delay_us = delay_us;
}

/* Loss, then the queue of a line with a rate, then the delay. */
bool wire_carries(struct sim_link *from, uint32_t len, uint64_t *at_us)
{
	if (from->busy_us < sim.now_us)
		from->busy_us = sim.now_us;
	if (sim_random() < from->loss ||
	    (from->rate && from->busy_us - sim.now_us > from->queue_us)) {
		from->lost++;
		return false;
	}
	if (from->rate) {
		uint64_t units = len * 1000000ull + from->rest;

		from->busy_us += units / from->rate;
		from->rest = units % from->rate;
	}
	*at_us = from->busy_us + from->delay_us;
	if (sim_random() < from->reorder)
		*at_us += from->reorder_us ? from->reorder_us
					   : from->delay_us / 4 + 1000;
	return true;
}

void wire_add(struct sim_wire *w, struct sim_packet *p)
{
	p->number = w->number++;
	heap_put(w, p);
}

void wire_put(struct sim_wire *w, struct sim_link *from, struct sim_packet *p)
{
	if (!wire_carries(from, p->len, &p->at_us)) {
		free(p);
		return;
	}
	p->to = from->far;
	wire_add(w, p);
}
