/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Names.
 *
 * Theory of operation: an entry stands for one question (name and families).
 * While c-ares works on it, those who asked wait in its list; once it is
 * answered it serves as the cache. Whoever asks is answered by a task at the
 * end of the turn, cached or not, so that no caller is called back inside its
 * own call. Entries are counted references: the cache holds one, each query
 * another. */
#include "resolve.h"

#include <errno.h>
#include <netdb.h>
#include <stdio.h>

#define uthash_fatal(text) out_of_memory()
#include <uthash.h>

#include "addr.h"
#include "channel.h"
#include "log.h"
#include "util.h"

#define NAME_MAX_BYTES 253 /* RFC 1035, without the root's dot */
#define ANSWERS_MAX 32
#define TTL_LEAST_S 1
#define TTL_MOST_S 3600
#define TTL_NEGATIVE_S 5
#define PENDING_MAX 4096 /* questions that wait for an answer */

struct entry {
	char key[NAME_MAX_BYTES + 3]; /* a digit for the families, the name */
	UT_hash_handle hh;
	struct resolver *resolver;
	unsigned references;
	bool answered, cached;
	int err;
	uint64_t expires_us;
	struct entry *again; /* the next in resolver.again */
	struct weir_query *waiters;
	int count;
	struct weir_addr *addrs;
};

struct weir_query {
	struct weir_task task;
	struct resolver *resolver;
	struct entry *entry; /* NULL: answered with err */
	int err;
	struct weir_query *next, **link; /* in the owner's list */
	struct weir_query *wait_next;	 /* in the entry's */
	resolve_done *done;
	void *arg;
};

struct resolver_socket {
	ares_socket_t fd;
	unsigned events;
	struct loop_watch *watch; /* NULL: it could not be made */
	struct resolver_socket *next;
	struct resolver *resolver;
};

struct resolver {
	const struct config *config;
	struct turn *turn;
	struct channel_conf conf;
	struct channel_file file;
	ares_channel channel;
	struct weir_task renewal;
	struct entry *again; /* questions for the next channel */
	bool renewing;
	struct loop_owner owner;
	struct loop_timer *timer;
	struct resolver_socket *sockets;
	struct entry *cache;
	unsigned pending;
	bool closing;
};

static void arm(struct resolver *r)
{
	struct timeval tv, *left = ares_timeout(r->channel, NULL, &tv);

	if (left)
		loop_timer_set(r->timer, (uint64_t)left->tv_sec * 1000000 +
						 (uint64_t)left->tv_usec);
	else
		loop_timer_stop(r->timer);
}

static void socket_ready(void *arg, unsigned events)
{
	struct resolver_socket *s = arg;
	struct resolver *r = s->resolver;
	ares_socket_t fd = s->fd;

	/* The socket may be closed, and `s` freed, by the first step. */
	ares_process_fd(r->channel,
			events & WEIR_READABLE ? fd : ARES_SOCKET_BAD,
			events & WEIR_WRITABLE ? fd : ARES_SOCKET_BAD);
	arm(r);
}

static void socket_watch(struct resolver_socket *s)
{
	loop_watch_free(s->watch);
	s->watch = loop_watch_new(&s->resolver->owner, s->fd, s->events,
				  socket_ready, s);
}

static void timed_out(void *arg)
{
	struct resolver *r = arg;

	/* Who could not be watched may have been answered meanwhile. */
	for (struct resolver_socket *s = r->sockets; s; s = s->next)
		if (!s->watch)
			socket_watch(s);
	/* Pending questions may have been put to servers that are no longer
	 * right. */
	if (channel_is_stale(r->config, &r->file))
		turn_task(r->turn, &r->renewal);
	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm(r);
}

static void socket_state(void *arg, ares_socket_t fd, int readable,
			 int writable)
{
	struct resolver *r = arg;
	struct resolver_socket **at = &r->sockets, *s;

	while (*at && (*at)->fd != fd)
		at = &(*at)->next;
	s = *at;
	if (!readable && !writable) {
		if (!s)
			return;
		*at = s->next;
		loop_watch_free(s->watch);
		free(s);
		return;
	}
	if (!s) {
		s = xcalloc(1, sizeof *s);
		s->fd = fd;
		s->resolver = r;
		s->next = r->sockets;
		r->sockets = s;
	}
	s->events = (readable ? WEIR_READABLE : 0) |
		    (writable ? WEIR_WRITABLE : 0) | WEIR_LEVEL_TRIGGERED;
	socket_watch(s);
}

static void entry_put(struct entry *e)
{
	if (--e->references)
		return;
	free(e->addrs);
	free(e);
}

static void uncache(struct resolver *r, struct entry *e)
{
	HASH_DEL(r->cache, e);
	e->cached = false;
	entry_put(e);
}

