/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exchange.c - handshakes: begun, answered, finished.
 *
 * Who wants one says exchange_want; at the end of the turn it goes out. An
 * initiation that comes in is worked on in a copy, so that the attempt which we
 * have under way survives: when both sides begin at once both sessions come up
 * and either will do. Nothing of a peer changes before a message has proven
 * that it is the peer's. */
#include "train.h"

#include <utlist.h>

/* A message with the room around it that ops.send promises. */
struct outgoing {
	uint8_t headroom[WG_HEADROOM];
	union {
		struct message_initiation initiation;
		struct message_response response;
	};
	uint8_t tail[WG_TAIL];
};

void exchange_unwant(struct wg_peer *p)
{
	if (!p->wants_handshake)
		return;
	p->wants_handshake = false;
	DL_DELETE2(p->device->wants, p, wants_prev, wants_next);
}

static void exchange_enqueue(struct wg_peer *p)
{
	if (p->wants_handshake)
		return;
	p->wants_handshake = true;
	DL_APPEND2(p->device->wants, p, wants_prev, wants_next);
	device_flush_later(p->device);
}

void exchange_want(struct wg_peer *p, bool retry, uint64_t now_us)
{
	if (!p->device->up)
		return;
	if (!retry)
		p->attempts = 0;
	if (p->initiated_us && now_us - p->initiated_us < REKEY_TIMEOUT_US)
		return;
	if (!retry && p->awaits_endpoint)
		return; /* its timer tries again */
	if (!p->wants_handshake)
		p->retry = retry;
	exchange_enqueue(p);
}

void exchange_want_now(struct wg_peer *p)
{
	if (!p->device->up)
		return;
	p->retry = p->attempts > 0;
	exchange_enqueue(p);
}

void exchange_clear(struct wg_peer *p)
{
	if (p->handshake_indexed)
		index_remove(&p->device->indices, p->handshake.local_index);
	p->handshake_indexed = false;
	handshake_wipe(&p->handshake);
}

/* The DH of both static keys is made when it is needed first: ten thousand
 * peers at once would hold up the loop. */
static bool remote_ready(struct wg_peer *p)
{
	return p->remote.usable ||
	       remote_rekey(&p->remote, &p->device->identity);
}

/* Sign and send one of the two messages, `len` bytes. */
static void exchange_send(struct wg_peer *p, struct outgoing *out, uint16_t len,
			  uint64_t now_us)
{
	struct wg_device *d = p->device;
	uint8_t *message = (uint8_t *)&out->initiation;
	struct wg_sent s;

	cookie_sign(&p->jar, message, len, now_us);
	message_set_reserved(message, p->reserved);
	p->initiated_us = now_us;
	timers_authenticated_sent(p, now_us);
	s = d->ops->send(d->arg, p, &p->endpoint, message, len, len,
			 HANDSHAKE_TOS);
	p->tx_bytes += s.sent;
	if (s.taken < len)
		device_drop(d, p, WG_DROP_FULL);
}

/* A peer accepts only a stamp later than the last one, so a clock that was set
 * back is not followed. Initiations are 5 s apart, so counting on from the last
 * stamp never runs ahead of the time. */
static void exchange_stamp(struct wg_peer *p, struct timespec *wall)
{
	p->device->ops->wall(p->device->arg, wall);
	if (wall->tv_sec < p->stamped.tv_sec ||
	    (wall->tv_sec == p->stamped.tv_sec &&
	     wall->tv_nsec < p->stamped.tv_nsec)) {
		*wall = p->stamped;
		wall->tv_sec++;
	}
	p->stamped = *wall;
}

static bool exchange_make(struct wg_peer *p, struct message_initiation *out)
{
	struct wg_device *d = p->device;
	struct timespec wall;
	uint32_t index;

	exchange_clear(p);
	if (!remote_ready(p) ||
	    !index_new(&d->indices, d->random, INDEX_HANDSHAKE, p, &index))
		return false;
	exchange_stamp(p, &wall);
	if (!handshake_initiate(&p->handshake, &d->identity, &p->remote, &wall,
				index, d->random, out)) {
		index_remove(&d->indices, index);
		return false;
	}
	p->handshake_indexed = true;
	return true;
}

void exchange_initiate(struct wg_peer *p, uint64_t now_us)
{
	struct outgoing out;

	device_event(p,
		     p->retry || p->silent ? WG_EVENT_RETRY : WG_EVENT_START);
	p->silent = false;
	p->attempts++;
	timers_initiated(p, now_us);
	p->awaits_endpoint = !peer_has_endpoint(p);
	if (p->awaits_endpoint)
		device_drop(p->device, p, WG_DROP_NO_ENDPOINT);
	else if (!exchange_make(p, &out.initiation))
		device_drop(p->device, p, WG_DROP_HANDSHAKE);
	else
		exchange_send(p, &out, sizeof out.initiation, now_us);
}

