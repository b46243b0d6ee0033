/* SPDX-License-Identifier: GPL-2.0-or-later */
/* openings.c - runs of data messages that workers open.
 *
 * What the socket lent is read into again, so messages are copied together:
 * those under one key, from one place, of one size but for a shorter last. Each
 * run is opened in place by a worker, several at a time; they are taken out of
 * the line in the order they came. By then the key may be gone: it is looked up
 * again. The number of runs is bounded, and the socket is not read while
 * reading might exceed it. */
#include "device.h"
#include "message.h"
#include "pages.h"
#include "workers.h"

#include <stdlib.h>

struct opening {
	struct opening *next; /* that came after it; or the next free one */
	struct wg_endpoint from;
	uint64_t keypair; /* its serial number */
	uint32_t index;	  /* and where it is found */
	uint32_t datagrams;
	uint8_t tos;
	struct work work;
	uint8_t buffer[WG_DATAGRAM_MAX];
};

static bool opening_fits(const struct opening *o, const struct keypair *k,
			 const struct message *m, const struct wg_datagrams *v)
{
	const struct work *w = &o->work;

	return o->keypair == k->serial && o->tos == v->tos &&
	       o->datagrams < WORK_DATAGRAMS_MAX && m->len <= w->segment &&
	       w->len + m->len <= sizeof o->buffer &&
	       w->len == o->datagrams * w->segment &&
	       endpoint_equal(&o->from, v->from);
}

static struct opening *opening_get(struct wg_device *d)
{
	struct opening *o = d->openings_free;

	if (o) {
		d->openings_free = o->next;
		return o;
	}
	return d->openings_open < OPENINGS_MAX ? malloc(sizeof *o) : NULL;
}

static struct opening *opening_new(struct keypair *k, const struct message *m,
				   const struct wg_datagrams *v)
{
	struct wg_device *d = k->peer->device;
	struct opening *o = opening_get(d);

	if (!o)
		return NULL;
	o->next = NULL;
	o->from = *v->from;
	o->keypair = k->serial;
	o->index = k->local_index;
	o->datagrams = 0;
	o->tos = v->tos;
	o->work = (struct work){.direction = AEAD_OPEN,
				.segment = (uint16_t)m->len,
				.bytes = o->buffer};
	memcpy(o->work.key, k->open.key, sizeof o->work.key);
	*d->openings_last = o;
	d->openings_last = &o->next;
	d->openings_open++;
	d->gathering = o;
	return o;
}

void openings_give(struct wg_device *d)
{
	struct opening *o = d->gathering;

	d->gathering = NULL;
	if (o)
		device_work(d, &o->work, o->datagrams);
}

void openings_add(struct keypair *k, const struct message *m,
		  const struct wg_datagrams *v)
{
	struct wg_device *d = k->peer->device;
	struct opening *o = d->gathering;

	if (o && !opening_fits(o, k, m, v)) {
		openings_give(d);
		o = NULL;
	}
	if (!o)
		o = opening_new(k, m, v);
	if (!o) {
		device_drop(d, k->peer, WG_DROP_NO_ROOM);
		return;
	}
	memcpy(o->buffer + o->work.len, m->bytes, m->len);
	o->work.len += (uint32_t)m->len;
	o->datagrams++;
}

static struct keypair *opening_key(struct wg_device *d, const struct opening *o)
{
	struct index_entry *e = index_find(&d->indices, o->index);
	struct keypair *k = e && e->kind == INDEX_KEYPAIR ? e->what : NULL;

	return k && k->serial == o->keypair ? k : NULL;
}

/* Datagram `i`, which is opened, or was forged. */
static void datagram_collect(struct wg_device *d, const struct opening *o,
			     unsigned i, uint64_t now_us)
{
	const struct work *w = &o->work;
	const uint8_t *message = o->buffer + (size_t)i * w->segment;
	const uint8_t *packet = message + MESSAGE_DATA_HEADER_BYTES;
	uint32_t left = w->len - i * w->segment;
	struct keypair *k = opening_key(d, o);
	struct received_data r = {.from = &o->from, .tos = o->tos};
	uint8_t empty[1];

	if (!k) {
		device_drop(d, NULL, WG_DROP_INDEX);
		return;
	}
	if (w->failed & UINT64_C(1) << i) {
		device_drop(d, k->peer, WG_DROP_AUTH);
		return;
	}
	r.counter = message_get64(
		((const struct message_data *)(const void *)message)->counter);
	r.len = left < w->segment ? left : w->segment;
	r.plain = r.len - WG_OVERHEAD;
	r.packet = r.plain ? d->ops->room(d->arg, r.plain) : empty;
	if (!r.packet) {
		device_drop(d, k->peer, WG_DROP_NO_ROOM);
		return;
	}
	memcpy(r.packet, packet, r.plain);
	receive_opened(k, &r, now_us);
}

static void opening_release(struct wg_device *d, struct opening *o)
{
	d->openings = o->next;
	if (!d->openings)
		d->openings_last = &d->openings;
	d->openings_open--;
	o->next = d->openings_free;
	d->openings_free = o;
}

void openings_collect(struct wg_device *d, uint64_t now_us)
{
	struct opening *o;

	while ((o = d->openings) != NULL && o != d->gathering &&
	       work_is_done(&o->work)) {
		for (unsigned i = 0; d->up && i < o->datagrams; i++)
			datagram_collect(d, o, i, now_us);
		opening_release(d, o);
	}
}

bool openings_spare(const struct wg_device *d)
{
	return d->openings_open + OPENINGS_SPARE <= OPENINGS_MAX;
}

void openings_trim(struct wg_device *d)
{
	for (struct opening *o = d->openings_free; o; o = o->next)
		pages_give_back(o->buffer, sizeof o->buffer);
}

void openings_fini(struct wg_device *d)
{
	struct opening *o;

	while ((o = d->openings) != NULL)
		opening_release(d, o);
	while ((o = d->openings_free) != NULL) {
		d->openings_free = o->next;
		free(o);
	}
}
