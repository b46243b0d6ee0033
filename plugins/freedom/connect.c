/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connect.c - from a target to a connected stream.
 *
 * An address is one attempt. A name is looked up in both families at once and
 * its addresses are tried as RFC 8305 (happy eyeballs) says: IPv6 first,
 * families in turn, the next attempt when the last one failed or has not
 * answered for STAGGER_US; where the IPv4 answer comes first, the IPv6 one gets
 * RESOLUTION_US more. The first to connect wins, the others are closed.
 *
 * `connecting` lives from open until it answers with stream_ready or fail, or
 * is abandoned; connecting_free gives back all it holds in any of these. The
 * functions that may end it say so: their result is whether it still lives. */
#include <errno.h>
#include <stdlib.h>

#include "freedom.h"

#define STAGGER_US (250 * 1000)	  /* RFC 8305, 5 */
#define RESOLUTION_US (50 * 1000) /* RFC 8305, 3 */

/* Addresses of a family that are tried; the rest of a long answer is not. */
#define FOUND_MAX 8

struct connecting {
	struct pending pending;
	struct freedom *freedom;
	struct weir_end *end;
	struct weir_timer *deadline, *pace;
	struct lookup {
		struct connecting *owner;
		struct weir_query *query; /* NULL: answered, or not asked */
		struct weir_addr *found;
		uint8_t count, tried;
		int err;
	} lookup[FAMILIES];
	struct stream **attempt;
	unsigned attempts;
	enum family next; /* whose turn it is */
	bool trying;	  /* past waiting for the other family's answer */
	uint16_t port;
	int err; /* what the attempts so far say, once all have failed */
};

/* Most targets are an address: room for many is not made for one. */
struct one_address {
	struct connecting connecting; /* first */
	struct weir_addr found;
	struct stream *attempt;
};

struct many_addresses {
	struct connecting connecting; /* first */
	struct weir_addr found[FAMILIES][FOUND_MAX];
	struct stream *attempt[FAMILIES * FOUND_MAX];
};

static struct connecting *connecting_to_name(void)
{
	struct many_addresses *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	for (int i = 0; i < FAMILIES; i++)
		m->connecting.lookup[i].found = m->found[i];
	m->connecting.attempt = m->attempt;
	return &m->connecting;
}

static struct connecting *connecting_to_address(const struct weir_addr *to)
{
	struct one_address *o = calloc(1, sizeof *o);
	struct lookup *l;

	if (!o)
		return NULL;
	o->found = *to;
	o->connecting.attempt = &o->attempt;
	l = &o->connecting.lookup[addr_family(to)];
	l->found = &o->found;
	l->count = 1;
	return &o->connecting;
}

static void connecting_free(struct connecting *c)
{
	const struct weir_host *host = c->freedom->host;

	for (int i = 0; i < FAMILIES; i++)
		if (c->lookup[i].query)
			host->resolve_cancel(c->lookup[i].query);
	for (unsigned i = 0; i < c->attempts; i++)
		stream_free(c->attempt[i]);
	if (c->deadline)
		host->timer_free(c->deadline);
	if (c->pace)
		host->timer_free(c->pace);
	free(c);
}

static bool connecting_fail(struct connecting *c, int err, const char *why)
{
	const struct weir_host *host = c->freedom->host;
	struct weir_end *end = c->end;

	++*c->freedom->n.tcp_failures;
	connecting_free(c);
	host->fail(end, err, why);
	return false;
}

static void connecting_abandon(struct pending *p)
{
	connecting_free((struct connecting *)p);
}

/* A refusal is the far host's own word: no other error hides it. */
static void connecting_note(struct connecting *c, int err)
{
	if (c->err != ECONNREFUSED)
		c->err = err;
}

static void attempt_ready(void *arg, unsigned events);

/* 0 once it is under way, an errno otherwise. */
static int attempt_start(struct connecting *c, const struct weir_addr *to)
{
	struct freedom *f = c->freedom;
	union sockaddr_any sa;
	socklen_t len = addr_to_sockaddr(to, &sa);
	struct stream *s = calloc(1, sizeof *s);
	int err;

	if (!s)
		return ENOMEM;
	s->freedom = f;
	s->attempt = true;
	s->connecting = c;
	s->fd = sock_new(f, addr_family(to), SOCK_STREAM, 0);
	if (s->fd < 0)
		goto out;
	if (connect(s->fd, &sa.sa, len) < 0 && errno != EINPROGRESS)
		goto out;
	/* After connect: a socket that never tried reports a hang-up. */
	s->watch = f->host->watch_new(f->instance, s->fd,
				      WEIR_READABLE | WEIR_WRITABLE,
				      attempt_ready, s);
	if (!s->watch)
		goto out;
	c->attempt[c->attempts++] = s;
	return 0;
out:
	err = errno;
	stream_free(s);
	return err;
}

/* The next address by turns; NULL where none is left now. */
static const struct weir_addr *candidate_next(struct connecting *c)
{
	for (int i = 0; i < FAMILIES; i++) {
		struct lookup *l = &c->lookup[c->next];

		c->next = c->next == V6 ? V4 : V6;
		if (l->tried < l->count)
			return &l->found[l->tried++];
	}
	return NULL;
}

