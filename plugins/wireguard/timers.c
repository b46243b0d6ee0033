/* SPDX-License-Identifier: GPL-2.0-or-later */
/* timers.c - the five events of a peer, in the shape that every implementation
 * shares, so that two of them never wait for each other.
 *
 * Data sent must be heard of within 15 s, or a handshake begins. Data received
 * is answered by something within 10 s, a keepalive if need be. An initiation
 * is repeated every 5 s, 18 times. Keys go 540 s after the last new ones. The
 * persistent keepalive comes when nothing authenticated has passed for long. */
#include "device.h"

static void timer_arm(struct wg_peer *p, enum peer_timer which, uint64_t in_us,
		      uint64_t now_us)
{
	struct wg_device *d = p->device;
	struct timer *t = &p->timers[which];
	uint64_t wake_us;

	timer_set(&d->wheel, t, now_us + in_us, now_us);
	wake_us = t->tick * WHEEL_TICK_US;
	if (d->wheel.running || wake_us >= d->wake_us)
		return;
	d->wake_us = wake_us;
	d->ops->wake_at(d->arg, wake_us);
}

static void timer_disarm(struct wg_peer *p, enum peer_timer which)
{
	timer_stop(&p->device->wheel, &p->timers[which]);
}

/* So that two peers that began together do not go on doing so. No secret
 * hangs on it, and asking the kernel for every burst would cost more than the
 * timer (xorshift, Marsaglia). */
static uint64_t jitter_us(struct wg_peer *p)
{
	uint64_t x = p->device->jitter;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	p->device->jitter = x;
	return x % (REKEY_JITTER_US + 1);
}

static void give_up(struct wg_peer *p, uint64_t now_us)
{
	timer_disarm(p, TIMER_KEEPALIVE);
	exchange_clear(p);
	staged_clear(p, WG_DROP_GAVE_UP);
	p->awaits_endpoint = false;
	if (!timer_armed(&p->timers[TIMER_ZERO_KEYS]))
		timer_arm(p, TIMER_ZERO_KEYS, ZERO_KEYS_US, now_us);
	device_event(p, WG_EVENT_GAVE_UP);
}

static void fire_retransmit(struct wg_peer *p, uint64_t now_us)
{
	if (p->attempts >= REKEY_ATTEMPTS) {
		give_up(p, now_us);
		return;
	}
	wg_peer_clear_source(p);
	exchange_want(p, true, now_us);
}

static void fire_keepalive(struct wg_peer *p, uint64_t now_us)
{
	bool another = p->another_keepalive;

	send_keepalive(p, now_us); /* forgets it, like all that is sent */
	if (another)
		timer_arm(p, TIMER_KEEPALIVE, KEEPALIVE_TIMEOUT_US, now_us);
}

static void fire_new_handshake(struct wg_peer *p, uint64_t now_us)
{
	wg_peer_clear_source(p);
	p->silent = true;
	exchange_want(p, false, now_us);
}

static void fire_zero_keys(struct wg_peer *p, uint64_t now_us)
{
	(void)now_us;
	exchange_clear(p);
	keypair_clear_all(p);
}

/* The timers stood still with the clock and go on where they were; only keys
 * get older. */
void wg_slept(struct wg_device *d, uint64_t slept_us)
{
	for (struct wg_peer *p = d->peers.first; p; p = p->after) {
		keypair_age_all(p, slept_us);
		if (slept_us >= ZERO_KEYS_US)
			fire_zero_keys(p, 0);
	}
}

static void fire_persistent(struct wg_peer *p, uint64_t now_us)
{
	send_keepalive(p, now_us);
	/* Nothing was sent, for want of a key or an endpoint: try again. */
	if (!timer_armed(&p->timers[TIMER_PERSISTENT]))
		timer_arm(p, TIMER_PERSISTENT, p->keepalive_s * SECOND_US,
			  now_us);
}

#define PEER_OF_TIMER(t, which)                                                \
	((struct wg_peer *)(void *)((char *)((t) - (which)) -                  \
				    offsetof(struct wg_peer, timers)))

