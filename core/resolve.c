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

#include <ares.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <uthash.h>

#include "addr.h"
#include "log.h"
#include "sockets.h"
#include "util.h"

#define NAME_MAX_BYTES 253 /* RFC 1035, without the root's dot */
#define ANSWERS_MAX 32
#define TTL_LEAST_S 1
#define TTL_MOST_S 3600
#define TTL_NEGATIVE_S 5
#define TRY_TIMEOUT_MS 2000
#define TRIES 3
#define PENDING_MAX 4096 /* questions that wait for an answer */

struct entry {
	char key[NAME_MAX_BYTES + 3]; /* a digit for the families, the name */
	UT_hash_handle hh;
	struct resolver *resolver;
	unsigned references;
	bool answered, cached;
	int err;
	uint64_t expires_us;
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
	struct loop_watch *watch;
	struct resolver_socket *next;
	struct resolver *resolver;
};

struct resolver {
	const struct config *config;
	struct turn *turn;
	ares_channel channel;
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

static void timed_out(void *arg)
{
	struct resolver *r = arg;

	ares_process_fd(r->channel, ARES_SOCKET_BAD, ARES_SOCKET_BAD);
	arm(r);
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
	loop_watch_free(s->watch);
	s->watch = loop_watch_new(&r->owner, fd,
				  (readable ? WEIR_READABLE : 0) |
					  (writable ? WEIR_WRITABLE : 0) |
					  WEIR_LEVEL_TRIGGERED,
				  socket_ready, s);
}

static int socket_made(ares_socket_t fd, int type, void *arg)
{
	struct resolver *r = arg;

	(void)type;
	return sockets_guard(r->config, fd);
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

static void answered(void *arg, int status, int timeouts,
		     struct ares_addrinfo *info)
{
	struct entry *e = arg;
	struct resolver *r = e->resolver;

	(void)timeouts;
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
	/* Only answers are worth remembering, not troubles on the way. */
	if (e->cached && (r->closing || (e->err && e->err != ENOENT)))
		uncache(r, e);
	entry_put(e);
}

static void ask_servers(struct resolver *r, struct entry *e, unsigned families)
{
	struct ares_addrinfo_hints hints = {.ai_flags = ARES_AI_NOSORT};

	hints.ai_family = families == RESOLVE_IP4   ? AF_INET
			  : families == RESOLVE_IP6 ? AF_INET6
						    : AF_UNSPEC;
	hints.ai_socktype = SOCK_STREAM;
	r->pending++;
	e->references++;
	ares_getaddrinfo(r->channel, e->key + 1, NULL, &hints, answered, e);
	arm(r);
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
	make_room(r);
	e = xcalloc(1, sizeof *e);
	memcpy(e->key, key, sizeof key);
	e->resolver = r;
	e->references = 2; /* the cache's and the caller's */
	e->cached = true;
	HASH_ADD_STR(r->cache, key, e);
	ask_servers(r, e, families);
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

void resolver_cancel(struct weir_query *q)
{
	struct weir_query **at;

	if (q->task.queued) {
		turn_forget(q->resolver->turn, &q->task);
	} else {
		for (at = &q->entry->waiters; *at != q; at = &(*at)->wait_next)
			;
		*at = q->wait_next;
	}
	*q->link = q->next;
	if (q->next)
		q->next->link = q->link;
	if (q->entry)
		entry_put(q->entry);
	free(q);
}

static struct ares_addr_port_node node_of(const struct weir_addr *a)
{
	struct ares_addr_port_node n = {
		.family = a->kind == WEIR_ADDR_IP6 ? AF_INET6 : AF_INET,
		.udp_port = a->port,
		.tcp_port = a->port,
	};

	memcpy(&n.addr, a->ip, n.family == AF_INET6 ? 16 : 4);
	return n;
}

/* c-ares begins with those of resolv.conf. */
static bool use_servers(struct resolver *r, struct weir_error *e)
{
	const struct config_dns_server *s = r->config->dns_servers.items;
	size_t count = r->config->dns_servers.count;
	struct ares_addr_port_node *nodes, *system = NULL;
	int status = ARES_SUCCESS;

	if (!count)
		return true;
	if (r->config->dns_system)
		status = ares_get_servers_ports(r->channel, &system);
	nodes = xcalloc(count, sizeof *nodes);
	for (size_t i = 0; i < count; i++) {
		nodes[i] = node_of(&s[i].address);
		nodes[i].next = i + 1 < count ? &nodes[i + 1] : system;
	}
	if (status == ARES_SUCCESS)
		status = ares_set_servers_ports(r->channel, nodes);
	ares_free_data(system);
	free(nodes);
	return status == ARES_SUCCESS ||
	       weir_error(e, "dns", "%s", ares_strerror(status));
}

struct resolver *resolver_new(const struct config *c, struct loop *loop,
			      struct turn *turn, struct weir_error *e)
{
	struct resolver *r = xcalloc(1, sizeof *r);
	struct ares_options options = {
		.timeout = TRY_TIMEOUT_MS,
		.tries = TRIES,
		.sock_state_cb = socket_state,
		.sock_state_cb_data = r,
	};
	int status = ares_library_init(ARES_LIB_INIT_ALL);

	r->config = c;
	r->turn = turn;
	loop_owner_init(&r->owner, loop);
	r->timer = loop_timer_new(&r->owner, timed_out, r);
	if (status == ARES_SUCCESS)
		status = ares_init_options(&r->channel, &options,
					   ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
						   ARES_OPT_SOCK_STATE_CB);
	if (status != ARES_SUCCESS) {
		weir_error(e, "dns", "%s", ares_strerror(status));
		loop_owner_sweep(&r->owner);
		free(r);
		return NULL;
	}
	ares_set_socket_configure_callback(r->channel, socket_made, r);
	if (!use_servers(r, e)) {
		resolver_free(r);
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
	ares_destroy(r->channel); /* answers what is pending */
	HASH_ITER(hh, r->cache, e, next)
		uncache(r, e);
	loop_owner_sweep(&r->owner);
	ares_library_cleanup();
	free(r);
}
