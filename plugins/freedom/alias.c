/* SPDX-License-Identifier: GPL-2.0-or-later */
/* alias.c - peers that go by another address than the core knows.
 *
 * A peer given by name, or one that `redirect` moves, has an alias: the peer as
 * the core knows it beside the address datagrams really go to. Replies from
 * that address are shown as the peer's, so nobody sees the difference. Where
 * two peers lead to one address, the one last spoken to is shown.
 *
 * The flow of a client that never stops asking never ends, and its questions
 * would for ever go to an address that the peer has left. So a name whose peer
 * is asked and stays silent is looked up again; while that lasts, and where the
 * name still has the address, nothing changes.
 *
 * While a name is looked up a few datagrams are held; more are dropped, also
 * where all legs together hold HELD_TOTAL_MAX or wait for NAMINGS_MAX names. A
 * leg keeps a bounded number of aliases, the least recently used one goes
 * first. */
#include <errno.h>
#include <stdlib.h>

#include "lookup.h"
#include "udp.h"

#define ALIASES_MAX 32
#define HELD_MAX 16
#define HELD_BYTES_MAX (128 * 1024)
#define SILENT_US 15000000

struct held {
	struct held *next;
	uint32_t len;
	uint16_t segment;
	uint8_t data[];
};

/* What is needed while a name is looked up. */
struct naming {
	struct lookup lookup; /* first */
	lookup_room found;
	struct alias *alias;
};

struct alias {
	struct alias *next;
	struct udp *udp;
	struct weir_addr shown;
	struct weir_addr real; /* kind NONE while it is first looked up */
	struct naming *naming; /* NULL once answered */
	uint64_t asked_us;     /* what it has not answered yet; 0: nothing */
	struct held *held;     /* oldest first */
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

static void naming_end(struct alias *a)
{
	if (!a->naming)
		return;
	a->udp->freedom->namings--;
	lookup_fini(&a->naming->lookup);
	free(a->naming);
	a->naming = NULL;
}

static void alias_free(struct alias *a)
{
	struct freedom *f = a->udp->freedom;
	struct held *h;

	naming_end(a);
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

/* The first address that has a route, IPv6 before IPv4; else the first, once no
 * other can come. */
static const struct weir_addr *pick(const struct lookup *l)
{
	const struct lookup_family *v4 = &l->of[V4], *v6 = &l->of[V6];

	for (int i = 0; i < v6->count; i++)
		if (sock_reachable(l->freedom, &v6->found[i]))
			return &v6->found[i];
	if (v4->count)
		return v4->found;
	return v6->count && !lookup_pending(l) ? v6->found : NULL;
}

static bool is_among(const struct lookup *l, const struct weir_addr *real)
{
	const struct lookup_family *of = &l->of[addr_family(real)];

	for (int i = 0; i < of->count; i++)
		if (weir_addr_equal(&of->found[i], real))
			return true;
	return false;
}

/* It was looked up again. */
static void alias_move(struct alias *a)
{
	const struct lookup *l = &a->naming->lookup;
	const struct weir_addr *real;

	if (lookup_pending(l))
		return;
	real = is_among(l, &a->real) ? NULL : pick(l);
	if (real)
		a->real = *real;
	naming_end(a);
}

static void alias_settle(struct alias *a)
{
	struct udp *u = a->udp;
	const struct lookup *l = &a->naming->lookup;
	const struct weir_addr *real;
	struct held *h;

	if (a->real.kind != WEIR_ADDR_NONE) {
		alias_move(a);
		return;
	}
	real = pick(l);
	if (!real && lookup_pending(l))
		return;
	if (!real) {
		u->freedom->host->unreachable(u->end, &a->shown, EHOSTUNREACH);
		alias_unlink(a);
		alias_free(a);
		return;
	}
	a->real = *real;
	naming_end(a);
	while ((h = held_take(a))) {
		struct weir_datagram d = {&a->shown, h->data, h->len,
					  h->segment};

		udp_send(u, &d, 1);
		free(h);
	}
}

static void name_answered(struct lookup *l, enum family family)
{
	if (lookup_settled(l, family))
		alias_settle(((struct naming *)l)->alias);
}

static void waited_enough(void *arg)
{
	alias_settle(arg);
}

/* False: it cannot be looked up. */
static bool naming_start(struct alias *a, const struct weir_addr *name)
{
	struct freedom *f = a->udp->freedom;
	struct naming *n = NULL;

	if (f->namings < NAMINGS_MAX)
		n = calloc(1, sizeof *n);
	if (!n)
		return false;
	f->namings++;
	a->naming = n;
	n->alias = a;
	n->lookup.freedom = f;
	n->lookup.answered = name_answered;
	n->lookup.port = name->port;
	n->lookup.timer = f->host->timer_new(f->instance, waited_enough, a);
	if (n->lookup.timer && lookup_start(&n->lookup, name->name, n->found))
		return true;
	naming_end(a);
	return false;
}

static struct alias *alias_new(struct udp *u, const struct weir_addr *shown,
			       const struct weir_addr *real)
{
	const char *name = shown->kind == WEIR_ADDR_NAME ? shown->name : "";
	struct alias *a = calloc(1, sizeof *a + strlen(name) + 1);

	if (!a)
		return NULL;
	a->udp = u;
	a->shown = *shown;
	if (shown->kind == WEIR_ADDR_NAME)
		a->shown.name = strcpy(a->name, name);
	if (real->kind != WEIR_ADDR_NAME) {
		a->real = *real;
	} else if (!naming_start(a, real)) {
		free(a);
		return NULL;
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

/* Something is sent to where the name `real` leads. */
static void alias_asked(struct alias *a, const struct weir_addr *real)
{
	uint64_t now_us = a->udp->freedom->host->now_us();

	if (a->asked_us && now_us - a->asked_us < SILENT_US)
		return;
	if (a->asked_us && !a->naming)
		naming_start(a, real);
	a->asked_us = now_us;
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
	if (a->real.kind == WEIR_ADDR_NONE) {
		alias_hold(a, d);
		return NULL;
	}
	if (real.kind == WEIR_ADDR_NAME)
		alias_asked(a, &real);
	return &a->real;
}

static struct alias *alias_at(const struct udp *u, const struct weir_addr *real)
{
	for (struct alias *a = u->aliases; a; a = a->next)
		if (weir_addr_equal(&a->real, real))
			return a;
	return NULL;
}

const struct weir_addr *alias_shown(const struct udp *u,
				    const struct weir_addr *real)
{
	const struct alias *a = alias_at(u, real);

	return a ? &a->shown : real;
}

const struct weir_addr *alias_heard(struct udp *u, const struct weir_addr *real)
{
	struct alias *a = alias_at(u, real);

	if (!a)
		return real;
	a->asked_us = 0;
	return &a->shown;
}

void alias_free_all(struct udp *u)
{
	while (u->aliases) {
		struct alias *a = u->aliases;

		alias_unlink(a);
		alias_free(a);
	}
}
