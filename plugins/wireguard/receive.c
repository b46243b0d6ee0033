/* SPDX-License-Identifier: GPL-2.0-or-later */
/* receive.c - datagrams that come in.
 *
 * A data packet is opened straight into room that its reader lends, or copied
 * there after a worker has opened it. Only then is anything believed of it, in
 * this order: the counter is new, the peer is where the packet came from, the
 * packet inside is as long as it says and its source is one of the peer's. */
#include "bytes.h"
#include "cut.h"
#include "train.h"

#define IP4_HEADER_BYTES 20u
#define IP6_HEADER_BYTES 40u

bool receive_reserved_ok(const struct wg_peer *p, const struct message *m)
{
	return !m->reserved || p->reserved;
}

/* The packet's own length; 0: no IP packet, or longer than what there is. */
static uint32_t inner_len(const uint8_t *packet, uint32_t room)
{
	uint32_t len = 0, least = 0;

	if (room >= IP4_HEADER_BYTES && packet[0] >> 4 == 4) {
		least = IP4_HEADER_BYTES;
		len = get16(packet + 2);
	} else if (room >= IP6_HEADER_BYTES && packet[0] >> 4 == 6) {
		least = IP6_HEADER_BYTES;
		len = get16(packet + 4) + least;
	}
	return len >= least && len <= room ? len : 0;
}

static void ecn_write(uint8_t *packet, uint8_t ecn)
{
	if (packet[0] >> 4 == 6) {
		packet[1] =
			(uint8_t)((packet[1] & ~(ECN_MASK << 4)) | ecn << 4);
		return;
	}
	/* RFC 1624: HC' = ~(~HC + ~m + m'), m being the first two bytes. */
	uint32_t was = get16(packet), check = get16(packet + 10), sum;

	packet[1] = (uint8_t)((packet[1] & ~ECN_MASK) | ecn);
	sum = (~check & 0xffff) + (~was & 0xffff) + get16(packet);
	sum = (sum & 0xffff) + (sum >> 16);
	sum = ~((sum & 0xffff) + (sum >> 16));
	put16(packet + 10, sum);
}

/* RFC 6040, section 4.2: what the way told us, told to the packet. False:
 * congestion that its receiver could not be told of: drop it. */
static bool ecn_out_of(uint8_t outer, uint8_t *packet)
{
	uint8_t inner = packet_ecn(packet);

	outer &= ECN_MASK;
	if (outer == ECN_NONE || outer == inner || inner == ECN_CE)
		return true;
	if (inner == ECN_NONE)
		return outer != ECN_CE;
	if (outer == ECN_CE || outer == ECN_ECT1)
		ecn_write(packet, outer);
	return true;
}

/* What is inside is whole, the peer's, and goes to its reader. */
static void receive_inner(struct wg_peer *p, uint8_t *packet, uint32_t room,
			  uint8_t tos)
{
	struct wg_device *d = p->device;
	uint32_t len = inner_len(packet, room);

	if (!len)
		device_drop(d, p, WG_DROP_INNER);
	else if (allowedips_source(&d->allowedips, packet, len) != &p->allowed)
		device_drop(d, p, WG_DROP_SOURCE);
	else if (!ecn_out_of(tos, packet))
		device_drop(d, p, WG_DROP_ECN);
	else
		d->ops->put(d->arg, p, len);
}

/* The packet is authentic and new: what that means for the session. */
static void receive_session(struct keypair *k, const struct wg_endpoint *from,
			    uint64_t now_us)
{
	struct wg_peer *p = k->peer;
	struct keypair *current;

	peer_heard_from(p, from);
	/* First: what is sent below is not answered by this packet. */
	timers_authenticated_received(p, now_us);
	if (keypair_confirm(k)) {
		timers_handshake_complete(p);
		send_staged(p, now_us);
	}
	current = p->current;
	if (current && current->initiator && !p->sent_last_minute &&
	    now_us - current->born_us >= REKEY_ON_RECEIVE_US) {
		p->sent_last_minute = true;
		exchange_want(p, false, now_us);
	}
}

static bool key_too_old(const struct keypair *k, const struct message *m,
			uint64_t now_us)
{
	return now_us - k->born_us >= REJECT_AFTER_TIME_US ||
	       m->counter >= REJECT_AFTER_MESSAGES;
}