/* The second message and the session that begins with it. */
static bool exchange_answer(struct wg_peer *p, struct handshake *h,
			    uint64_t now_us)
{
	struct wg_device *d = p->device;
	struct outgoing out;
	uint32_t index;

	if (!index_new(&d->indices, d->random, INDEX_HANDSHAKE, p, &index))
		return false;
	if (!handshake_respond(h, &p->remote, index, d->random,
			       &out.response) ||
	    !keypair_begin(p, h, false, now_us)) {
		index_remove(&d->indices, index);
		return false;
	}
	timers_session_derived(p, now_us);
	exchange_send(p, &out, sizeof out.response, now_us);
	return true;
}

/* Whose initiation is it? NULL: nobody's, or it is out of time. */
static struct wg_peer *exchange_read(struct wg_device *d, struct handshake *h,
				     const struct message *m, uint64_t now_us)
{
	static const enum wg_drop reasons[] = {
		[HANDSHAKE_FORGED] = WG_DROP_HANDSHAKE,
		[HANDSHAKE_REPLAY] = WG_DROP_REPLAYED,
		[HANDSHAKE_FLOOD] = WG_DROP_EARLY,
	};
	uint8_t theirs[WG_KEY_BYTES];
	struct wg_peer *p = NULL;
	enum handshake_verdict verdict;

	if (handshake_read_static(h, &d->identity, m->initiation, theirs))
		p = wg_peer_find(d, theirs);
	if (!p || !remote_ready(p)) {
		device_drop(d, p, WG_DROP_HANDSHAKE);
		return NULL;
	}
	if (!receive_reserved_ok(p, m)) {
		device_drop(d, p, WG_DROP_RESERVED);
		return NULL;
	}
	verdict =
		handshake_read_timestamp(h, &p->remote, m->initiation, now_us);
	if (verdict == HANDSHAKE_OK)
		return p;
	device_drop(d, p, reasons[verdict]);
	return NULL;
}

void exchange_initiation(struct wg_device *d, const struct message *m,
			 const struct wg_endpoint *from, uint64_t now_us)
{
	struct handshake h = {0};
	struct wg_peer *p = exchange_read(d, &h, m, now_us);

	if (p) {
		p->rx_bytes += m->len;
		peer_heard_from(p, from);
		timers_authenticated_received(p, now_us);
		if (!exchange_answer(p, &h, now_us))
			device_drop(d, p, WG_DROP_HANDSHAKE);
	}
	handshake_wipe(&h);
}

void exchange_response(struct wg_device *d, const struct message *m,
		       const struct wg_endpoint *from, uint64_t now_us)
{
	struct index_entry *e = index_find(&d->indices, m->receiver);
	struct wg_peer *p;

	if (!e || e->kind != INDEX_HANDSHAKE) {
		device_drop(d, NULL, WG_DROP_INDEX);
		return;
	}
	p = e->what;
	if (!receive_reserved_ok(p, m)) {
		device_drop(d, p, WG_DROP_RESERVED);
		return;
	}
	if (!handshake_finish(&p->handshake, &d->identity, &p->remote,
			      m->response) ||
	    !keypair_begin(p, &p->handshake, true, now_us)) {
		device_drop(d, p, WG_DROP_HANDSHAKE);
		return;
	}
	p->handshake_indexed = false; /* the keypair's now */
	p->rx_bytes += m->len;
	peer_heard_from(p, from);
	timers_authenticated_received(p, now_us);
	timers_session_derived(p, now_us);
	timers_handshake_complete(p);
	send_keepalive(p, now_us);
}

void exchange_cookie_reply(struct wg_device *d, const struct message *m,
			   uint64_t now_us)
{
	struct index_entry *e = index_find(&d->indices, m->receiver);
	struct wg_peer *p;

	if (!e) {
		device_drop(d, NULL, WG_DROP_INDEX);
		return;
	}
	p = e->kind == INDEX_HANDSHAKE ? e->what
				       : ((struct keypair *)e->what)->peer;
	if (!receive_reserved_ok(p, m))
		device_drop(d, p, WG_DROP_RESERVED);
	else if (!cookie_accept(&p->jar, m->cookie_reply, now_us))
		device_drop(d, p, WG_DROP_HANDSHAKE);
}
