/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: a device may have tens of thousands of peers, so its
 * report is written in pieces of what room there is. Between two pieces peers
 * can go, so the report remembers keys, not peers: 32 bytes each, of at most
 * WG_PEERS_MAX. A peer that has gone is left out, one that came is not told of.
 * A peer's prefixes go on behind the one that was told last; where the peer has
 * lost that one between two pieces, they end there. */
#include <net/if.h>
#include <stdarg.h>
#include <stdlib.h>

#include "keytext.h"
#include "uapi_private.h"

#define HEAD_BYTES 768u	 /* at most, of what goes before a peer's prefixes */
#define PREFIX_BYTES 80u /* at most, of one "allowed_ip=" line */

_Static_assert(HEAD_BYTES + PREFIX_BYTES <= UAPI_OUTPUT_MIN,
	       "a piece always gets on");

struct writer {
	char *at;
	size_t left;
	struct weir_cidr *told; /* the prefix written last */
	bool is_full;
};

WEIR_PRINTF(2, 3)
static void put(struct writer *w, const char *fmt, ...)
{
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(w->at, w->left, fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= w->left)
		abort(); /* HEAD_BYTES or PREFIX_BYTES is wrong */
	w->at += n;
	w->left -= (size_t)n;
}

static void put_key(struct writer *w, const char *name,
		    const uint8_t key[WG_KEY_BYTES])
{
	char hex[KEY_HEX + 1];

	key_to_hex(key, hex);
	put(w, "%s=%s\n", name, hex);
	explicit_bzero(hex, sizeof hex);
}

static void put_device(struct writer *w, const struct uapi_device *d)
{
	uint8_t private_key[WG_KEY_BYTES], public_key[WG_KEY_BYTES];
	uint16_t port = 0;
	uint32_t mark = 0;

	wg_get_keys(d->wg, private_key, public_key);
	if (!key_is_zero(private_key))
		put_key(w, "private_key", private_key);
	explicit_bzero(private_key, sizeof private_key);
	d->ops->socket_get(d->arg, &port, &mark);
	if (port)
		put(w, "listen_port=%u\n", port);
	if (mark)
		put(w, "fwmark=%u\n", mark);
}

static void put_endpoint(struct writer *w, const struct wg_endpoint *e)
{
	char ip[INET6_ADDRSTRLEN], interface[IF_NAMESIZE] = "";

	if (e->addr.kind == WEIR_ADDR_IP4) {
		inet_ntop(AF_INET, e->addr.ip, ip, sizeof ip);
		put(w, "endpoint=%s:%u\n", ip, e->addr.port);
	} else if (e->addr.kind == WEIR_ADDR_IP6) {
		inet_ntop(AF_INET6, e->addr.ip, ip, sizeof ip);
		if (e->scope && !if_indextoname(e->scope, interface))
			snprintf(interface, sizeof interface, "%u", e->scope);
		put(w, "endpoint=[%s%s%s]:%u\n", ip, *interface ? "%" : "",
		    interface, e->addr.port);
	}
}

static void put_peer(struct writer *w, const struct wg_peer *p)
{
	struct wg_peer_info i;

	wg_peer_get(p, &i);
	put_key(w, "public_key", wg_peer_key(p));
	put_key(w, "preshared_key", wg_peer_psk(p));
	put(w, "protocol_version=1\n");
	put_endpoint(w, &i.endpoint);
	put(w,
	    "last_handshake_time_sec=%lld\n"
	    "last_handshake_time_nsec=%ld\n"
	    "tx_bytes=%llu\nrx_bytes=%llu\n"
	    "persistent_keepalive_interval=%u\n",
	    (long long)i.last_handshake.tv_sec, i.last_handshake.tv_nsec,
	    (unsigned long long)i.tx_bytes, (unsigned long long)i.rx_bytes,
	    i.keepalive_s);
}

/* False where the room ended first. */
static bool put_prefix(void *arg, const struct weir_cidr *c)
{
	struct writer *w = arg;
	char ip[INET6_ADDRSTRLEN];
	int family = c->base.kind == WEIR_ADDR_IP4 ? AF_INET : AF_INET6;

	if (w->left < PREFIX_BYTES) {
		w->is_full = true;
		return false;
	}
	inet_ntop(family, c->base.ip, ip, sizeof ip);
	put(w, "allowed_ip=%s/%u\n", ip, c->bits);
	*w->told = *c;
	return true;
}

/* False where the room ended first. */
static bool put_rest(struct uapi_report *r, struct writer *w,
		     const struct wg_peer *p)
{
	const struct weir_cidr told = r->told;

	if (!r->in_peer && w->left < HEAD_BYTES)
		return false;
	if (!r->in_peer)
		put_peer(w, p);
	r->in_peer = true;
	wg_peer_allowed(p, told.base.kind == WEIR_ADDR_NONE ? NULL : &told,
			put_prefix, w);
	return !w->is_full;
}

bool uapi_report_begin(struct uapi_report *r, const struct uapi_device *d)
{
	size_t room = 0;

	*r = (struct uapi_report){0};
	for (struct wg_peer *p = NULL; (p = wg_peer_next(d->wg, p));)
		room++;
	r->keys = room ? malloc(room * sizeof *r->keys) : NULL;
	if (room && !r->keys)
		return false;
	for (struct wg_peer *p = NULL; (p = wg_peer_next(d->wg, p));)
		memcpy(r->keys[r->count++], wg_peer_key(p), WG_KEY_BYTES);
	return true;
}

size_t uapi_report_next(struct uapi_report *r, const struct uapi_device *d,
			char *room, size_t size)
{
	struct writer w = {.at = room, .left = size, .told = &r->told};

	if (!r->has_device)
		put_device(&w, d);
	r->has_device = true;
	for (; r->peer < r->count; r->peer++) {
		struct wg_peer *p = wg_peer_find(d->wg, r->keys[r->peer]);

		if (p && !put_rest(r, &w, p))
			return size - w.left;
		r->in_peer = false;
		r->told = (struct weir_cidr){0};
	}
	r->done = true;
	return size - w.left;
}

void uapi_report_end(struct uapi_report *r)
{
	free(r->keys);
	*r = (struct uapi_report){0};
}
