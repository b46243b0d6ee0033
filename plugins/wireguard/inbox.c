/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inbox.c - handshakes that came in wait here for the end of the turn.
 *
 * The first MAC is checked on arrival: whoever does not know our public key
 * gets neither a place nor a reply. When the queue is long the device is under
 * load for a second: then a source must show a cookie, and each may begin only
 * so many. What passes costs us a few X25519 and is done a few a turn, so that
 * the tunnels that stand keep their share. */
#include "train.h"

#include "pages.h"

#include <stdlib.h>

struct inbox_entry {
	struct wg_endpoint from;
	uint32_t reserved;
	uint32_t len;
	uint8_t bytes[MESSAGE_INITIATION_BYTES];
};

static bool under_load(struct wg_device *d, uint64_t now_us)
{
	if (d->inbox_count >= HANDSHAKE_QUEUE_MARK)
		d->loaded_until_us = now_us + UNDER_LOAD_US;
	return now_us < d->loaded_until_us;
}

/* Each reply costs a system call and more: many clients at once get theirs, a
 * flood only so many a second. Time is counted instead of tokens: the bucket
 * is empty as long as what was given reaches too far ahead. */
static bool may_send_cookie(const struct wg_device *d, uint64_t now_us)
{
	return d->cookies_until_us <= now_us + COOKIES_AHEAD_US;
}

static void send_cookie(struct wg_device *d, const struct message *m,
			const struct wg_endpoint *from, uint64_t now_us)
{
	struct {
		uint8_t headroom[WG_HEADROOM];
		struct message_cookie_reply reply;
		uint8_t tail[WG_TAIL];
	} out;
	struct wg_sent s;

	if (d->cookies_until_us < now_us)
		d->cookies_until_us = now_us;
	d->cookies_until_us += SECOND_US / COOKIES_A_SECOND;
	cookie_reply(&d->checker, m, &from->addr, now_us, d->random,
		     &out.reply);
	s = d->ops->send(d->arg, NULL, from, (uint8_t *)&out.reply,
			 sizeof out.reply, sizeof out.reply, HANDSHAKE_TOS);
	if (s.taken < sizeof out.reply)
		device_drop(d, NULL, WG_DROP_FULL);
}

/* A message that could only be turned away is not worth computing a MAC. */
static bool is_hopeless(const struct wg_device *d, const struct message *m,
			bool loaded, uint64_t now_us)
{
	return d->inbox_count == HANDSHAKE_QUEUE_MAX ||
	       (loaded && !cookie_is_shown(m) && !may_send_cookie(d, now_us));
}

uint64_t wg_sources_full(const struct wg_device *d)
{
	return d->ratelimit.full;
}

/* May this message wait for its turn? False: dropped and counted. */
static bool inbox_admit(struct wg_device *d, const struct message *m,
			const struct wg_endpoint *from, uint64_t now_us)
{
	enum cookie_verdict verdict;
	enum wg_drop why = WG_DROP_QUEUE;
	bool loaded = under_load(d, now_us);

	if (is_hopeless(d, m, loaded, now_us))
		goto out;
	verdict = cookie_check(&d->checker, m, &from->addr, now_us);
	if (verdict == COOKIE_FORGED) {
		why = WG_DROP_MAC1;
	} else if (!loaded) {
		return true;
	} else if (verdict == COOKIE_PROVEN) {
		if (ratelimit_allow(&d->ratelimit, &from->addr, now_us))
			return true;
		why = WG_DROP_RATE;
	} else if (may_send_cookie(d, now_us)) {
		why = WG_DROP_COOKIE;
		send_cookie(d, m, from, now_us);
	}
out:
	device_drop(d, NULL, why);
	return false;
}

void inbox_put(struct wg_device *d, const struct message *m,
	       const struct wg_endpoint *from, uint64_t now_us)
{
	struct inbox_entry *e;

	if (!d->identity.set) {
		device_drop(d, NULL, WG_DROP_HANDSHAKE);
		return;
	}
	if (!inbox_admit(d, m, from, now_us))
		return;
	if (!d->inbox)
		d->inbox = calloc(HANDSHAKE_QUEUE_MAX, sizeof *d->inbox);
	if (!d->inbox) {
		device_drop(d, NULL, WG_DROP_QUEUE);
		return;
	}
	if (!d->inbox_count)
		d->inbox_first = 0; /* so that few pages are ever touched */
	e = &d->inbox[(d->inbox_first + d->inbox_count++) %
		      HANDSHAKE_QUEUE_MAX];
	e->from = *from;
	e->reserved = m->reserved;
	e->len = (uint32_t)m->len;
	memcpy(e->bytes, m->bytes, m->len);
	device_flush_later(d);
}

void inbox_run(struct wg_device *d, unsigned *budget, uint64_t now_us)
{
	while (*budget && d->inbox_count) {
		struct inbox_entry e = d->inbox[d->inbox_first];
		struct message m;

		d->inbox_first = (d->inbox_first + 1) % HANDSHAKE_QUEUE_MAX;
		d->inbox_count--;
		(*budget)--;
		message_parse(e.bytes, e.len, &m);
		m.reserved = e.reserved;
		if (m.type == MESSAGE_INITIATION)
			exchange_initiation(d, &m, &e.from, now_us);
		else
			exchange_response(d, &m, &e.from, now_us);
	}
}

void inbox_trim(struct wg_device *d)
{
	if (d->inbox && !d->inbox_count)
		pages_give_back(d->inbox,
				HANDSHAKE_QUEUE_MAX * sizeof *d->inbox);
}

void inbox_fini(struct wg_device *d)
{
	free(d->inbox);
	d->inbox = NULL;
	d->inbox_first = d->inbox_count = 0;
}
