/* SPDX-License-Identifier: GPL-2.0-or-later */
/* realhost_table.c - the host table of realhost: what an outbound calls. */
#include <errno.h>
#include <sys/epoll.h>
#include <time.h>

#include "realhost_table.h"

/* By so much the tests have pushed the clock: it is one for all instances. */
static uint64_t skew_us;

uint64_t real_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000 +
	       skew_us;
}

void real_forward(uint64_t ms)
{
	skew_us += ms * 1000;
}

WEIR_PRINTF(3, 4)
static void host_log(struct weir_instance *i, enum weir_level level,
		     const char *fmt, ...)
{
	(void)i;
	(void)level;
	(void)fmt;
}

static bool host_log_on(struct weir_instance *i, enum weir_level level)
{
	(void)i;
	(void)level;
	return false;
}

static struct weir_dial *dial_of(struct weir_end *end)
{
	struct weir_dial *d = end->host->dials;

	while (d && d->end != end)
		d = d->next;
	return d;
}

static void host_stream_ready(struct weir_end *end,
			      const struct weir_stream_ops *ops, void *s)
{
	struct weir_dial *d = dial_of(end);

	end->stream = ops;
	end->object = s;
	if (!d)
		return;
	d->answered = true;
	d->ops->stream_ready(d->arg, ops, s);
}

static void host_flow_ready(struct weir_end *end,
			    const struct weir_flow_ops *ops, void *f)
{
	struct weir_dial *d = dial_of(end);

	end->flow = ops;
	end->object = f;
	if (!d)
		return;
	d->answered = true;
	d->ops->flow_ready(d->arg, ops, f);
}

static void host_notify(struct weir_end *end, unsigned events)
{
	struct weir_dial *d = dial_of(end);

	end->news |= events;
	if (d)
		d->ops->notify(d->arg, events);
}

static void host_deliver(struct weir_end *end, const struct weir_datagram *v,
			 int n)
{
	struct weir_dial *d = dial_of(end);

	if (d)
		d->ops->deliver(d->arg, v, n);
	end->delivers++;
	for (int i = 0; i < n; i++) {
		bool train = v[i].segment && v[i].segment < v[i].len;

		end->trains += train;
		end->datagrams +=
			train ? (v[i].len + v[i].segment - 1) / v[i].segment
			      : 1;
		must(end->bytes + v[i].len <= sizeof end->data);
		memcpy(end->data + end->bytes, v[i].data, v[i].len);
		end->bytes += v[i].len;
		end->len = v[i].len;
		end->peer = *v[i].peer;
		if (end->peer.kind == WEIR_ADDR_NAME)
			end->peer.name =
				strcpy(end->peer_name, v[i].peer->name);
	}
}

static void host_unreachable(struct weir_end *end, const struct weir_addr *peer,
			     int err)
{
	struct weir_dial *d = dial_of(end);

	if (d)
		d->ops->unreachable(d->arg, peer, err);
	end->unreachables++;
	end->unreachable_err = err;
	end->unreachable_peer = *peer;
}

static void dial_drop(struct weir_dial *d)
{
	struct weir_dial **at = &d->end->host->dials;

	while (*at != d)
		at = &(*at)->next;
	*at = d->next;
	free(d->end);
	free(d);
}

static void host_fail(struct weir_end *end, int err, const char *why)
{
	struct weir_dial *d = dial_of(end);

	must(!end->failed);
	end->failed = true;
	end->err = err;
	snprintf(end->why, sizeof end->why, "%s", why);
	if (!d)
		return;
	if (end->stream)
		end->stream->close(end->object, err);
	else if (end->flow)
		end->flow->close(end->object, err);
	d->ops->failed(d->arg, err, why);
	dial_drop(d);
}

static struct weir_dial *host_dial(struct weir_instance *i, const char *tag,
				   const struct weir_addr *target,
				   enum weir_net net,
				   const struct weir_dialer_ops *ops, void *arg)
{
	struct weir_dial *d;

	errno = i->via ? i->refuse_err : ENOENT;
	if (tag || errno)
		return NULL;
	d = calloc(1, sizeof *d);
	d->end = calloc(1, sizeof *d->end);
	d->end->host = i->via;
	d->host = i;
	d->target = *target;
	d->net = net;
	d->ops = ops;
	d->arg = arg;
	d->next = i->via->dials;
	i->via->dials = d;
	return d;
}

static uint32_t host_via_mtu(struct weir_instance *i)
{
	const struct weir_outbound_ops *ops;

	errno = i->via ? 0 : ENOENT;
	if (!i->via)
		return 0;
	ops = i->via->component->ops;
	return WEIR_HAS(ops, mtu) ? ops->mtu(i->via->self) : 0;
}

