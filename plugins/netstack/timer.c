/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timer.c - the wheel that drives retransmission, delayed ACKs and expiry.
 *
 * Slots of a millisecond hold lists; a bitmap finds the next slot in use,
 * and the host's timer is set for exactly that one: an idle daemon sleeps. Most
 * timers move later again and again (each ACK moves a retransmission timer):
 * that only writes the new time, and the entry is put where it belongs when its
 * old slot comes up. */
#include "timer.h"

#define WHEEL_CLOCK_MASK ((1ull << WHEEL_CLOCK_BITS) - 1)

/* When is it due? The nearest time to the wheel's own that has these bits. */
static uint64_t wheel_due_us(const struct wheel *w, const struct wheel_timer *t)
{
	const unsigned above = 64 - WHEEL_CLOCK_BITS;
	uint64_t now_us = w->tick * WHEEL_TICK_US;

	return now_us +
	       (uint64_t)((int64_t)((t->at_us - now_us) << above) >> above);
}

static void wheel_unlink(struct wheel *w, struct wheel_timer *t)
{
	unsigned slot = t->slot;

	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	t->link = NULL;
	w->armed--;
	if (!w->slots[slot])
		w->used[slot / 64] &= ~(1ull << slot % 64);
}

/* Have the host call us at `tick`, unless it calls earlier anyway. */
static void wheel_wake_at(struct wheel *w, uint64_t tick, uint64_t now_us)
{
	uint64_t at_us = tick * WHEEL_TICK_US;

	if (w->timer_tick && w->timer_tick <= tick)
		return;
	w->timer_tick = tick;
	w->host->timer_set(w->timer, at_us > now_us ? at_us - now_us : 0);
}

/* Returns the tick of its slot. */
static uint64_t wheel_link(struct wheel *w, struct wheel_timer *t)
{
	uint64_t tick = wheel_due_us(w, t) / WHEEL_TICK_US + 1;
	unsigned slot;

	if (tick <= w->tick)
		tick = w->tick + 1;
	if (tick >= w->tick + WHEEL_SLOTS)
		tick = w->tick + WHEEL_SLOTS - 1;
	slot = tick % WHEEL_SLOTS;
	t->slot = slot;
	t->next = w->slots[slot];
	if (t->next)
		t->next->link = &t->next;
	t->link = &w->slots[slot];
	w->slots[slot] = t;
	w->used[slot / 64] |= 1ull << slot % 64;
	w->armed++;
	return tick;
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

/* Run one slot: fire what is due, move what was put off. */
static void wheel_run_slot(struct wheel *w, uint64_t tick, uint64_t now_us)
{
	struct wheel_timer **slot = &w->slots[tick % WHEEL_SLOTS];

	w->tick = tick;
	while (*slot) {
		struct wheel_timer *t = *slot;

		wheel_unlink(w, t);
		if (wheel_due_us(w, t) > now_us)
			wheel_link(w, t);
		else
			w->fire[t->user](t, now_us);
	}
}

static void wheel_fire(void *arg)
{
	struct wheel *w = arg;
	uint64_t now_us = w->host->now_us();
	uint64_t now_tick = now_us / WHEEL_TICK_US;

	w->timer_tick = 0;
	while (w->armed) {
		uint64_t tick = wheel_next(w);

		if (tick > now_tick)
			break;
		wheel_run_slot(w, tick, now_us);
	}
	if (now_tick > w->tick)
		w->tick = now_tick;
	if (w->armed)
		wheel_wake_at(w, wheel_next(w), now_us);
}

bool wheel_init(struct wheel *w, struct weir_instance *instance,
		const struct weir_host *host)
{
	memset(w, 0, sizeof *w);
	w->host = host;
	w->timer = host->timer_new(instance, wheel_fire, w);
	return w->timer;
}

void wheel_fini(struct wheel *w)
{
	if (w->timer)
		w->host->timer_free(w->timer);
	w->timer = NULL;
}

void wheel_set(struct wheel *w, struct wheel_timer *t, uint64_t at_us)
{
	uint64_t now_us, tick;

	if (t->link && at_us >= wheel_due_us(w, t)) {
		t->at_us = at_us & WHEEL_CLOCK_MASK;
		return;
	}
	if (t->link)
		wheel_unlink(w, t);
	now_us = w->host->now_us();
	if (!w->armed)
		w->tick = now_us / WHEEL_TICK_US;
	t->at_us = at_us & WHEEL_CLOCK_MASK;
	tick = wheel_link(w, t);
	wheel_wake_at(w, tick, now_us);
}

void wheel_stop(struct wheel *w, struct wheel_timer *t)
{
	if (t->link)
		wheel_unlink(w, t);
}