/* uthash keeps the order of insertion: a hit is moved to the end, the first is
 * the least recently asked. */
static void make_room(struct resolver *r)
{
	struct entry *e, *next;

	HASH_ITER(hh, r->cache, e, next) {
		if (HASH_COUNT(r->cache) < r->config->dns_cache_entries)
			return;
		if (e->answered)
			uncache(r, e);
	}
}

static void answer(struct weir_task *task)
{
	struct weir_query *q = container_of(task, struct weir_query, task);
	struct entry *e = q->entry;
	resolve_done *done = q->done;
	void *arg = q->arg;
	int err = e ? e->err : q->err;

	*q->link = q->next;
	if (q->next)
		q->next->link = q->link;
	free(q);
	done(arg, err, e ? e->addrs : NULL, e ? e->count : 0);
	if (e)
		entry_put(e);
}

static void take_addrs(struct entry *e, const struct ares_addrinfo *info)
{
	struct ares_addrinfo_node *n;
	int ttl = TTL_MOST_S;

	e->addrs = xcalloc(ANSWERS_MAX, sizeof *e->addrs);
	for (n = info->nodes; n && e->count < ANSWERS_MAX; n = n->ai_next) {
		struct weir_addr *a = &e->addrs[e->count];

		if (!addr_from_sockaddr(n->ai_addr, a))
			continue;
		a->port = 0;
		e->count++;
		if (n->ai_ttl < ttl)
			ttl = n->ai_ttl;
	}
	if (ttl < TTL_LEAST_S)
		ttl = TTL_LEAST_S;
	e->expires_us = loop_now_us() + (uint64_t)ttl * 1000000;
}

static int errno_of(int status)
{
	switch (status) {
	case ARES_SUCCESS:
		return 0;
	case ARES_ENOTFOUND:
	case ARES_ENODATA:
	case ARES_EBADNAME:
		return ENOENT;
	case ARES_ETIMEOUT:
		return ETIMEDOUT;
	default:
		return EAGAIN;
	}
}

/* Whether a question is to be asked again of the new servers. That holds for
 * all that the old channel gives back as it ends, half answered or not, and for
 * one that failed after resolv.conf has changed. */
static bool is_for_the_next(struct resolver *r, int status)
{
	int err = errno_of(status);

	if (r->renewing || r->closing)
		return r->renewing;
	if (!err || err == ENOENT)
		return false;
	if (channel_is_stale(r->config, &r->file))
		turn_task(r->turn, &r->renewal);
	return r->renewal.queued;
}

/* Only answers are worth remembering, not troubles on the way. */
static bool is_worth_keeping(const struct entry *e)
{
	const struct resolver *r = e->resolver;

	return !r->closing && r->config->dns_cache_entries &&
	       (!e->err || e->err == ENOENT);
}

static void answered(void *arg, int status, int timeouts,
		     struct ares_addrinfo *info)
{
	struct entry *e = arg;
	struct resolver *r = e->resolver;

	(void)timeouts;
	if (is_for_the_next(r, status)) {
		if (info)
			ares_freeaddrinfo(info);
		e->again = r->again;
		r->again = e;
		return;
	}
	e->answered = true;
	e->err = errno_of(status);
	e->expires_us = loop_now_us() + TTL_NEGATIVE_S * 1000000;
	if (info) {
		take_addrs(e, info);
		ares_freeaddrinfo(info);
	}
	if (!e->err && !e->count)
		e->err = ENOENT;
	r->pending--;
	while (e->waiters) {
		struct weir_query *q = e->waiters;

		e->waiters = q->wait_next;
		turn_task(r->turn, &q->task);
	}
	if (e->cached && !is_worth_keeping(e))
		uncache(r, e);
	entry_put(e);
}

/* With a reference, and counted as pending, until it is answered. */
static void ask_servers(struct resolver *r, struct entry *e)
{
	struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT};
	unsigned families = (unsigned)(e->key[0] - '0');

	hints.ai_family = families == RESOLVE_IP4   ? AF_INET
			  : families == RESOLVE_IP6 ? AF_INET6
						    : AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	ares_getaddrinfo(r->channel, e->key + 1, NULL, &hints, answered, e);
	arm(r);
}

/* Never runs inside a call of c-ares. Where no channel can be made, the old
 * servers are better than none. */
static void renew(struct resolver *r)
{
	struct weir_error e;
	ares_channel old = r->channel, fresh;
	struct entry *again;

	turn_forget(r->turn, &r->renewal);
	fresh = channel_new(&r->conf, &r->file, &e);
	if (fresh) {
		log_line(WEIR_INFO, "weir", "dns: resolv.conf was read again");
		r->channel = fresh;
		r->renewing = true;
		ares_destroy(old);
		r->renewing = false;
	} else {
		log_line(WEIR_WARN, "weir", "dns: %s", e.text);
	}
	again = r->again;
	r->again = NULL;
	while (again) {
		struct entry *next = again->again;

		ask_servers(r, again);
		again = next;
	}
}