#define TIMER_ENTRY(name, which, handler)                                      \
	static void name(struct timer *t, uint64_t now_us)                     \
	{                                                                      \
		handler(PEER_OF_TIMER(t, which), now_us);                      \
	}
TIMER_ENTRY(on_retransmit, TIMER_RETRANSMIT, fire_retransmit)
TIMER_ENTRY(on_keepalive, TIMER_KEEPALIVE, fire_keepalive)
TIMER_ENTRY(on_new_handshake, TIMER_NEW_HANDSHAKE, fire_new_handshake)
TIMER_ENTRY(on_zero_keys, TIMER_ZERO_KEYS, fire_zero_keys)
TIMER_ENTRY(on_persistent, TIMER_PERSISTENT, fire_persistent)

void timers_init(struct wg_peer *p)
{
	p->timers[TIMER_RETRANSMIT].fire = on_retransmit;
	p->timers[TIMER_KEEPALIVE].fire = on_keepalive;
	p->timers[TIMER_NEW_HANDSHAKE].fire = on_new_handshake;
	p->timers[TIMER_ZERO_KEYS].fire = on_zero_keys;
	p->timers[TIMER_PERSISTENT].fire = on_persistent;
}

void timers_stop(struct wg_peer *p)
{
	for (unsigned i = 0; i < PEER_TIMERS; i++)
		timer_disarm(p, i);
	p->another_keepalive = false;
}

/* Switched off, its timer must stop: while it runs a later interval would not
 * start it anew. */
void timers_set_keepalive(struct wg_peer *p, uint16_t keepalive_s)
{
	p->keepalive_s = keepalive_s;
	if (!keepalive_s)
		timer_disarm(p, TIMER_PERSISTENT);
}

void timers_data_sent(struct wg_peer *p, uint64_t now_us)
{
	if (!timer_armed(&p->timers[TIMER_NEW_HANDSHAKE]))
		timer_arm(p, TIMER_NEW_HANDSHAKE, SILENCE_US + jitter_us(p),
			  now_us);
}

void timers_data_received(struct wg_peer *p, uint64_t now_us)
{
	if (timer_armed(&p->timers[TIMER_KEEPALIVE]))
		p->another_keepalive = true;
	else
		timer_arm(p, TIMER_KEEPALIVE, KEEPALIVE_TIMEOUT_US, now_us);
}

/* Anything authenticated has passed, in or out. */
static void timers_traversal(struct wg_peer *p, uint64_t now_us)
{
	p->passed_us = now_us;
	if (p->keepalive_s)
		timer_arm(p, TIMER_PERSISTENT, p->keepalive_s * SECOND_US,
			  now_us);
}

void timers_authenticated_sent(struct wg_peer *p, uint64_t now_us)
{
	timer_disarm(p, TIMER_KEEPALIVE);
	p->another_keepalive = false;
	timers_traversal(p, now_us);
}

void timers_authenticated_received(struct wg_peer *p, uint64_t now_us)
{
	timer_disarm(p, TIMER_NEW_HANDSHAKE);
	timers_traversal(p, now_us);
}

void timers_initiated(struct wg_peer *p, uint64_t now_us)
{
	timer_arm(p, TIMER_RETRANSMIT, REKEY_TIMEOUT_US + jitter_us(p), now_us);
	timers_traversal(p, now_us); /* also where there was no endpoint */
}

void timers_session_derived(struct wg_peer *p, uint64_t now_us)
{
	timer_arm(p, TIMER_ZERO_KEYS, ZERO_KEYS_US, now_us);
}

void timers_handshake_complete(struct wg_peer *p)
{
	struct wg_device *d = p->device;

	timer_disarm(p, TIMER_RETRANSMIT);
	exchange_unwant(p);
	p->attempts = 0;
	p->sent_last_minute = false;
	d->ops->wall(d->arg, &p->last_handshake);
	device_event(p, WG_EVENT_HANDSHAKE);
}
