/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wheel.c - five timers a peer, ten thousand peers.
 *
 * Slots of 4 ms hold lists and a bitmap finds the next slot in use. Most
 * timers are moved later by every packet: that only writes the new time, and
 * the entry is put where it belongs when its old slot comes up. */
#include "wheel.h"

#include <stddef.h>

static void wheel_unlink(struct wheel *w, struct timer *t)
{
	unsigned slot = t->tick % WHEEL_SLOTS;

	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	t->link = NULL;
	w->armed--;
	if (!w->slots[slot])
		w->used[slot / 64] &= ~(1ull << slot % 64);
}

static void wheel_link(struct wheel *w, struct timer *t)
{
	uint64_t tick = t->at_us / WHEEL_TICK_US + 1;
	unsigned slot;

	if (tick <= w->tick)
		tick = w->tick + 1;
	if (tick >= w->tick + WHEEL_SLOTS)
		tick = w->tick + WHEEL_SLOTS - 1;
	slot = tick % WHEEL_SLOTS;
	t->tick = tick;
	t->next = w->slots[slot];
	if (t->next)
		t->next->link = &t->next;
	t->link = &w->slots[slot];
	w->slots[slot] = t;
	w->used[slot / 64] |= 1ull << slot % 64;
	w->armed++;
}

void timer_set(struct wheel *w, struct timer *t, uint64_t at_us,
	       uint64_t now_us)
{
	if (t->link && at_us >= t->at_us) {
		t->at_us = at_us;
		return;
	}
	if (t->link)
		wheel_unlink(w, t);
	if (!w->armed && !w->running)
		w->tick = now_us / WHEEL_TICK_US;
	t->at_us = at_us;
	wheel_link(w, t);
}

void timer_stop(struct wheel *w, struct timer *t)
{
	if (t->link)
		wheel_unlink(w, t);
}

/* The tick of the first slot in use; something is armed. */
static uint64_t wheel_next(const struct wheel *w)
{
	uint64_t tick = w->tick + 1;

	for (;;) {
		unsigned slot = tick % WHEEL_SLOTS;
		uint64_t word = w->used[slot / 64] >> slot % 64;

		if (word)
			return tick + (unsigned)__builtin_ctzll(word);
		tick += 64 - slot % 64;
	}
}

uint64_t wheel_next_us(const struct wheel *w)
{
	return w->armed ? wheel_next(w) * WHEEL_TICK_US : WHEEL_NEVER;
}

/* Run one slot: fire what is due, move what was put off. */
static void wheel_run_slot(struct wheel *w, uint64_t tick, uint64_t now_us)
{
	struct timer **slot = &w->slots[tick % WHEEL_SLOTS];

	w->tick = tick;
	while (*slot) {
		struct timer *t = *slot;

		wheel_unlink(w, t);
		if (t->at_us > now_us)
			wheel_link(w, t);
		else
			t->fire(t, now_us);
	}
}

void wheel_run(struct wheel *w, uint64_t now_us)
{
	uint64_t now_tick = now_us / WHEEL_TICK_US;

	w->running = true;
	while (w->armed) {
		uint64_t tick = wheel_next(w);

		if (tick > now_tick)
			break;
		wheel_run_slot(w, tick, now_us);
	}
	w->running = false;
	if (now_tick > w->tick)
		w->tick = now_tick;
}