static void renew_task(struct weir_task *task)
{
	renew(container_of(task, struct resolver, renewal));
}

/* The entry of a question, new or known, with a reference for the caller;
 * NULL: too many are pending. */
static struct entry *entry_get(struct resolver *r, const char *name,
			       unsigned asked)
{
	unsigned families = asked & ~WEIR_RESOLVE_ANEW;
	char key[NAME_MAX_BYTES + 3];
	struct entry *e;

	snprintf(key, sizeof key, "%u%s", families, name);
	for (char *c = key; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c += 'a' - 'A';
	HASH_FIND_STR(r->cache, key, e);
	if (e && e->answered &&
	    (e->expires_us <= loop_now_us() || (asked & WEIR_RESOLVE_ANEW))) {
		uncache(r, e);
		e = NULL;
	}
	if (e) {
		HASH_DEL(r->cache, e);
		HASH_ADD_STR(r->cache, key, e);
		e->references++;
		return e;
	}
	if (r->pending >= PENDING_MAX)
		return NULL;
	if ((asked & WEIR_RESOLVE_ANEW) &&
	    channel_is_stale(r->config, &r->file))
		renew(r);
	make_room(r);
	e = xcalloc(1, sizeof *e);
	memcpy(e->key, key, sizeof key);
	e->resolver = r;
	e->references = 2; /* the cache's and the caller's */
	e->cached = true;
	HASH_ADD_STR(r->cache, key, e);
	e->references++;
	r->pending++;
	ask_servers(r, e);
	return e;
}

struct weir_query *resolver_ask(struct resolver *r, struct weir_query **owner,
				const char *name, unsigned families,
				resolve_done *done, void *arg)
{
	struct weir_query *q = xcalloc(1, sizeof *q);
	bool possible = *name && strlen(name) <= NAME_MAX_BYTES;

	q->resolver = r;
	q->task.run = answer;
	q->done = done;
	q->arg = arg;
	q->link = owner;
	q->next = *owner;
	if (q->next)
		q->next->link = &q->next;
	*owner = q;
	q->err = possible ? EAGAIN : ENOENT;
	if (possible)
		q->entry = entry_get(r, name, families);
	if (!q->entry || q->entry->answered) {
		turn_task(r->turn, &q->task);
	} else {
		q->wait_next = q->entry->waiters;
		q->entry->waiters = q;
	}
	return q;
}

/* It waits for nothing any more. */
static void withdraw(struct weir_query *q)
{
	struct weir_query **at;

	if (q->task.queued) {
		turn_forget(q->resolver->turn, &q->task);
	} else if (q->entry) {
		for (at = &q->entry->waiters; *at != q; at = &(*at)->wait_next)
			;
		*at = q->wait_next;
	}
	if (q->entry)
		entry_put(q->entry);
	q->entry = NULL;
}

void resolver_cancel(struct weir_query *q)
{
	withdraw(q);
	*q->link = q->next;
	if (q->next)
		q->next->link = q->link;
	free(q);
}

void resolver_hush(struct weir_query *owner)
{
	for (; owner; owner = owner->next)
		withdraw(owner);
}

struct resolver *resolver_new(const struct config *c, struct loop *loop,
			      struct turn *turn, struct weir_error *e)
{
	struct resolver *r = xcalloc(1, sizeof *r);
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	r->config = c;
	r->turn = turn;
	r->renewal.run = renew_task;
	r->conf = (struct channel_conf){c, socket_state, r};
	loop_owner_init(&r->owner, loop);
	r->timer = loop_timer_new(&r->owner, timed_out, r);
	if (status == ARES_SUCCESS)
		r->channel = channel_new(&r->conf, &r->file, e);
	else
		weir_error(e, "dns", "%s", ares_strerror(status));
	if (!r->channel) {
		loop_owner_sweep(&r->owner);
		if (status == ARES_SUCCESS)
			ares_library_cleanup();
		free(r);
		return NULL;
	}
	return r;
}

void resolver_free(struct resolver *r)
{
	struct entry *e, *next;

	if (!r)
		return;
	r->closing = true;
	turn_forget(r->turn, &r->renewal);
	while (r->again) {
		e = r->again;
		r->again = e->again;
		entry_put(e);
	}
	ares_destroy(r->channel); /* answers what is pending */
	HASH_ITER(hh, r->cache, e, next)
		uncache(r, e);
	loop_owner_sweep(&r->owner);
	ares_library_cleanup();
	free(r);
}