void receive_opened(struct keypair *k, const struct received_data *r,
		    uint64_t now_us)
{
	struct wg_peer *p = k->peer;

	if (!replay_accept(&k->replay, r->counter)) {
		device_drop(p->device, p, WG_DROP_WINDOW);
		return;
	}
	receive_session(k, r->from, now_us);
	p->rx_bytes += r->len;
	p->rx_packets++;
	if (!r->plain)
		return; /* a keepalive */
	timers_data_received(p, now_us);
	receive_inner(p, r->packet, r->plain, r->tos);
}

/* Whose key? NULL: dropped. */
static struct keypair *receive_key(struct wg_device *d, const struct message *m,
				   uint64_t now_us)
{
	struct index_entry *e = index_find(&d->indices, m->receiver);
	struct keypair *k;

	if (!e || e->kind != INDEX_KEYPAIR) {
		device_drop(d, NULL, WG_DROP_INDEX);
		return NULL;
	}
	k = e->what;
	if (!receive_reserved_ok(k->peer, m)) {
		device_drop(d, k->peer, WG_DROP_RESERVED);
		return NULL;
	}
	if (key_too_old(k, m, now_us)) {
		device_drop(d, k->peer, WG_DROP_KEY_OLD);
		return NULL;
	}
	return k;
}

static void receive_open(struct keypair *k, const struct message *m,
			 const struct wg_datagrams *v, uint64_t now_us)
{
	struct wg_device *d = k->peer->device;
	uint8_t empty[1];
	struct received_data r = {
		.from = v->from,
		.counter = m->counter,
		.len = (uint32_t)m->len,
		.plain = (uint32_t)m->sealed_len - WG_TAG_BYTES,
		.packet = empty,
		.tos = v->tos,
	};

	if (r.plain)
		r.packet = d->ops->room(d->arg, r.plain);
	if (!r.packet)
		device_drop(d, k->peer, WG_DROP_NO_ROOM);
	else if (!aead_open(&k->open, r.packet, m->sealed, m->sealed_len,
			    m->counter))
		device_drop(d, k->peer, WG_DROP_AUTH);
	else
		receive_opened(k, &r, now_us);
}

static void receive_data(struct wg_device *d, const struct message *m,
			 const struct wg_datagrams *v, uint64_t now_us)
{
	struct keypair *k;

	/* First, since collecting may end the key that is looked up next. */
	if (d->workers && d->openings_open == OPENINGS_MAX)
		openings_collect(d, now_us);
	k = receive_key(d, m, now_us);
	if (!k)
		return;
	if (d->workers)
		openings_add(k, m, v);
	else
		receive_open(k, m, v, now_us);
}

static void receive_one(struct wg_device *d, const struct wg_datagrams *v,
			uint8_t *bytes, uint32_t len, uint64_t now_us)
{
	struct message m;
	enum message_type type = message_parse(bytes, len, &m);

	/* A source port of 0 cannot be answered. */
	if (type == MESSAGE_NONE || !v->from->addr.port)
		device_drop(d, NULL, WG_DROP_MALFORMED);
	else if (m.reserved && !d->with_reserved)
		device_drop(d, NULL, WG_DROP_RESERVED);
	else if (type == MESSAGE_DATA)
		receive_data(d, &m, v, now_us);
	else if (type == MESSAGE_COOKIE_REPLY)
		exchange_cookie_reply(d, &m, now_us);
	else
		inbox_put(d, &m, v->from, now_us);
}

void wg_receive(struct wg_device *d, const struct wg_datagrams *v, int n,
		uint64_t now_us)
{
	if (!d->up)
		return;
	for (; n > 0; n--, v++) {
		uint32_t step = v->segment ? v->segment : v->len, at = 0;

		do {
			uint32_t left = v->len - at;

			receive_one(d, v, v->data + at,
				    left < step ? left : step, now_us);
			at += step;
		} while (at < v->len);
	}
	if (!d->workers)
		return;
	openings_give(d);
	openings_collect(d, now_us);
}

bool wg_may_receive(const struct wg_device *d)
{
	return !d->workers || openings_spare(d);
}

bool wg_collect(struct wg_device *d, uint64_t now_us)
{
	if (!d->workers)
		return false;
	workers_heard(d->workers);
	openings_collect(d, now_us);
	return d->openings_open || trains_wait(d);
}
