/* SPDX-License-Identifier: GPL-2.0-or-later */
/* realhost.c - see realhost.h.
 *
 * An epoll set and a few lists, all owned by the instance. Handles are counted
 * rather than swept, so that a test sees what an outbound forgot. */
#include <dirent.h>
#include <errno.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "realhost_table.h"

#define WAIT_MS 10

static int fds_open(void)
{
	DIR *d = opendir("/proc/self/fd");
	int n = 0;

	while (readdir(d))
		n++;
	closedir(d);
	return n;
}

struct weir_instance *real_new(const struct weir_component *component,
			       const void *conf, const struct real_name *names)
{
	struct weir_instance *i = calloc(1, sizeof *i);
	struct weir_error e;

	i->fds = fds_open();
	i->epoll = epoll_create1(EPOLL_CLOEXEC);
	i->component = component;
	i->names = names;
	i->self = component->create(i, &real_host, conf, &e);
	must(i->self && component->start(i->self, &e));
	return i;
}

void *real_self(struct weir_instance *i)
{
	return i->self;
}

unsigned real_lookups(struct weir_instance *i)
{
	return i->lookups;
}

uint64_t real_counter(struct weir_instance *i, const char *name)
{
	return *real_host.counter(i, name);
}

void real_refuse(struct weir_instance *i, int domain, int type, int err)
{
	i->refuse_domain = domain;
	i->refuse_type = type;
	i->refuse_err = err;
}

void real_via(struct weir_instance *i, struct weir_instance *outbound)
{
	i->via = outbound;
}

struct weir_end *real_open(struct weir_instance *i,
			   const struct weir_addr *target, enum weir_net net)
{
	const struct weir_outbound_ops *ops = i->component->ops;
	struct weir_end *end = calloc(1, sizeof *end);

	end->host = i;
	i->pending = ops->open(i->self, end, target, net);
	return end;
}

void real_abandon(struct weir_instance *i, struct weir_end *end)
{
	const struct weir_outbound_ops *ops = i->component->ops;

	ops->abandon(i->self, i->pending);
	free(end);
}

void real_end_free(struct weir_end *end, int err)
{
	if (end->stream)
		end->stream->close(end->object, err);
	if (end->flow)
		end->flow->close(end->object, err);
	free(end);
}

static bool query_run(struct weir_instance *i)
{
	struct weir_query *q = i->queries;
	struct weir_addr addrs[8];
	int n = 0, err = ENOENT;

	while (q && q->due_us > real_us())
		q = q->next;
	if (!q)
		return false;
	for (int f = 0; f < 2; f++) {
		if (!q->answer[f])
			continue;
		err = q->answer[f]->err;
		for (int k = 0; k < q->answer[f]->count; k++)
			addrs[n++] = q->answer[f]->addr[k];
	}
	void (*done)(void *, int, const struct weir_addr *, int) = q->done;
	void *arg = q->arg;

	real_host.resolve_cancel(q);
	done(arg, n ? 0 : err ? err : ENOENT, addrs, n);
	return true;
}

static void dials_run(struct weir_instance *i)
{
	for (struct weir_dial *d = i->dials, *next; d; d = next) {
		const struct weir_outbound_ops *ops = i->component->ops;

		next = d->next;
		if (d->opened)
			continue;
		d->opened = true;
		/* May fail at once and be gone: keep what it returned only
		 * where it lives on. */
		void *pending = ops->open(i->self, d->end, &d->target, d->net);

		for (struct weir_dial *l = i->dials; l; l = l->next)
			if (l == d)
				d->pending = pending;
	}
}

static bool timer_run(struct weir_instance *i)
{
	for (struct weir_timer *t = i->timers; t; t = t->next) {
		if (!t->due_us || t->due_us > real_us())
			continue;
		t->due_us = 0;
		t->fire(t->arg);
		return true;
	}
	return false;
}

static void events_run(struct weir_instance *i, int wait_ms)
{
	struct epoll_event e[16];
	int n = epoll_wait(i->epoll, e, 16, wait_ms);

	for (int k = 0; k < n; k++) {
		struct weir_watch *w = e[k].data.ptr;
		unsigned events = 0;

		if (e[k].events & ~(uint32_t)EPOLLOUT)
			events |= WEIR_READABLE;
		if (e[k].events & (EPOLLOUT | EPOLLERR | EPOLLHUP))
			events |= WEIR_WRITABLE;
		if (e[k].events & ~(uint32_t)(EPOLLIN | EPOLLOUT))
			events |= WEIR_READ_ON;
		if (!w->dead)
			w->ready(w->arg, events);
	}
	while (i->dead) {
		struct weir_watch *w = i->dead;

		i->dead = w->next;
		free(w);
	}
}

void real_turn(struct weir_instance *i)
{
	struct weir_task *t;

	events_run(i, i->tasks ? 0 : WAIT_MS);
	while (timer_run(i) || query_run(i))
		;
	t = i->tasks;
	i->tasks = NULL;
	while (t) {
		struct weir_task *next = t->next;

		t->queued = false;
		t->run(t);
		t = next;
	}
	dials_run(i);
	if (i->via)
		real_turn(i->via);
}

unsigned real_free(struct weir_instance *i)
{
	unsigned left = i->watches;
	int fds;

	i->component->stop(i->self);
	left += !i->stopped;
	i->component->destroy(i->self);
	for (struct weir_timer *t = i->timers; t; t = t->next)
		left++;
	for (struct weir_query *q = i->queries; q; q = q->next)
		left++;
	for (struct weir_dial *d = i->dials; d; d = d->next)
		left++;
	events_run(i, 0);
	close(i->epoll);
	fds = fds_open();
	left += fds > i->fds ? (unsigned)(fds - i->fds) : 0;
	free(i);
	return left;
}
