/* SPDX-License-Identifier: GPL-2.0-or-later */
/* train.c - sealed datagrams on their way to the socket.
 *
 * What one system call can send: datagrams for one peer with the same ECN, of
 * the same size but for a shorter last. A train grows until something does
 * not fit or the turn ends. Its datagrams are sealed as they come, or, where
 * there are workers, all together by one of them once it grows no more. Trains
 * leave in the order they were begun; so a peer's datagrams keep theirs. When
 * the socket is full, or the first of the line is not sealed yet, they stay
 * here, and since their number is bounded the engine takes no more packets
 * then.
 *
 * A train that left is kept for the next burst; between bursts its pages go
 * back to the system. */
#include "train.h"

#include "pages.h"

#include <stdlib.h>

static void train_release(struct wg_device *d, struct train *t)
{
	if (t->peer && t->peer->train == t)
		t->peer->train = NULL;
	crypto_wipe(t->work.key, sizeof t->work.key);
	t->next = d->trains_free;
	d->trains_free = t;
	d->trains_open--;
}

/* Take the oldest train out of the line. */
static void train_unlink_first(struct wg_device *d)
{
	struct train *t = d->trains;

	d->trains = t->next;
	if (!d->trains)
		d->trains_last = &d->trains;
}

static void train_drop(struct train *t, enum wg_drop why)
{
	for (uint32_t i = 0; i < t->datagrams; i++)
		device_drop(t->peer->device, t->peer, why);
}

/* It grows no more: have it sealed, a short one here and now. */
static void train_give(struct train *t)
{
	struct wg_device *d = t->peer->device;

	t->given = true;
	if (t->peer->train == t)
		t->peer->train = NULL;
	t->work.direction = AEAD_SEAL;
	t->work.bytes = train_bytes(t);
	t->work.len = t->len;
	t->work.segment = t->segment;
	device_work(d, &t->work, t->datagrams);
}

static bool train_is_sealed(struct train *t)
{
	if (!t->given)
		train_give(t);
	return work_is_done(&t->work);
}

/* False: the socket is full. */
static bool train_send(struct wg_device *d, struct train *t)
{
	struct wg_peer *p = t->peer;
	struct wg_sent s;
	uint32_t left;

	if (t->given && t->work.failed) {
		train_drop(t, WG_DROP_FULL);
		return true;
	}
	if (!peer_has_endpoint(p)) {
		train_drop(t, WG_DROP_NO_ENDPOINT);
		return true;
	}
	left = t->len - t->gone;
	s = d->ops->send(d->arg, p, &p->endpoint, train_bytes(t) + t->gone,
			 left, left < t->segment ? (uint16_t)left : t->segment,
			 t->tos);
	t->gone += s.taken;
	p->tx_bytes += s.sent;
	if (s.taken == left)
		return true;
	d->full = true;
	return false;
}

/* Send the oldest train. False: it stays the oldest, since the socket is full
 * or it is not sealed. */
static bool train_send_first(struct wg_device *d)
{
	struct train *t = d->trains;

	if (d->workers && !train_is_sealed(t))
		return false;
	if (t->peer && !train_send(d, t))
		return false;
	train_unlink_first(d);
	train_release(d, t);
	return true;
}

/* Have all trains of the line sealed now: none waits for the one before it. */
static void trains_give(struct wg_device *d)
{
	for (struct train *t = d->trains; t; t = t->next) {
		if (!t->given)
			train_give(t);
	}
}

bool trains_flush(struct wg_device *d)
{
	d->full = false;
	if (d->workers)
		trains_give(d);
	while (d->trains) {
		if (!train_send_first(d))
			return false;
	}
	return true;
}

bool trains_spare(struct wg_device *d)
{
	while (d->trains_open > TRAINS_MAX - TRAINS_SPARE) {
		if (d->full || !train_send_first(d))
			return false;
	}
	return !d->full;
}

/* Can `len` more bytes go into the same system call? */
static bool train_fits(const struct train *t, uint32_t len, uint8_t tos)
{
	return !t->closed && t->tos == tos && len <= t->segment &&
	       t->keypair == t->peer->current->serial &&
	       t->len + len <= WG_TRAIN_MAX &&
	       t->datagrams < TRAIN_DATAGRAMS_MAX;
}

static struct train *train_new(struct wg_peer *p, uint8_t tos)
{
	struct wg_device *d = p->device;
	struct train *t;

	if (d->trains_open == TRAINS_MAX && (d->full || !train_send_first(d)))
		return NULL;
	t = d->trains_free;
	if (t)
		d->trains_free = t->next;
	else
		t = malloc(sizeof *t);
	if (!t)
		return NULL;
	t->next = NULL;
	t->peer = p;
	t->len = t->gone = t->datagrams = t->segment = 0;
	t->tos = tos;
	t->closed = t->given = false;
	*d->trains_last = t;
	d->trains_last = &t->next;
	d->trains_open++;
	p->train = t;
	device_flush_later(d);
	return t;
}

/* Which key it is sealed with. */
static void train_key(struct train *t)
{
	const struct keypair *k = t->peer->current;

	t->keypair = k->serial;
	if (t->peer->device->workers)
		memcpy(t->work.key, k->seal.key, sizeof t->work.key);
}

struct train *train_for(struct wg_peer *p, uint32_t len, uint8_t tos)
{
	struct train *t = p->train;

	if (t && t->datagrams && train_fits(t, len, tos))
		return t;
	/* A full train leaves before the end of the turn, so that the other
	 * side can begin; but not past trains that were begun before it. */
	if (t && t->datagrams) {
		if (p->device->workers)
			train_give(t);
		if (p->device->trains == t && !p->device->full)
			train_send_first(p->device);
		t = NULL;
	}
	if (!t)
		t = train_new(p, tos);
	if (t)
		train_key(t);
	return t;
}

void train_add(struct train *t, uint32_t len)
{
	if (!t->datagrams)
		t->segment = (uint16_t)len;
	t->closed = len < t->segment;
	t->len += len;
	t->datagrams++;
	t->peer->tx_packets++;
}

void trains_forget(struct wg_peer *p)
{
	struct wg_device *d = p->device;
	struct train **at = &d->trains, *t;

	while ((t = *at) != NULL) {
		if (t->peer != p) {
			at = &t->next;
			continue;
		}
		if (t->given && !work_is_done(&t->work)) {
			t->peer = NULL;
			at = &t->next;
			continue;
		}
		*at = t->next;
		train_release(d, t);
	}
	d->trains_last = at;
}

void trains_trim(struct wg_device *d)
{
	for (struct train *t = d->trains_free; t; t = t->next)
		pages_give_back(t->buffer, sizeof t->buffer);
}

bool trains_wait(const struct wg_device *d)
{
	for (struct train *t = d->trains; t; t = t->next) {
		if (t->given && !work_is_done(&t->work))
			return true;
	}
	return false;
}

void trains_fini(struct wg_device *d)
{
	struct train *t;

	while ((t = d->trains) != NULL) {
		train_unlink_first(d);
		train_release(d, t);
	}
	while ((t = d->trains_free) != NULL) {
		d->trains_free = t->next;
		free(t);
	}
}
