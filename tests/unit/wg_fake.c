/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A plain array of peers, looked through from its start; keys in tests of many
 * peers are numbers, which name their place. */
#include "wg_fake.h"

#include <errno.h>
#include <stdlib.h>

#define FEW 100 /* peers; with more, keys are numbers */

static bool same_cidr(const struct weir_cidr *a, const struct weir_cidr *b)
{
	return a->bits == b->bits && weir_addr_equal(&a->base, &b->base);
}

static void take_prefix(struct wg_peer *p, const struct weir_cidr *c)
{
	struct weir_cidr *all = p->allowed.items;

	for (size_t i = 0; i < p->allowed.count; i++)
		if (same_cidr(&all[i], c))
			all[i--] = all[--p->allowed.count];
}

static void give_prefix(struct wg_device *d, struct wg_peer *p,
			const struct wg_allowed *a)
{
	struct weir_cidr *all;

	/* Thousands of peers are given their own only. */
	for (size_t i = 0; i < d->count && d->count < FEW; i++)
		take_prefix(d->peers[i], &a->prefix);
	if (a->remove)
		return;
	all = reallocarray(p->allowed.items, p->allowed.count + 1, sizeof *all);
	all[p->allowed.count++] = a->prefix;
	p->allowed.items = all;
}

struct wg_peer *wg_peer_find(const struct wg_device *d,
			     const uint8_t key[WG_KEY_BYTES])
{
	uint32_t guess;

	memcpy(&guess, key, sizeof guess);
	if (guess < d->count && !d->peers[guess]->gone &&
	    memcmp(d->peers[guess]->public_key, key, WG_KEY_BYTES) == 0)
		return d->peers[guess];
	for (size_t i = 0; i < d->count && d->count < FEW; i++)
		if (!d->peers[i]->gone &&
		    memcmp(d->peers[i]->public_key, key, WG_KEY_BYTES) == 0)
			return d->peers[i];
	return NULL;
}

static struct wg_peer *add(struct wg_device *d, const uint8_t *key)
{
	struct wg_peer *p = calloc(1, sizeof *p);

	if (d->count == d->room) {
		d->room = d->room ? 2 * d->room : 16;
		d->peers = reallocarray(d->peers, d->room, sizeof *d->peers);
	}
	memcpy(p->public_key, key, WG_KEY_BYTES);
	d->peers[d->count++] = p;
	return p;
}

static void set_peer(struct wg_device *d, const struct wg_peer_set *s)
{
	struct wg_peer *p = wg_peer_find(d, s->public_key);

	if (s->flags & WG_PEER_REMOVE) {
		if (p)
			p->gone = true;
		return;
	}
	if (!p && (s->flags & WG_PEER_UPDATE_ONLY))
		return;
	if (!p)
		p = add(d, s->public_key);
	if (s->flags & WG_PEER_REPLACE_ALLOWED)
		p->allowed.count = 0;
	if (s->flags & WG_PEER_PSK)
		memcpy(p->psk, s->psk, WG_KEY_BYTES);
	if (s->flags & WG_PEER_ENDPOINT)
		p->info.endpoint = s->endpoint;
	if (s->flags & WG_PEER_KEEPALIVE)
		p->info.keepalive_s = s->keepalive_s;
	for (uint32_t i = 0; i < s->allowed_count; i++)
		give_prefix(d, p, &s->allowed[i]);
}

static void peers_free(struct wg_device *d)
{
	for (size_t i = 0; i < d->count; i++) {
		free(d->peers[i]->allowed.items);
		free(d->peers[i]);
	}
	d->count = 0;
}

bool wg_set_check(struct wg_device *d, const struct wg_set *s,
		  struct weir_error *e)
{
	(void)s;
	errno = d->refuse;
	return !d->refuse || weir_error(e, NULL, "the engine says no");
}

bool wg_set(struct wg_device *d, const struct wg_set *s, uint64_t now_us,
	    struct weir_error *e)
{
	(void)now_us;
	if (!wg_set_check(d, s, e))
		return false;
	d->sets++;
	if (s->flags & WG_SET_PRIVATE_KEY)
		memcpy(d->private_key, s->private_key, WG_KEY_BYTES);
	if (s->flags & WG_SET_REPLACE_PEERS)
		peers_free(d);
	for (uint32_t i = 0; i < s->peer_count; i++)
		set_peer(d, &s->peers[i]);
	return true;
}

void wg_get_keys(const struct wg_device *d, uint8_t private_key[WG_KEY_BYTES],
		 uint8_t public_key[WG_KEY_BYTES])
{
	memcpy(private_key, d->private_key, WG_KEY_BYTES);
	memset(public_key, 0, WG_KEY_BYTES);
}

struct wg_peer *wg_peer_next(const struct wg_device *d, const struct wg_peer *p)
{
	static size_t last; /* where p was */
	size_t i = 0;

	if (p) {
		i = last < d->count && d->peers[last] == p ? last : 0;
		while (d->peers[i] != p)
			i++;
		i++;
	}
	while (i < d->count && d->peers[i]->gone)
		i++;
	last = i;
	return i < d->count ? d->peers[i] : NULL;
}

void wg_peer_get(const struct wg_peer *p, struct wg_peer_info *info)
{
	*info = p->info;
}

const uint8_t *wg_peer_key(const struct wg_peer *p)
{
	return p->public_key;
}

const uint8_t *wg_peer_psk(const struct wg_peer *p)
{
	return p->psk;
}

void wg_peer_allowed(const struct wg_peer *p, const struct weir_cidr *after,
		     bool (*each)(void *arg, const struct weir_cidr *),
		     void *arg)
{
	const struct weir_cidr *all = p->allowed.items;
	size_t i = 0;

	while (after && i < p->allowed.count &&
	       memcmp(&all[i], after, sizeof *after) != 0)
		i++;
	for (i += after != NULL; i < p->allowed.count; i++)
		if (!each(arg, &all[i]))
			return;
}

void wg_fake_clear(struct wg_device *d)
{
	peers_free(d);
	free(d->peers);
	*d = (struct wg_device){0};
}