static void host_hang_up(struct weir_dial *d, int err)
{
	struct weir_instance *out = d->end->host;
	const struct weir_outbound_ops *ops = out->component->ops;

	if (d->answered && d->end->stream)
		d->end->stream->close(d->end->object, err);
	else if (d->answered)
		d->end->flow->close(d->end->object, err);
	else if (d->opened)
		ops->abandon(out->self, d->pending);
	dial_drop(d);
}

static struct weir_timer *host_timer_new(struct weir_instance *i,
					 void (*fire)(void *), void *arg)
{
	struct weir_timer *t = calloc(1, sizeof *t);

	t->host = i;
	t->fire = fire;
	t->arg = arg;
	t->next = i->timers;
	i->timers = t;
	return t;
}

static void host_timer_set(struct weir_timer *t, uint64_t after_us)
{
	t->due_us = real_us() + after_us;
}

static void host_timer_stop(struct weir_timer *t)
{
	t->due_us = 0;
}

static void host_timer_free(struct weir_timer *t)
{
	struct weir_timer **at = &t->host->timers;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	free(t);
}

static struct weir_watch *host_watch_new(struct weir_instance *i, int fd,
					 unsigned events,
					 void (*ready)(void *, unsigned),
					 void *arg)
{
	struct weir_watch *w = calloc(1, sizeof *w);
	struct epoll_event e = {.data.ptr = w};

	if (events & WEIR_READABLE)
		e.events |= EPOLLIN;
	if (events & WEIR_WRITABLE)
		e.events |= EPOLLOUT;
	if (!(events & WEIR_LEVEL_TRIGGERED))
		e.events |= EPOLLET | EPOLLRDHUP | EPOLLPRI;
	w->host = i;
	w->fd = fd;
	w->ready = ready;
	w->arg = arg;
	i->watches++;
	must(epoll_ctl(i->epoll, EPOLL_CTL_ADD, fd, &e) == 0);
	return w;
}

static void host_watch_free(struct weir_watch *w)
{
	struct weir_instance *i = w->host;

	must(epoll_ctl(i->epoll, EPOLL_CTL_DEL, w->fd, NULL) == 0);
	w->dead = true;
	w->next = i->dead;
	i->dead = w;
	i->watches--;
}

static void host_defer(struct weir_instance *i, struct weir_task *t)
{
	if (t->queued)
		return;
	t->queued = true;
	t->next = i->tasks;
	i->tasks = t;
}

static int host_socket(struct weir_instance *i, int domain, int type,
		       int protocol)
{
	if (i->refuse_err &&
	    (i->refuse_domain == domain || i->refuse_type == type)) {
		errno = i->refuse_err;
		return -1;
	}
	return socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);
}

static struct weir_query *
host_resolve(struct weir_instance *i, const char *name, unsigned families,
	     void (*done)(void *, int, const struct weir_addr *, int),
	     void *arg)
{
	struct weir_query *q = calloc(1, sizeof *q);
	uint64_t delay_ms = 0;

	i->lookups++;
	for (const struct real_name *n = i->names; n && n->name; n++) {
		if (strcmp(n->name, name) || !(n->family & families))
			continue;
		q->answer[n->family - 1] = n;
		if (n->delay_ms > delay_ms)
			delay_ms = n->delay_ms;
	}
	q->host = i;
	q->done = done;
	q->arg = arg;
	q->due_us = real_us() + delay_ms * 1000;
	q->next = i->queries;
	i->queries = q;
	return q;
}

static void host_resolve_cancel(struct weir_query *q)
{
	struct weir_query **at = &q->host->queries;

	while (*at != q)
		at = &(*at)->next;
	*at = q->next;
	free(q);
}

static uint64_t *host_counter(struct weir_instance *i, const char *name)
{
	int k = 0;

	while (i->counter[k].name && strcmp(i->counter[k].name, name))
		must(++k < COUNTERS_MAX);
	i->counter[k].name = name;
	return &i->counter[k].value;
}

static void host_stopped(struct weir_instance *i)
{
	i->stopped = true;
}

const struct weir_host real_host = {
	.size = sizeof real_host,
	.major = WEIR_MAJOR,
	.minor = WEIR_MINOR,
	.log = host_log,
	.log_on = host_log_on,
	.stream_ready = host_stream_ready,
	.flow_ready = host_flow_ready,
	.notify = host_notify,
	.deliver = host_deliver,
	.unreachable = host_unreachable,
	.fail = host_fail,
	.dial = host_dial,
	.hang_up = host_hang_up,
	.via_mtu = host_via_mtu,
	.now_us = real_us,
	.timer_new = host_timer_new,
	.timer_set = host_timer_set,
	.timer_stop = host_timer_stop,
	.timer_free = host_timer_free,
	.watch_new = host_watch_new,
	.watch_free = host_watch_free,
	.defer = host_defer,
	.socket = host_socket,
	.resolve = host_resolve,
	.resolve_cancel = host_resolve_cancel,
	.counter = host_counter,
	.stopped = host_stopped,
};
