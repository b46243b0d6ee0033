/* SPDX-License-Identifier: GPL-2.0-or-later */
/* send.c - packets that go out.
 *
 * A packet gets a slot: in a train of its peer, where it is sealed in place,
 * or, without a usable key, among the staged ones until a handshake has made
 * one. The timers hear of a burst once. */
#include "cut.h"
#include "train.h"

#include <stdlib.h>
#include <utlist.h>

/* A place for one packet of `len` bytes to `p`: in a train, in front of its
 * seal, or, without a key, staged. Write it there, then slot_done. */
struct slot {
	struct wg_peer *peer;
	struct train *train;
	struct staged_packet *staged;
	uint8_t *at; /* NULL: dropped and counted */
	uint32_t len;
	uint8_t ecn;
};

static uint32_t padded_len(const struct wg_device *d, uint32_t len)
{
	uint32_t mtu = d->mtu_bytes, last = len, padded;

	if (mtu && last > mtu)
		last %= mtu;
	padded = (last + PADDING_BYTES - 1) & ~(PADDING_BYTES - 1);
	if (mtu && padded > mtu)
		padded = mtu;
	return len + padded - last;
}

static void staged_ready(struct wg_peer *p)
{
	if (p->staged_ready)
		return;
	p->staged_ready = true;
	DL_APPEND2(p->device->ready, p, ready_prev, ready_next);
}

void staged_unready(struct wg_peer *p)
{
	if (!p->staged_ready)
		return;
	p->staged_ready = false;
	DL_DELETE2(p->device->ready, p, ready_prev, ready_next);
}

/* A place in a train; there is a key. */
static void slot_in_train(struct slot *s)
{
	struct wg_device *d = s->peer->device;
	uint32_t wire = padded_len(d, s->len) + WG_OVERHEAD;

	if (wire <= WG_DATAGRAM_MAX)
		s->train = train_for(s->peer, wire, s->ecn);
	if (!s->train)
		device_drop(d, s->peer,
			    wire <= WG_DATAGRAM_MAX ? WG_DROP_FULL
						    : WG_DROP_PACKET);
	else
		s->at = train_bytes(s->train) + s->train->len +
			MESSAGE_DATA_HEADER_BYTES;
}

static void slot_open(struct slot *s, struct wg_peer *p, uint32_t len,
		      uint8_t ecn, uint64_t now_us)
{
	*s = (struct slot){.peer = p, .len = len, .ecn = ecn};
	if (!p->staged.first && keypair_can_seal(p->current, now_us)) {
		slot_in_train(s);
		return;
	}
	s->staged = staged_new(len);
	if (s->staged)
		s->at = s->staged->bytes;
	else
		device_drop(p->device, p, WG_DROP_STAGED);
}

/* The crypto's part; with workers it is done once the train is whole. */
static void slot_seal(struct slot *s)
{
	struct wg_peer *p = s->peer;
	struct keypair *k = p->current;
	uint32_t padded = padded_len(p->device, s->len);
	uint8_t *datagram = s->at - MESSAGE_DATA_HEADER_BYTES;

	memset(s->at + s->len, 0, padded - s->len);
	message_data_header((struct message_data *)(void *)datagram,
			    k->remote_index, k->counter);
	message_set_reserved(datagram, p->reserved);
	if (!p->device->workers &&
	    !aead_seal(&k->seal, s->at, s->at, padded, k->counter)) {
		device_drop(p->device, p, WG_DROP_FULL);
		return;
	}
	k->counter++;
	train_add(s->train, padded + WG_OVERHEAD);
}

static void slot_done(struct slot *s)
{
	if (s->staged)
		staged_put(s->peer, s->staged);
	else
		slot_seal(s);
}

/* Initiators renew a key that has been used for long, whoever sends. */
static void keep_fresh(struct wg_peer *p, uint64_t now_us)
{
	const struct keypair *k = p->current;

	if (k && (k->counter > REKEY_AFTER_MESSAGES ||
		  (k->initiator && now_us - k->born_us >= REKEY_AFTER_TIME_US)))
		exchange_want(p, false, now_us);
}

static void sent(struct wg_peer *p, bool data, uint64_t now_us)
{
	timers_authenticated_sent(p, now_us);
	if (data)
		timers_data_sent(p, now_us);
	keep_fresh(p, now_us);
}

/* Move one staged packet into a train. */
static void send_first_staged(struct wg_peer *p)
{
	struct staged_packet *packet = staged_get(p);
	struct slot s = {.peer = p,
			 .len = packet->len,
			 .ecn = packet_ecn(packet->bytes)};

	slot_in_train(&s);
	if (s.at) {
		memcpy(s.at, packet->bytes, packet->len);
		slot_seal(&s);
	}
	free(packet);
}

void send_staged(struct wg_peer *p, uint64_t now_us)
{
	bool any = p->staged.first;

	staged_unready(p);
	while (p->staged.first) {
		if (!keypair_can_seal(p->current, now_us)) {
			exchange_want(p, false, now_us);
			return;
		}
		if (!trains_spare(p->device)) {
			staged_ready(p);
			break;
		}
		send_first_staged(p);
	}
	if (any)
		sent(p, true, now_us);
}

void send_keepalive(struct wg_peer *p, uint64_t now_us)
{
	struct slot s = {.peer = p};

	if (!p->device->up)
		return;
	if (p->staged.first) {
		send_staged(p, now_us);
		return;
	}
	if (!keypair_can_seal(p->current, now_us)) {
		exchange_want(p, false, now_us);
		return;
	}
	slot_in_train(&s);
	if (!s.at)
		return;
	slot_seal(&s);
	sent(p, false, now_us);
}

/* Whose is this packet? NULL: nobody's, counted. */
static struct wg_peer *target_of(struct wg_device *d, const struct cut *c)
{
	struct wg_peer *p = peer_of_owner(
		allowedips_target(&d->allowedips, c->header, c->header_len));

	if (!p)
		device_drop(d, NULL, WG_DROP_NO_PEER);
	return p;
}

static void send_egress(struct wg_device *d, const struct weir_egress *e,
			uint64_t now_us)
{
	struct wg_peer *p;
	struct cut c;

	if (!cut_begin(&c, e)) {
		device_drop(d, NULL, WG_DROP_PACKET);
		return;
	}
	p = target_of(d, &c);
	if (!p)
		return;
	while (cut_more(&c)) {
		struct slot s;

		slot_open(&s, p, cut_len(&c), packet_ecn(c.header), now_us);
		if (!s.at) {
			cut_skip(&c);
			continue;
		}
		cut_write(&c, s.at);
		slot_done(&s);
	}
	if (!p->staged.first)
		sent(p, true, now_us);
	else
		send_staged(p, now_us);
}

int wg_send(struct wg_device *d, const struct weir_egress *v, int n,
	    uint64_t now_us)
{
	if (!d->up)
		return n;
	for (int i = 0; i < n; i++) {
		if (!trains_spare(d))
			return i;
		send_egress(d, &v[i], now_us);
	}
	return n;
}
