/* SPDX-License-Identifier: GPL-2.0-or-later */
/* configure.c - a new configuration: judged whole, then applied whole.
 *
 * Nothing changes before every entry has passed, and before there is memory for
 * all that they may need; after that nothing fails. */
#include <errno.h>
#include <stdlib.h>

#include "keytext.h"
#include "train.h"

/* The points of order 1, 2, 4 and 8 on the curve and its twist, the most
 * significant bit masked: every secret makes zero of them (RFC 7748, section
 * 6.1). */
static const uint8_t low_order[][WG_KEY_BYTES] = {
	{0},
	{1},
	{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
	 0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
	 0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
	{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
	 0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
	 0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57},
	{0xec, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
	{0xee, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
	 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f},
};

static bool is_low_order(const uint8_t public_key[WG_KEY_BYTES])
{
	uint8_t masked[WG_KEY_BYTES];

	memcpy(masked, public_key, WG_KEY_BYTES);
	masked[WG_KEY_BYTES - 1] &= 0x7f;
	for (size_t i = 0; i < sizeof low_order / sizeof *low_order; i++) {
		if (memcmp(masked, low_order[i], WG_KEY_BYTES) == 0)
			return true;
	}
	return false;
}

/* What a peer is called in an error: its name, or the base64 of its key. */
static const char *set_name(const struct wg_peer_set *s,
			    char key[KEY_BASE64 + 1])
{
	if (s->name)
		return s->name;
	key_to_base64(s->public_key, key);
	return key;
}

static bool no_memory(struct weir_error *e)
{
	weir_error(e, NULL, "out of memory");
	errno = ENOMEM;
	return false;
}

/* A prefix of a configuration, for finding equal ones. */
struct claim {
	const struct wg_peer_set *by;
	const struct weir_cidr *prefix;
};

static int compare_claims(const void *a, const void *b)
{
	const struct weir_cidr *x = ((const struct claim *)a)->prefix;
	const struct weir_cidr *y = ((const struct claim *)b)->prefix;

	if (x->base.kind != y->base.kind)
		return x->base.kind < y->base.kind ? -1 : 1;
	if (x->bits != y->bits)
		return x->bits < y->bits ? -1 : 1;
	return memcmp(x->base.ip, y->base.ip,
		      x->base.kind == WEIR_ADDR_IP4 ? 4 : 16);
}

static bool claims_clash(const struct claim *claims, size_t n,
			 struct weir_error *e)
{
	char text[WEIR_ADDR_TEXT], a[KEY_BASE64 + 1], b[KEY_BASE64 + 1];

	for (size_t i = 1; i < n; i++) {
		const struct claim *x = &claims[i - 1], *y = &claims[i];

		if (x->by == y->by || compare_claims(x, y) != 0)
			continue;
		weir_error(e, "allowed_ips",
			   "%s/%u is given to two peers, %s and %s",
			   weir_addr_text(&x->prefix->base, text),
			   (unsigned)x->prefix->bits, set_name(x->by, a),
			   set_name(y->by, b));
		return true;
	}
	return false;
}

static bool check_claims(const struct wg_set *s, struct weir_error *e)
{
	struct claim *claims;
	size_t n = 0, at = 0;
	bool clash;

	for (uint32_t i = 0; i < s->peer_count; i++)
		n += s->peers[i].allowed_count;
	if (!n)
		return true;
	claims = calloc(n, sizeof *claims);
	if (!claims)
		return no_memory(e);
	for (uint32_t i = 0; i < s->peer_count; i++) {
		const struct wg_peer_set *p = &s->peers[i];

		for (uint32_t k = 0; k < p->allowed_count; k++)
			claims[at++] = (struct claim){p, &p->allowed[k].prefix};
	}
	qsort(claims, n, sizeof *claims, compare_claims);
	clash = claims_clash(claims, n, e);
	free(claims);
	return !clash;
}

static int compare_peers(const void *a, const void *b)
{
	const struct wg_peer_set *const *x = a, *const *y = b;

	return memcmp((*x)->public_key, (*y)->public_key, WG_KEY_BYTES);
}

static bool check_twins(const struct wg_set *s, struct weir_error *e)
{
	const struct wg_peer_set **sorted;
	char a[KEY_BASE64 + 1], b[KEY_BASE64 + 1];
	bool fine = true;

	if (!s->peer_count)
		return true;
	sorted = calloc(s->peer_count, sizeof *sorted);
	if (!sorted)
		return no_memory(e);
	for (uint32_t i = 0; i < s->peer_count; i++)
		sorted[i] = &s->peers[i];
	qsort(sorted, s->peer_count, sizeof *sorted, compare_peers);
	for (uint32_t i = 1; fine && i < s->peer_count; i++) {
		if (compare_peers(&sorted[i - 1], &sorted[i]) == 0)
			fine = weir_error(e, "public_key",
					  "the peers %s and %s have one key",
					  set_name(sorted[i - 1], a),
					  set_name(sorted[i], b));
	}
	free(sorted);
	return fine;
}

/* The device's key as it will be; false: none. */
static bool own_key(const struct wg_device *d, const struct wg_set *s,
		    uint8_t own[WG_KEY_BYTES])
{
	if (!(s->flags & WG_SET_PRIVATE_KEY)) {
		memcpy(own, d->identity.keys.public_key, WG_KEY_BYTES);
		return d->identity.set;
	}
	return !crypto_is_zero(s->private_key, WG_KEY_BYTES) &&
	       crypto_public_key(own, s->private_key);
}

static bool check_peers(const struct wg_device *d, const struct wg_set *s,
			struct weir_error *e)
{
	bool strict = s->flags & WG_SET_STRICT, owned;
	uint8_t own[WG_KEY_BYTES];
	uint32_t made = 0;
	char key[KEY_BASE64 + 1];

	owned = strict && own_key(d, s, own);
	if (!(s->flags & WG_SET_REPLACE_PEERS))
		made = d->peers.count;
	for (uint32_t i = 0; i < s->peer_count; i++) {
		const struct wg_peer_set *p = &s->peers[i];

		if (p->flags & WG_PEER_REMOVE)
			continue;
		if (is_low_order(p->public_key))
			return weir_error(e, "public_key",
					  "%s: this is nobody's public key",
					  set_name(p, key));
		if (owned && !memcmp(own, p->public_key, WG_KEY_BYTES))
			return weir_error(e, "public_key",
					  "%s: this is the device's own key",
					  set_name(p, key));
		if (s->flags & WG_SET_REPLACE_PEERS ||
		    !wg_peer_find(d, p->public_key))
			made++;
	}
	if (made > WG_PEERS_MAX)
		return weir_error(e, "peers", "%u are too many; the most is %u",
				  made, WG_PEERS_MAX);
	return !strict || (check_twins(s, e) && check_claims(s, e));
}

static bool same_private_key(const struct wg_device *d, const struct wg_set *s)
{
	uint8_t clamped[WG_KEY_BYTES];
	bool same;

	if (crypto_is_zero(s->private_key, WG_KEY_BYTES))
		return !d->identity.set;
	memcpy(clamped, s->private_key, WG_KEY_BYTES);
	crypto_clamp(clamped);
	same = d->identity.set && crypto_equal(d->identity.keys.private_key,
					       clamped, WG_KEY_BYTES);
	crypto_wipe(clamped, WG_KEY_BYTES);
	return same;
}

static void apply_private_key(struct wg_device *d, const struct wg_set *s)
{
	struct wg_peer *p;

	if (!(s->flags & WG_SET_PRIVATE_KEY) || same_private_key(d, s))
		return;
	device_end_sessions(d);
	identity_init(&d->identity, s->private_key);
	for (p = d->peers.first; p; p = p->after)
		remote_forget(&p->remote);
	cookie_checker_wipe(&d->checker);
	if (!d->identity.set)
		return;
	cookie_checker_init(&d->checker, d->identity.keys.public_key);
	p = wg_peer_find(d, d->identity.keys.public_key);
	if (p)
		peer_free(p);
}

static void apply_prefix(struct wg_peer *p, const struct wg_allowed *a)
{
	struct wg_device *d = p->device;
	struct allowed_owner *was = NULL;
	bool removed = false;

	if (a->remove)
		removed = allowedips_remove(&d->allowedips, &a->prefix,
					    &p->allowed);
	else if (!allowedips_insert(&d->allowedips, &a->prefix, &p->allowed,
				    &was))
		abort();
	d->passed_on = d->passed_on || was || removed;
}

static void apply_allowed(struct wg_peer *p, const struct wg_peer_set *s)
{
	if (s->flags & WG_PEER_REPLACE_ALLOWED)
		peer_lose_allowed(p);
	for (uint32_t i = 0; i < s->allowed_count; i++)
		apply_prefix(p, &s->allowed[i]);
}

/* An entry that repeats the present endpoint, as those of wg syncconf do, does
 * not stop the name from being asked for. */
static void apply_endpoint(struct wg_peer *p, const struct wg_endpoint *to)
{
	p->placed++;
	p->endpoint_given = p->endpoint_given ||
			    p->endpoint.scope != to->scope ||
			    !weir_addr_equal(&p->endpoint.addr, &to->addr);
	wg_peer_set_endpoint(p, to);
}

static void apply_fields(struct wg_peer *p, const struct wg_peer_set *s)
{
	if (s->flags & WG_PEER_USER)
		p->user = s->user;
	if (s->flags & WG_PEER_PSK)
		memcpy(p->remote.psk, s->psk, WG_KEY_BYTES);
	if (s->flags & WG_PEER_ENDPOINT)
		apply_endpoint(p, &s->endpoint);
	if (s->flags & WG_PEER_RESERVED)
		peer_set_reserved(p, s->reserved);
	if (s->flags & WG_PEER_KEEPALIVE)
		timers_set_keepalive(p, s->keepalive_s);
	apply_allowed(p, s);
}

static void apply_peer(struct wg_device *d, const struct wg_peer_set *s)
{
	struct wg_peer *p = wg_peer_find(d, s->public_key);
	bool made = !p;

	if (s->flags & WG_PEER_REMOVE) {
		if (p)
			peer_free(p);
		return;
	}
	if (d->identity.set &&
	    !memcmp(d->identity.keys.public_key, s->public_key, WG_KEY_BYTES))
		return;
	if (!p && s->flags & WG_PEER_UPDATE_ONLY)
		return;
	if (!p)
		p = peer_new(d, s->public_key);
	apply_fields(p, s);
	if (made)
		device_event(p, WG_EVENT_ADDED);
}

/* Peers with a keepalive speak up if their timer does not run yet. */
static void start_keepalives(struct wg_device *d, uint64_t now_us)
{
	if (!d->up)
		return;
	for (struct wg_peer *p = d->peers.first; p; p = p->after) {
		if (p->keepalive_s &&
		    !timer_armed(&p->timers[TIMER_PERSISTENT]))
			send_keepalive(p, now_us);
	}
}

/* A bound on the peers that a set makes: at most one an entry, of a key that is
 * not there now or that another entry removes. */
static uint32_t most_made(const struct wg_device *d, const struct wg_set *s)
{
	bool replace = s->flags & WG_SET_REPLACE_PEERS;
	uint32_t absent = 0, there = 0, removed = 0;

	for (uint32_t i = 0; i < s->peer_count; i++) {
		const struct wg_peer_set *p = &s->peers[i];

		if (p->flags & WG_PEER_REMOVE)
			removed++;
		else if (p->flags & WG_PEER_UPDATE_ONLY)
			;
		else if (replace || !wg_peer_find(d, p->public_key))
			absent++;
		else
			there++;
	}
	return absent + (removed < there ? removed : there);
}

static void trim(struct wg_device *d)
{
	peers_trim(&d->peers);
	allowedips_trim(&d->allowedips);
}

bool wg_set_check(struct wg_device *d, const struct wg_set *s,
		  struct weir_error *e)
{
	uint32_t prefixes = 0;

	errno = EINVAL;
	if (!check_peers(d, s, e))
		return false;
	for (uint32_t i = 0; i < s->peer_count; i++)
		prefixes += s->peers[i].allowed_count;
	if (peers_reserve(&d->peers, most_made(d, s)) &&
	    allowedips_reserve(&d->allowedips, prefixes))
		return true;
	trim(d);
	return no_memory(e);
}

bool wg_set(struct wg_device *d, const struct wg_set *s, uint64_t now_us,
	    struct weir_error *e)
{
	if (!wg_set_check(d, s, e))
		return false;
	apply_private_key(d, s);
	if (s->flags & WG_SET_REPLACE_PEERS) {
		while (d->peers.first)
			peer_free(d->peers.first);
	}
	for (uint32_t i = 0; i < s->peer_count; i++)
		apply_peer(d, &s->peers[i]);
	trim(d);
	start_keepalives(d, now_us);
	if (d->passed_on)
		d->ops->passed_on(d->arg);
	d->passed_on = false;
	return true;
}
