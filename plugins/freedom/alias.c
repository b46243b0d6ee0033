/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alias.c - peers that go by another address than the core knows.
 *
 * A peer given by name, or one that `redirect` moves, has an alias: the peer as
 * the core knows it beside the address datagrams really go to. Replies from
 * that address are shown as the peer's, so nobody sees the difference. Where
 * two peers lead to one address, the one last spoken to is shown.
 *
 * While a name is looked up a few datagrams are held; more are dropped, also
 * where all legs together hold HELD_TOTAL_MAX. A leg keeps a bounded number of
 * aliases, the least recently used one goes first. */
#include <errno.h>
#include <stdlib.h>

#include "udp.h"

#define ALIASES_MAX 32
#define HELD_MAX 16
#define HELD_BYTES_MAX (128 * 1024)

struct held {
	struct held *next;
	uint32_t len;
	uint16_t segment;
	uint8_t data[];
};

struct alias {
	struct alias *next;
	struct udp *udp;
	struct weir_addr shown;
	struct weir_addr real;	  /* kind NONE while it is looked up */
	struct weir_query *query; /* NULL once answered */
	struct held *held;	  /* oldest first */
	unsigned held_count;
	uint32_t held_bytes;
	char name[]; /* what shown.name points to */
};

static uint32_t held_cost(uint32_t len)
{
	return (uint32_t)sizeof(struct held) + len;
}

/* The oldest, to be freed; NULL: none is left. */
static struct held *held_take(struct alias *a)
{
	struct held *h = a->held;

	if (!h)
		return NULL;
	a->held = h->next;
	a->held_count--;
	a->held_bytes -= h->len;
	a->udp->freedom->held_bytes -= held_cost(h->len);
	return h;
}

static void alias_free(struct alias *a)
{
	struct freedom *f = a->udp->freedom;
	struct held *h;

	if (a->query)
		f->host->resolve_cancel(a->query);
	while ((h = held_take(a))) {
		++*f->n.udp_dropped;
		free(h);
	}
	free(a);
}

static void alias_unlink(struct alias *a)
{
	struct alias **at = &a->udp->aliases;

	while (*at != a)
		at = &(*at)->next;
	*at = a->next;
	a->udp->alias_count--;
}

static void alias_link(struct alias *a)
{
	a->next = a->udp->aliases;
	a->udp->aliases = a;
	a->udp->alias_count++;
}

static void alias_hold(struct alias *a, const struct weir_datagram *d)
{
	struct freedom *f = a->udp->freedom;
	struct held **at = &a->held, *h = NULL;

	if (a->held_count < HELD_MAX &&
	    a->held_bytes + d->len <= HELD_BYTES_MAX &&
	    f->held_bytes + held_cost(d->len) <= HELD_TOTAL_MAX)
		h = malloc(held_cost(d->len));
	if (!h) {
		++*f->n.udp_dropped;
		return;
	}
	h->next = NULL;
	h->len = d->len;
	h->segment = d->segment;
	if (d->len)
		memcpy(h->data, d->data, d->len);
	while (*at)
		at = &(*at)->next;
	*at = h;
	a->held_count++;
	a->held_bytes += d->len;
	f->held_bytes += held_cost(d->len);
}

/* The first address that has a route, IPv6 before IPv4; else the first. */
static const struct weir_addr *pick(struct freedom *f,
				    const struct weir_addr *addrs, int n)
{
	for (int i = 0; i < n; i++)
		if (addrs[i].kind == WEIR_ADDR_IP6 &&
		    sock_reachable(f, &addrs[i]))
			return &addrs[i];
	for (int i = 0; i < n; i++)
		if (addrs[i].kind == WEIR_ADDR_IP4)
			return &addrs[i];
	return &addrs[0];
}

static void alias_resolved(void *arg, int err, const struct weir_addr *addrs,
			   int n)
{
	struct alias *a = arg;
	struct udp *u = a->udp;
	uint16_t port = a->real.port;
	struct held *h;

	a->query = NULL;
	if (err || n < 1) {
		u->freedom->host->unreachable(u->end, &a->shown, EHOSTUNREACH);
		alias_unlink(a);
		alias_free(a);
		return;
	}
	a->real = *pick(u->freedom, addrs, n);
	a->real.port = port;
	while ((h = held_take(a))) {
		struct weir_datagram d = {&a->shown, h->data, h->len,
					  h->segment};

		udp_send(u, &d, 1);
		free(h);
	}
}

static struct alias *alias_new(struct udp *u, const struct weir_addr *shown,
			       const struct weir_addr *real)
{
	struct freedom *f = u->freedom;
	const char *name = shown->kind == WEIR_ADDR_NAME ? shown->name : "";
	struct alias *a = calloc(1, sizeof *a + strlen(name) + 1);

	if (!a)
		return NULL;
	a->udp = u;
	a->shown = *shown;
	if (shown->kind == WEIR_ADDR_NAME)
		a->shown.name = strcpy(a->name, name);
	a->real = *real;
	if (real->kind == WEIR_ADDR_NAME) {
		a->real.kind = WEIR_ADDR_NONE;
		a->query = freedom_resolve(f, real->name, 3, alias_resolved, a);
		if (!a->query) {
			free(a);
			return NULL;
		}
	}
	while (u->alias_count >= ALIASES_MAX) {
		struct alias *last = u->aliases;

		while (last->next)
			last = last->next;
		alias_unlink(last);
		alias_free(last);
	}
	alias_link(a);
	return a;
}

static struct alias *alias_get(struct udp *u, const struct weir_addr *shown,
			       const struct weir_addr *real)
{
	for (struct alias *a = u->aliases; a; a = a->next) {
		if (!weir_addr_equal(&a->shown, shown))
			continue;
		if (a != u->aliases) {
			alias_unlink(a);
			alias_link(a);
		}
		return a;
	}
	return alias_new(u, shown, real);
}

const struct weir_addr *alias_route(struct udp *u,
				    const struct weir_datagram *d)
{
	struct weir_addr real = freedom_target(u->freedom, d->peer);
	struct alias *a;

	if (real.kind != WEIR_ADDR_NAME && weir_addr_equal(&real, d->peer))
		return d->peer;
	a = alias_get(u, d->peer, &real);
	if (!a) {
		++*u->freedom->n.udp_dropped;
		return NULL;
	}
	if (!a->query)
		return &a->real;
	alias_hold(a, d);
	return NULL;
}

const struct weir_addr *alias_shown(const struct udp *u,
				    const struct weir_addr *real)
{
	for (const struct alias *a = u->aliases; a; a = a->next)
		if (weir_addr_equal(&a->real, real))
			return &a->shown;
	return real;
}

void alias_free_all(struct udp *u)
{
	while (u->aliases) {
		struct alias *a = u->aliases;

		alias_unlink(a);
		alias_free(a);
	}
}
