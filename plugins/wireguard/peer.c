/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peer.c - a peer: from its entry in the configuration until that goes.
 *
 * Everything of a peer hangs on struct wg_peer, is found by its public key, by
 * the indices it handed out or by an address it may use, and is taken out of
 * all three before its memory goes. */
#include "train.h"

struct wg_peer *peer_new(struct wg_device *d,
			 const uint8_t public_key[WG_KEY_BYTES])
{
	struct wg_peer *p = peers_add(&d->peers, public_key);

	p->device = d;
	cookie_jar_init(&p->jar, public_key);
	staged_init(&p->staged);
	timers_init(p);
	return p;
}

void peer_reset(struct wg_peer *p)
{
	timers_stop(p);
	exchange_unwant(p);
	exchange_clear(p);
	keypair_clear_all(p);
	staged_clear(p, WG_DROP_STAGED);
	staged_unready(p);
	trains_forget(p);
	p->initiated_us = 0;
	p->attempts = 0;
	p->awaits_endpoint = p->silent = p->sent_last_minute = false;
}

void peer_lose_allowed(struct wg_peer *p)
{
	struct wg_device *d = p->device;

	d->passed_on = d->passed_on || p->allowed.prefixes;
	allowedips_remove_owner(&d->allowedips, &p->allowed);
}

void peer_free(struct wg_peer *p)
{
	struct wg_device *d = p->device;

	device_event(p, WG_EVENT_REMOVED);
	peer_reset(p);
	peer_lose_allowed(p);
	if (p->reserved)
		d->with_reserved--;
	peers_remove(&d->peers, p);
}

bool endpoint_equal(const struct wg_endpoint *a, const struct wg_endpoint *b)
{
	return weir_addr_equal(&a->addr, &b->addr) && a->scope == b->scope &&
	       a->local_if == b->local_if &&
	       weir_addr_equal(&a->local, &b->local);
}

void peer_heard_from(struct wg_peer *p, const struct wg_endpoint *from)
{
	bool moved;

	p->placed++;
	if (endpoint_equal(&p->endpoint, from))
		return;
	moved = !weir_addr_equal(&p->endpoint.addr, &from->addr) ||
		p->endpoint.scope != from->scope;
	p->endpoint = *from;
	if (moved)
		device_event(p, WG_EVENT_ENDPOINT);
}

struct wg_peer *wg_peer_next(const struct wg_device *d, const struct wg_peer *p)
{
	return p ? p->after : d->peers.first;
}

struct wg_peer *wg_peer_find(const struct wg_device *d,
			     const uint8_t public_key[WG_KEY_BYTES])
{
	return peers_find(&d->peers, public_key);
}

struct wg_peer *wg_peer_of(const struct wg_device *d,
			   const struct weir_addr *address)
{
	switch (address->kind) {
	case WEIR_ADDR_IP4:
		return peer_of_owner(
			allowedips_lookup4(&d->allowedips, address->ip));
	case WEIR_ADDR_IP6:
		return peer_of_owner(
			allowedips_lookup6(&d->allowedips, address->ip));
	default:
		return NULL;
	}
}

void wg_peer_get(const struct wg_peer *p, struct wg_peer_info *info)
{
	*info = (struct wg_peer_info){
		.keepalive_s = p->keepalive_s,
		.reserved = {(uint8_t)p->reserved, (uint8_t)(p->reserved >> 8),
			     (uint8_t)(p->reserved >> 16)},
		.endpoint = p->endpoint,
		.endpoint_given = p->endpoint_given,
		.placed = p->placed,
		.last_handshake = p->last_handshake,
		.rx_bytes = p->rx_bytes,
		.tx_bytes = p->tx_bytes,
		.rx_packets = p->rx_packets,
		.tx_packets = p->tx_packets,
		.initiator = p->current && p->current->initiator,
	};
	memcpy(info->drops, p->drops, sizeof info->drops);
}

const uint8_t *wg_peer_key(const struct wg_peer *p)
{
	return p->remote.public_key;
}

const uint8_t *wg_peer_psk(const struct wg_peer *p)
{
	return p->remote.psk;
}

void *wg_peer_user(const struct wg_peer *p)
{
	return p->user;
}

void wg_peer_set_user(struct wg_peer *p, void *user,
		      const uint8_t reserved[WG_RESERVED_BYTES])
{
	p->user = user;
	peer_set_reserved(p, reserved);
}

void peer_set_reserved(struct wg_peer *p,
		       const uint8_t reserved[WG_RESERVED_BYTES])
{
	struct wg_device *d = p->device;

	d->with_reserved -= p->reserved != 0;
	p->reserved = message_reserved_pack(reserved);
	d->with_reserved += p->reserved != 0;
}

void wg_peer_allowed(const struct wg_peer *p, const struct weir_cidr *after,
		     bool (*each)(void *arg, const struct weir_cidr *),
		     void *arg)
{
	allowedips_each(&p->device->allowedips, &p->allowed, after, each, arg);
}

void wg_peer_set_endpoint(struct wg_peer *p, const struct wg_endpoint *to)
{
	p->endpoint = *to;
	if (p->awaits_endpoint && peer_has_endpoint(p))
		exchange_want_now(p);
}

void wg_peer_connect(struct wg_peer *p, bool now, uint64_t now_us)
{
	if (now)
		exchange_want_now(p);
	else if (!keypair_can_seal(p->current, now_us))
		exchange_want(p, false, now_us);
}

bool wg_peer_is_awake(const struct wg_peer *p, uint64_t now_us)
{
	return p->keepalive_s ||
	       (p->passed_us && now_us - p->passed_us < REJECT_AFTER_TIME_US);
}

void wg_peer_greet(struct wg_peer *p, uint64_t now_us)
{
	if (keypair_can_seal(p->current, now_us))
		send_keepalive(p, now_us);
	else
		exchange_want_now(p);
}

void wg_peer_clear_source(struct wg_peer *p)
{
	p->endpoint.local = (struct weir_addr){0};
	p->endpoint.local_if = 0;
}