static bool lookup_pending(const struct connecting *c)
{
	return c->lookup[V4].query || c->lookup[V6].query;
}

/* All is tried and nothing is under way: say what came of it. */
static bool connecting_give_up(struct connecting *c)
{
	int err = c->lookup[V4].err;
	char why[FREEDOM_WHY_BYTES];

	if (c->err)
		return connecting_fail(c, c->err,
				       freedom_why(why, "connect", c->err));
	if (err == ENOENT && c->lookup[V6].err)
		err = c->lookup[V6].err;
	if (err == ETIMEDOUT)
		return connecting_fail(c, err, "name look-up timed out");
	return connecting_fail(c, EHOSTUNREACH,
			       err == ENOENT ? "no such name"
					     : "name look-up failed");
}

/* Start the next attempt, or give up. False: `c` has ended. */
static bool connecting_advance(struct connecting *c)
{
	const struct weir_addr *to;

	c->trying = true;
	while ((to = candidate_next(c))) {
		int err = attempt_start(c, to);

		if (!err) {
			if (c->pace)
				c->freedom->host->timer_set(c->pace,
							    STAGGER_US);
			return true;
		}
		connecting_note(c, err);
	}
	if (c->attempts || lookup_pending(c))
		return true;
	return connecting_give_up(c);
}

static void attempt_drop(struct connecting *c, struct stream *s)
{
	unsigned i = 0;

	while (c->attempt[i] != s)
		i++;
	c->attempt[i] = c->attempt[--c->attempts];
}

/* The watch of every stream, attempt or connected. */
static void attempt_ready(void *arg, unsigned events)
{
	struct stream *s = arg;
	struct connecting *c = s->connecting;
	struct weir_end *end;
	socklen_t len = sizeof(int);
	int err = 0;

	if (!s->attempt) {
		stream_ready(s, events);
		return;
	}
	/* An error is shown as both. */
	if (events & WEIR_READABLE)
		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (!err && !(events & WEIR_WRITABLE))
		return;
	attempt_drop(c, s);
	if (err) {
		connecting_note(c, err);
		stream_free(s);
		connecting_advance(c);
		return;
	}
	end = c->end;
	++*c->freedom->n.tcp_connects;
	connecting_free(c);
	stream_begin(s, end, events);
}

static void pace_fire(void *arg)
{
	connecting_advance(arg);
}

static void deadline_fire(void *arg)
{
	struct connecting *c = arg;

	connecting_fail(c, ETIMEDOUT,
			lookup_pending(c) && !c->attempts
				? "name look-up timed out"
				: "connect timed out");
}

static void lookup_done(void *arg, int err, const struct weir_addr *addrs,
			int n)
{
	struct lookup *l = arg;
	struct connecting *c = l->owner;
	enum family family = l == &c->lookup[V6] ? V6 : V4;

	l->query = NULL;
	l->err = err;
	for (int i = 0; !err && i < n && l->count < FOUND_MAX; i++) {
		if (addr_family(&addrs[i]) != family)
			continue;
		l->found[l->count] = addrs[i];
		l->found[l->count++].port = c->port;
	}
	if (!err && !l->count)
		l->err = ENOENT;
	if (c->trying) {
		/* Late: where nothing is under way there is no pace to wait. */
		if (!c->attempts)
			connecting_advance(c);
		else if (l->count)
			c->freedom->host->timer_set(c->pace, STAGGER_US);
	} else if (!lookup_pending(c) || (family == V6 && l->count)) {
		connecting_advance(c);
	} else if (l->count) {
		c->freedom->host->timer_set(c->pace, RESOLUTION_US);
	}
}

static bool lookup_start(struct connecting *c, const char *name)
{
	static const unsigned bit[FAMILIES] = {[V4] = 1, [V6] = 2};
	struct freedom *f = c->freedom;

	c->pace = f->host->timer_new(f->instance, pace_fire, c);
	if (!c->pace)
		return connecting_fail(c, ENOMEM, "out of memory");
	for (int i = 0; i < FAMILIES; i++) {
		struct lookup *l = &c->lookup[i];

		l->owner = c;
		l->query = freedom_resolve(f, name, bit[i], lookup_done, l);
		if (!l->query)
			l->err = EAGAIN;
	}
	return lookup_pending(c) || connecting_give_up(c);
}

struct pending *connect_open(struct freedom *f, struct weir_end *end,
			     const struct weir_addr *target)
{
	bool named = target->kind == WEIR_ADDR_NAME;
	struct connecting *c =
		named ? connecting_to_name() : connecting_to_address(target);
	bool alive;

	if (!c) {
		f->host->fail(end, ENOMEM, "out of memory");
		return NULL;
	}
	c->pending.abandon = connecting_abandon;
	c->freedom = f;
	c->end = end;
	c->port = target->port;
	c->next = V6;
	c->deadline = f->host->timer_new(f->instance, deadline_fire, c);
	if (!c->deadline) {
		connecting_fail(c, ENOMEM, "out of memory");
		return NULL;
	}
	f->host->timer_set(c->deadline, f->conf->dial_timeout_ms * 1000);
	alive = named ? lookup_start(c, target->name) : connecting_advance(c);
	return alive ? &c->pending : NULL;
}
