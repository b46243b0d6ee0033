/* SPDX-License-Identifier: GPL-2.0-or-later */
/* endpoint.c - from a peer's name to where it is.
 *
 * The first attempt of a handshake looks the name up if nothing is known; each
 * further one asks the name servers anew, because a missing answer mostly means
 * that the server has moved. Of several addresses each attempt takes the next
 * that has a route. An answer is late, and not taken, when the peer was heard
 * of meanwhile; what wg has set holds against the name for good.
 *
 * A change of the network asks as well. Where the way to a peer has changed the
 * answer is followed at once. Where it has not, the name servers may know less
 * than we do: a handshake goes to where the peer was last heard, and its first
 * retry to where they say. */
#include "endpoint.h"

#include <errno.h>
#include <stdlib.h>

#include "path.h"
#include "value.h"

#define ASK_AGAIN_US 4000000ull /* a peer's name, at the most so often */
#define BOTH_FAMILIES 3u

struct endpoint {
	struct endpoints *owner;
	struct wg_peer *peer; /* NULL: gone, or not asked for yet */
	struct weir_query *query;
	uint64_t asked_us;
	uint64_t placed; /* the peer's when it was asked */
	bool changed;	 /* asked because the network has changed */
	bool stays;	 /* but not the way to where the peer is */
	unsigned turn;	 /* which of the addresses comes next */
	/* Where the peer is by its name, if that is another place than before;
	 * NONE: it is not. */
	struct weir_addr elsewhere;
};

struct endpoints {
	struct tunnel *tunnel;
	struct endpoint *all; /* one a peer of the settings */
};

struct endpoints *endpoints_new(struct tunnel *t)
{
	uint32_t count = t->conf.settings->peer_count;
	struct endpoints *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->tunnel = t;
	s->all = calloc(count + 1, sizeof *s->all);
	if (!s->all) {
		free(s);
		return NULL;
	}
	for (uint32_t i = 0; i < count; i++)
		s->all[i].owner = s;
	return s;
}

static void endpoint_cancel(struct endpoint *e)
{
	if (e->query)
		e->owner->tunnel->conf.host->resolve_cancel(e->query);
	e->query = NULL;
	e->changed = false;
	e->elsewhere = (struct weir_addr){0};
}

void endpoints_forget(struct endpoints *s)
{
	for (uint32_t i = 0; s && i < s->tunnel->conf.settings->peer_count; i++)
		endpoint_cancel(&s->all[i]);
}

void endpoints_free(struct endpoints *s)
{
	if (!s)
		return;
	endpoints_forget(s);
	free(s->all);
	free(s);
}

/* Its name, as the settings have it; NULL: there is none. */
static struct endpoint *endpoint_of(struct endpoints *s,
				    const struct wg_peer *p)
{
	const struct wg_peer_settings *peer = wg_peer_user(p);

	if (!peer || peer->endpoint.kind != WEIR_ADDR_NAME)
		return NULL;
	return &s->all[peer - s->tunnel->conf.settings->peers];
}

static struct weir_addr choose(struct endpoint *e,
			       const struct weir_addr *addrs, int n)
{
	struct tunnel *t = e->owner->tunnel;
	struct wg_endpoint to = {0};

	for (int i = 0; i < n; i++) {
		to.addr = addrs[e->turn++ % (unsigned)n];
		value_unmap(&to.addr);
		if (t->conf.wire || path_leads(t, &to))
			return to.addr;
	}
	to.addr = addrs[0];
	value_unmap(&to.addr);
	return to.addr;
}

/* Is the peer still at one of these? */
static bool is_among(const struct endpoint *e, const struct weir_addr *addrs,
		     int n)
{
	struct wg_peer_info info;
	bool same = false;

	wg_peer_get(e->peer, &info);
	for (int i = 0; i < n && !same; i++) {
		struct weir_addr a = addrs[i];

		value_unmap(&a);
		a.port = info.endpoint.addr.port;
		same = weir_addr_equal(&a, &info.endpoint.addr);
	}
	return same;
}

static uint64_t placed(const struct wg_peer *p)
{
	struct wg_peer_info info;

	wg_peer_get(p, &info);
	return info.placed;
}

static void follow(struct endpoint *e)
{
	struct wg_endpoint to = {.addr = e->elsewhere};

	e->elsewhere = (struct weir_addr){0};
	wg_peer_set_endpoint(e->peer, &to);
}

static void endpoint_found(void *arg, int err, const struct weir_addr *addrs,
			   int n)
{
	struct endpoint *e = arg;
	struct tunnel *t = e->owner->tunnel;
	const struct wg_peer_settings *s = wg_peer_user(e->peer);
	bool changed = e->changed;

	e->query = NULL;
	e->changed = false;
	if (placed(e->peer) != e->placed)
		return;
	if (err || n < 1) {
		/* Each retry of a handshake asks again. */
		t->conf.host->log(t->conf.instance, WEIR_WARN,
				  "the endpoint %s cannot be looked up: %s",
				  s->endpoint.name,
				  strerror(err ? err : EHOSTUNREACH));
		return;
	}
	if (changed && is_among(e, addrs, n))
		return;
	e->elsewhere = choose(e, addrs, n);
	e->elsewhere.port = s->endpoint.port;
	if (!changed || !e->stays)
		follow(e);
	if (changed)
		wg_peer_connect(e->peer, true, t->conf.host->now_us());
}

/* May its name be asked for? */
static bool is_open(const struct wg_peer *p, bool again)
{
	struct wg_peer_info info;

	wg_peer_get(p, &info);
	return !info.endpoint_given &&
	       (again || info.endpoint.addr.kind == WEIR_ADDR_NONE);
}

static void ask(struct endpoint *e, struct wg_peer *p, bool anew)
{
	struct tunnel *t = e->owner->tunnel;
	const struct wg_peer_settings *peer = wg_peer_user(p);

	e->asked_us = t->conf.host->now_us();
	e->peer = p;
	e->placed = placed(p);
	e->elsewhere = (struct weir_addr){0};
	e->query = t->conf.host->resolve(t->conf.instance, peer->endpoint.name,
					 BOTH_FAMILIES |
						 (anew ? WEIR_RESOLVE_ANEW : 0),
					 endpoint_found, e);
}

void endpoint_wanted(struct endpoints *s, struct wg_peer *p, bool again)
{
	uint64_t now_us = s->tunnel->conf.host->now_us();
	struct endpoint *e = endpoint_of(s, p);

	if (!e || e->query || !is_open(p, again))
		return;
	if (e->elsewhere.kind != WEIR_ADDR_NONE && placed(p) == e->placed)
		follow(e);
	else if (!e->asked_us || now_us - e->asked_us >= ASK_AGAIN_US)
		ask(e, p, again);
}

/* Asked at once: the network changes rarely, so ASK_AGAIN_US does not apply. */
void endpoint_refresh(struct endpoints *s, struct wg_peer *p, bool stays)
{
	struct endpoint *e = endpoint_of(s, p);

	if (!e || !is_open(p, true))
		return;
	if (!e->query)
		ask(e, p, true);
	e->changed = e->query;
	e->stays = stays;
}

void endpoint_forget(struct endpoints *s, struct wg_peer *p)
{
	struct endpoint *e = s ? endpoint_of(s, p) : NULL;

	if (e)
		endpoint_cancel(e);
}
