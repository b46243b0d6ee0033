/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.c - the engine's life, and the end of a turn.
 *
 * What comes in is worked on at once, but for handshakes, which cost a thousand
 * times as much as a packet: they wait for the end of the turn and a bounded
 * number of them is done in each. What goes out is gathered into trains until
 * then. So a burst of packets costs one system call, and a flood of handshakes
 * costs the tunnels next to it a bounded share. With workers the sealing and
 * opening of runs of packets is theirs; all else stays on this thread. */
#include "train.h"

#include <errno.h>
#include <stdlib.h>

void device_flush_later(struct wg_device *d)
{
	if (d->flush_asked)
		return;
	d->flush_asked = true;
	d->ops->flush_later(d->arg);
}

void device_event(struct wg_peer *p, enum wg_event event)
{
	p->device->ops->event(p->device->arg, p, event);
}

void device_drop(struct wg_device *d, struct wg_peer *p, enum wg_drop why)
{
	d->drops[why]++;
	if (p)
		p->drops[why]++;
}

void device_work(struct wg_device *d, struct work *work, uint32_t datagrams)
{
	work->aead = d->aead;
	atomic_store_explicit(&work->done, false, memory_order_relaxed);
	if (datagrams < WORK_LEAST)
		work_do(work);
	else
		workers_give(d->workers, work);
}

static void device_told(void *arg)
{
	struct wg_device *d = arg;

	d->ops->collect_later(d->arg);
}

/* False with errno. */
static bool workers_start(struct wg_device *d, unsigned threads)
{
	if (threads)
		d->workers = workers_new(threads, device_told, d);
	return !threads || d->workers;
}

struct wg_device *wg_new(const struct wg_conf *conf)
{
	struct wg_device *d;

	errno = ENOTSUP;
	if (!crypto_init())
		return NULL;
	d = calloc(1, sizeof *d);
	if (!d || !workers_start(d, conf->workers)) {
		free(d);
		return NULL;
	}
	d->ops = conf->ops;
	d->arg = conf->arg;
	d->aead = aead_best();
	d->mtu_bytes = conf->mtu_bytes;
	d->random = conf->random ? conf->random : &crypto_random_system;
	d->wake_us = WHEEL_NEVER;
	d->trains_last = &d->trains;
	d->openings_last = &d->openings;
	peers_init(&d->peers);
	ratelimit_init(&d->ratelimit, d->random);
	crypto_random_fill(d->random, &d->jitter, sizeof d->jitter);
	d->jitter |= 1;
	return d;
}

void wg_free(struct wg_device *d)
{
	if (!d)
		return;
	d->up = false;
	workers_free(d->workers);
	while (d->peers.first)
		peer_free(d->peers.first);
	peers_fini(&d->peers);
	trains_fini(d);
	openings_fini(d);
	inbox_fini(d);
	index_fini(&d->indices);
	allowedips_fini(&d->allowedips);
	ratelimit_fini(&d->ratelimit);
	cookie_checker_wipe(&d->checker);
	identity_wipe(&d->identity);
	crypto_wipe(d, sizeof *d);
	free(d);
}

const char *wg_aead(const struct wg_device *d, bool *replaced)
{
	*replaced = d->aead == &aead_wolfssl && d->aead != aead_all[0];
	return d->aead->name;
}

void wg_up(struct wg_device *d, uint64_t now_us)
{
	if (d->up)
		return;
	d->up = true;
	for (struct wg_peer *p = d->peers.first; p; p = p->after) {
		if (p->keepalive_s)
			send_keepalive(p, now_us);
	}
}

void wg_down(struct wg_device *d)
{
	d->up = false;
	device_end_sessions(d);
	inbox_fini(d);
}

void device_end_sessions(struct wg_device *d)
{
	for (struct wg_peer *p = d->peers.first; p; p = p->after)
		peer_reset(p);
}

bool wg_flush(struct wg_device *d, uint64_t now_us)
{
	unsigned budget = HANDSHAKES_A_TURN;
	struct wg_peer *p;

	d->flush_asked = false;
	if (!d->up)
		return true;
	inbox_run(d, &budget, now_us);
	while (budget && (p = d->wants) != NULL) {
		budget--;
		exchange_unwant(p);
		exchange_initiate(p, now_us);
	}
	if (d->inbox_count || d->wants)
		device_flush_later(d);
	if (!trains_flush(d))
		return false;
	while (d->ready && trains_spare(d))
		send_staged(d->ready, now_us);
	return trains_flush(d);
}

void wg_trim(struct wg_device *d)
{
	trains_trim(d);
	openings_trim(d);
	inbox_trim(d);
	peers_trim(&d->peers);
	allowedips_trim(&d->allowedips);
}

void wg_expire(struct wg_device *d, uint64_t now_us)
{
	d->wake_us = WHEEL_NEVER;
	wheel_run(&d->wheel, now_us);
	d->wake_us = wheel_next_us(&d->wheel);
	if (d->wake_us != WHEEL_NEVER)
		d->ops->wake_at(d->arg, d->wake_us);
}

void wg_get_keys(const struct wg_device *d, uint8_t private_key[WG_KEY_BYTES],
		 uint8_t public_key[WG_KEY_BYTES])
{
	static const struct noise_keys none;
	const struct noise_keys *keys =
		d->identity.set ? &d->identity.keys : &none;

	memcpy(private_key, keys->private_key, WG_KEY_BYTES);
	memcpy(public_key, keys->public_key, WG_KEY_BYTES);
}

const uint64_t *wg_drops(const struct wg_device *d)
{
	return d->drops;
}
