/* SPDX-License-Identifier: GPL-2.0-or-later */
/* train.c - sealed datagrams on their way to the socket.
 *
 * What one system call can send: datagrams for one peer with the same ECN, of
 * the same size but for a shorter last. A train grows until something does
 * not fit or the turn ends. Trains leave in the order they were begun; so a
 * peer's datagrams keep theirs. When the socket is full they stay here, and
 * since their number is bounded the engine takes no more packets then.
 *
 * A train that left is kept for the next burst; between bursts its pages go
 * back to the system. */
#include "train.h"

#include "pages.h"

#include <stdlib.h>

static void train_release(struct train *t)
{
	struct wg_device *d = t->peer->device;

	if (t->peer->train == t)
		t->peer->train = NULL;
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

/* Send the oldest train. False: the socket is full, it stays the oldest. */
static bool train_send_first(struct wg_device *d)
{
	struct train *t = d->trains;
	struct wg_peer *p = t->peer;

	if (!peer_has_endpoint(p)) {
		for (uint32_t i = 0; i < t->datagrams; i++)
			device_drop(d, p, WG_DROP_NO_ENDPOINT);
	} else {
		if (!d->ops->send(d->arg, p, &p->endpoint, train_bytes(t),
				  t->len, t->segment, t->tos)) {
			d->full = true;
			return false;
		}
		p->tx_bytes += t->len;
	}
	train_unlink_first(d);
	train_release(t);
	return true;
}

bool trains_flush(struct wg_device *d)
{
	d->full = false;
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
	       t->len + len <= WG_TRAIN_MAX &&
	       t->datagrams < TRAIN_DATAGRAMS_MAX;
}

static struct train *train_new(struct wg_peer *p, uint8_t tos)
{
	struct wg_device *d = p->device;
	struct train *t = d->trains_free;

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
	t->len = t->datagrams = t->segment = 0;
	t->tos = tos;
	t->closed = false;
	*d->trains_last = t;
	d->trains_last = &t->next;
	d->trains_open++;
	p->train = t;
	device_flush_later(d);
	return t;
}

struct train *train_for(struct wg_peer *p, uint32_t len, uint8_t tos)
{
	struct train *t = p->train;

	if (t && (t->datagrams == 0 || train_fits(t, len, tos)))
		return t;
	/* A whole train need not wait for the end of the turn, which lets the
	 * other side begin; but the others before it must not be overtaken. */
	if (t && p->device->trains == t && !p->device->full)
		train_send_first(p->device);
	return train_new(p, tos);
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
		*at = t->next;
		train_release(t);
	}
	d->trains_last = at;
}

void trains_trim(struct wg_device *d)
{
	for (struct train *t = d->trains_free; t; t = t->next)
		pages_give_back(t->buffer, sizeof t->buffer);
}

void trains_fini(struct wg_device *d)
{
	struct train *t;

	while ((t = d->trains_free) != NULL) {
		d->trains_free = t->next;
		free(t);
	}
}
