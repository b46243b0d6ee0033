/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connect.c - from a target to a connected stream.
 *
 * An address is one attempt. A name is looked up (lookup.c) and its addresses
 * are tried as RFC 8305 (happy eyeballs) says: IPv6 first, families in turn,
 * the next attempt when the last one failed or has not answered for STAGGER_US.
 * The first to connect wins, the others are closed.
 *
 * `connecting` lives from open until it answers with stream_ready or fail, or
 * is abandoned; connecting_free gives back all it holds in any of these. The
 * functions that may end it say so: their result is whether it still lives. */
#include <errno.h>
#include <stdlib.h>

#include "lookup.h"

#define STAGGER_US (250 * 1000) /* RFC 8305, 5 */

struct connecting {
	struct pending pending;
	struct freedom *freedom;
	struct weir_end *end;
	struct weir_timer *deadline;
	struct lookup lookup; /* its timer also paces the attempts */
	uint8_t tried[FAMILIES];
	struct stream **attempt;
	unsigned attempts;
	enum family next; /* whose turn it is */
	bool trying;	  /* past waiting for the other family's answer */
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
	lookup_room found;
	struct stream *attempt[FAMILIES * FOUND_MAX];
};

static struct connecting *connecting_to_name(void)
{
	struct many_addresses *m = calloc(1, sizeof *m);

	if (!m)
		return NULL;
	m->connecting.attempt = m->attempt;
	return &m->connecting;
}

static struct connecting *connecting_to_address(const struct weir_addr *to)
{
	struct one_address *o = calloc(1, sizeof *o);
	struct lookup_family *l;

	if (!o)
		return NULL;
	o->found = *to;
	o->connecting.attempt = &o->attempt;
	l = &o->connecting.lookup.of[addr_family(to)];
	l->found = &o->found;
	l->count = 1;
	return &o->connecting;
}

static void connecting_free(struct connecting *c)
{
	const struct weir_host *host = c->freedom->host;

	lookup_fini(&c->lookup);
	for (unsigned i = 0; i < c->attempts; i++)
		stream_free(c->attempt[i]);
	if (c->deadline)
		host->timer_free(c->deadline);
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
	int err, on = 1;

	if (!s)
		return ENOMEM;
	s->freedom = f;
	s->attempt = true;
	s->connecting = c;
	s->fd = sock_new(f, addr_family(to), SOCK_STREAM, 0);
	if (s->fd < 0)
		goto out;
	/* An urgent byte is received in its place among the others (RFC 6093):
	 * the relay has no other way to carry it. */
	setsockopt(s->fd, SOL_SOCKET, SO_OOBINLINE, &on, sizeof on);
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
	err = sock_errno();
	stream_free(s);
	return err;
}

/* The next address by turns; NULL where none is left now. */
static const struct weir_addr *candidate_next(struct connecting *c)
{
	for (int i = 0; i < FAMILIES; i++) {
		const struct lookup_family *l = &c->lookup.of[c->next];
		uint8_t *tried = &c->tried[c->next];

		c->next = c->next == V6 ? V4 : V6;
		if (*tried < l->count)
			return &l->found[(*tried)++];
	}
	return NULL;
}

/* All addresses were tried and no attempt is under way: report why. */
static bool connecting_give_up(struct connecting *c)
{
	int err = c->lookup.of[V4].err;
	char why[FREEDOM_WHY_BYTES];

	if (c->err)
		return connecting_fail(c, c->err,
				       freedom_why(why, "connect", c->err));
	if (err == ENOENT && c->lookup.of[V6].err)
		err = c->lookup.of[V6].err;
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
			if (c->lookup.timer)
				c->freedom->host->timer_set(c->lookup.timer,
							    STAGGER_US);
			return true;
		}
		connecting_note(c, err);
	}
	if (c->attempts || lookup_pending(&c->lookup))
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

/* A refusal is ECONNREFUSED. With these the peer accepted, perhaps sent
 * something, and reset the connection before we looked. */
static bool was_connected(int err)
{
	return err == ECONNRESET || err == EPIPE;
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
	/* An error is told as READABLE and WRITABLE. */
	if (events & WEIR_READABLE)
		getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (!err && !(events & WEIR_WRITABLE))
		return;
	attempt_drop(c, s);
	if (err && !was_connected(err)) {
		connecting_note(c, err);
		stream_free(s);
		connecting_advance(c);
		return;
	}
	end = c->end;
	++*c->freedom->n.tcp_connects;
	connecting_free(c);
	s->lost = (uint8_t)err;
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
			lookup_pending(&c->lookup) && !c->attempts
				? "name look-up timed out"
				: "connect timed out");
}

static void name_answered(struct lookup *l, enum family family)
{
	struct connecting *c =
		(struct connecting *)((char *)l -
				      offsetof(struct connecting, lookup));

	if (!c->trying) {
		if (lookup_settled(l, family))
			connecting_advance(c);
		return;
	}
	/* A late answer. With no attempt under way there is none to wait
	 * for. */
	if (!c->attempts)
		connecting_advance(c);
	else if (l->of[family].count)
		c->freedom->host->timer_set(l->timer, STAGGER_US);
}

static bool name_start(struct connecting *c, const char *name)
{
	struct freedom *f = c->freedom;

	c->lookup.timer = f->host->timer_new(f->instance, pace_fire, c);
	if (!c->lookup.timer)
		return connecting_fail(c, ENOMEM, "out of memory");
	c->lookup.answered = name_answered;
	return lookup_start(&c->lookup, name,
			    ((struct many_addresses *)c)->found) ||
	       connecting_give_up(c);
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
	c->lookup.freedom = f;
	c->lookup.port = target->port;
	c->next = V6;
	c->deadline = f->host->timer_new(f->instance, deadline_fire, c);
	if (!c->deadline) {
		connecting_fail(c, ENOMEM, "out of memory");
		return NULL;
	}
	f->host->timer_set(c->deadline, f->conf->dial_timeout_ms * 1000);
	alive = named ? name_start(c, target->name) : connecting_advance(c);
	return alive ? &c->pending : NULL;
}
