/* SPDX-License-Identifier: MIT */
/* Theory of operation.
 *
 * Every handle that a plugin gets is a plain struct on a list of the fake
 * host. A turn runs what a turn of the real loop would: posted calls, answers
 * to names, deferred tasks. Time moves only in fakehost_advance (time.c);
 * sessions are in ends.c, chaining in dial.c. */
#include "private.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#define START_US 1000000 /* so that 0 is never a time */
#define NAME_BYTES 256

_Thread_local struct fakehost *fakehost_current;

void fakehost_broken(const char *promise)
{
	fprintf(stderr, "fakehost: the plugin broke a promise: %s\n", promise);
	abort();
}

void *fakehost_alloc(size_t size)
{
	void *p = calloc(1, size);

	if (!p)
		abort();
	return p;
}

void fakehost_copy_addr(struct weir_addr *to, char *name,
			const struct weir_addr *from)
{
	*to = *from;
	if (from->kind != WEIR_ADDR_NAME)
		return;
	snprintf(name, NAME_BYTES, "%s", from->name);
	to->name = name;
}

/* ---- the small functions of the table ---- */

static int fakehost_socket(struct weir_instance *i, int domain, int type,
			   int protocol)
{
	(void)i;
	return socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static const void *fakehost_service(struct weir_instance *i, const char *name,
				    unsigned major, void **self)
{
	for (struct offer *o = i->fake->offers; o; o = o->next) {
		if (o->major == major && strcmp(o->name, name) == 0) {
			*self = o->self;
			return o->ops;
		}
	}
	return NULL;
}

static struct counter *counter_find(struct weir_instance *i, const char *name)
{
	struct counter *c = i->counters;

	while (c && strcmp(c->name, name) != 0)
		c = c->next;
	return c;
}

static uint64_t *counter_get(struct weir_instance *i, const char *name)
{
	struct counter *c = counter_find(i, name);

	if (!c) {
		c = fakehost_alloc(sizeof *c);
		snprintf(c->name, sizeof c->name, "%s", name);
		c->next = i->counters;
		i->counters = c;
	}
	return &c->value;
}

static void instance_stopped(struct weir_instance *i)
{
	if (!i->stopping)
		fakehost_broken("stopped() comes after stop() only");
	if (i->stopped)
		fakehost_broken("stopped() is called once");
	i->stopped = true;
}

static void instance_lost(struct weir_instance *i, const char *why)
{
	snprintf(i->lost, sizeof i->lost, "%s", why);
}

static const char *instance_tag(struct weir_instance *i)
{
	return i->tag;
}

const struct weir_host fakehost_host = {
	.size = sizeof(struct weir_host),
	.major = WEIR_MAJOR,
	.minor = WEIR_MINOR,
	.log = fakehost_log_line,
	.log_on = fakehost_log_on,
	.accept_stream = fakehost_accept_stream,
	.accept_flow = fakehost_accept_flow,
	.stream_ready = fakehost_stream_ready,
	.flow_ready = fakehost_flow_ready,
	.notify = fakehost_notify,
	.deliver = fakehost_deliver,
	.unreachable = fakehost_unreachable,
	.fail = fakehost_fail,
	.policy = fakehost_policy,
	.info = fakehost_info,
	.dial = fakehost_dial,
	.hang_up = fakehost_hang_up,
	.now_us = fakehost_now_us,
	.timer_new = fakehost_timer_new,
	.timer_set = fakehost_timer_set,
	.timer_stop = fakehost_timer_stop,
	.timer_free = fakehost_timer_free,
	.watch_new = fakehost_watch_new,
	.watch_free = fakehost_watch_free,
	.defer = fakehost_defer,
	.post = fakehost_post,
	.socket = fakehost_socket,
	.resolve = fakehost_resolve,
	.resolve_cancel = fakehost_resolve_cancel,
	.service = fakehost_service,
	.counter = counter_get,
	.stopped = instance_stopped,
	.lost = instance_lost,
	.tag = instance_tag,
	.via_mtu = fakehost_tell_via_mtu,
};

/* ---- life ---- */

struct fakehost *fakehost_new(void)
{
	struct fakehost *f = fakehost_alloc(sizeof *f);

	if (fakehost_current)
		fakehost_broken("one fake host at a time in a thread");
	f->now_us = START_US;
	f->tasks_end = &f->tasks;
	f->ends_end = &f->ends;
	f->dials_end = &f->dials;
	f->log = fakehost_alloc(1);
	fakehost_current = f;
	return f;
}

const struct weir_host *fakehost_table(struct fakehost *f)
{
	(void)f;
	return &fakehost_host;
}

struct weir_instance *fakehost_start(struct fakehost *f,
				     const struct weir_component *c,
				     const char *tag, const void *conf,
				     struct weir_error *e)
{
	struct weir_instance *i = fakehost_alloc(sizeof *i);

	i->fake = f;
	i->component = c;
	snprintf(i->tag, sizeof i->tag, "%s", tag);
	i->next = f->instances;
	f->instances = i;
	i->self = c->create(i, &fakehost_host, conf, e);
	if (i->self && c->start(i->self, e))
		return i;
	if (i->self)
		c->destroy(i->self);
	i->self = NULL;
	i->stopped = true;
	fakehost_sweep(i);
	return NULL;
}

void *fakehost_self(struct weir_instance *i)
{
	return i->self;
}

static void close_sessions(struct weir_instance *i)
{
	for (struct weir_end *end = i->fake->ends; end; end = end->next) {
		if (end->instance != i || end->gone)
			continue;
		if (end->state == FAKEHOST_OPENING)
			fakehost_abandon(end);
		else
			fakehost_close(end, ECONNABORTED);
	}
}

bool fakehost_stop(struct weir_instance *i, uint64_t patience_us)
{
	struct fakehost *f = i->fake;
	uint64_t until = f->now_us + patience_us;

	if (!i->self)
		return true;
	if (!i->stopping) {
		close_sessions(i);
		i->stopping = true;
		i->component->stop(i->self);
	}
	fakehost_turn(f);
	while (!i->stopped && f->now_us < until) {
		uint64_t step = fakehost_next_timer(f);

		if (step > until - f->now_us)
			step = until - f->now_us;
		fakehost_advance(f, step);
	}
	if (!i->stopped)
		return false;
	i->component->destroy(i->self);
	i->self = NULL;
	fakehost_sweep(i);
	return true;
}

uint64_t fakehost_counter(struct weir_instance *i, const char *name)
{
	struct counter *c = counter_find(i, name);

	return c ? c->value : 0;
}

const char *fakehost_lost(struct weir_instance *i)
{
	return i->lost[0] ? i->lost : NULL;
}

const char *fakehost_log(struct fakehost *f)
{
	return f->log;
}

void fakehost_refuse(struct fakehost *f, bool refuse)
{
	f->refuse = refuse;
}

void fakehost_offer(struct fakehost *f, const char *name, unsigned major,
		    const void *ops, void *self)
{
	struct offer *o = fakehost_alloc(sizeof *o);

	snprintf(o->name, sizeof o->name, "%s", name);
	o->major = major;
	o->ops = ops;
	o->self = self;
	o->next = f->offers;
	f->offers = o;
}

/* ---- a turn ---- */

static void run_posts(struct fakehost *f)
{
	struct posted *p = atomic_exchange(&f->posts, NULL), *in_order = NULL;

	while (p) {
		struct posted *next = p->next;

		p->next = in_order;
		in_order = p;
		p = next;
	}
	while (in_order) {
		struct posted *next = in_order->next;

		if (!in_order->instance->stopped)
			in_order->fn(in_order->arg);
		free(in_order);
		in_order = next;
	}
}

/* Tasks that are deferred meanwhile run in the next turn. */
static void run_tasks(struct fakehost *f)
{
	struct weir_task *task = f->tasks;

	f->tasks = NULL;
	f->tasks_end = &f->tasks;
	while (task) {
		struct weir_task *next = task->next;

		task->queued = false;
		task->run(task);
		task = next;
	}
}

void fakehost_turn(struct fakehost *f)
{
	run_posts(f);
	fakehost_answer_names(f);
	run_tasks(f);
}

/* ---- the end ---- */

#define FREE_LIST(head)                                                        \
	while (head) {                                                         \
		void *dead_ = head;                                            \
		head = (head)->next;                                           \
		free(dead_);                                                   \
	}

static void instances_free(struct fakehost *f)
{
	for (struct weir_instance *i = f->instances; i; i = i->next) {
		if (i->self && !fakehost_stop(i, UINT32_MAX))
			fakehost_broken("stop() ends with stopped()");
	}
	while (f->instances) {
		struct weir_instance *i = f->instances;

		f->instances = i->next;
		FREE_LIST(i->counters);
		free(i);
	}
}

void fakehost_free(struct fakehost *f)
{
	struct posted *posts;

	instances_free(f);
	posts = atomic_exchange(&f->posts, NULL);
	for (struct weir_end *end = f->ends; end; end = end->next)
		free(end->heard);
	FREE_LIST(posts);
	FREE_LIST(f->ends);
	FREE_LIST(f->dials);
	FREE_LIST(f->scripts);
	FREE_LIST(f->offers);
	free(f->log);
	free(f);
	fakehost_current = NULL;
}
