/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The host table: each entry hands over to the part of the core that does the
 * work. */
#include <weir/host.h>

#include "dial.h"
#include "end.h"
#include "flow.h"
#include "host.h"
#include "instance.h"
#include "log.h"
#include "session.h"
#include "sockets.h"
#include "util.h"

WEIR_PRINTF(3, 4)
static void host_log(struct weir_instance *i, enum weir_level level,
		     const char *fmt, ...)
{
	va_list args;

	if (level > i->log_level)
		return;
	va_start(args, fmt);
	log_vline(level, i->tag, fmt, args);
	va_end(args);
}

static bool host_log_on(struct weir_instance *i, enum weir_level level)
{
	return level <= i->log_level;
}

static void host_stream_ready(struct weir_end *end,
			      const struct weir_stream_ops *ops, void *s)
{
	assert(end->ops->stream_ready); /* an outbound answers a TCP open */
	end->ops->stream_ready(end, ops, s);
}

static void host_flow_ready(struct weir_end *end,
			    const struct weir_flow_ops *ops, void *f)
{
	assert(end->ops->flow_ready); /* an outbound answers a flow's open */
	end->ops->flow_ready(end, ops, f);
}

static void host_notify(struct weir_end *end, unsigned events)
{
	assert(end->ops->notify); /* streams only */
	end->ops->notify(end, events);
}

static void host_deliver(struct weir_end *end, const struct weir_datagram *v,
			 int n)
{
	assert(end->ops->deliver); /* flows only */
	if (n > 0)
		end->ops->deliver(end, v, n);
}

static void host_unreachable(struct weir_end *end, const struct weir_addr *peer,
			     int err)
{
	assert(end->ops->unreachable); /* outbound flows only */
	end->ops->unreachable(end, peer, err);
}

static void host_fail(struct weir_end *end, int err, const char *why)
{
	end->ops->fail(end, err, why);
}

static const struct weir_policy *host_policy(struct weir_end *end)
{
	return end->ops->policy(end);
}

static const struct weir_session_info *host_info(struct weir_end *end)
{
	return end->ops->info(end);
}

static struct weir_timer *host_timer_new(struct weir_instance *i,
					 void (*fire)(void *), void *arg)
{
	return (struct weir_timer *)loop_timer_new(&i->owner, fire, arg);
}

static void host_timer_set(struct weir_timer *t, uint64_t after_us)
{
	loop_timer_set((struct loop_timer *)t, after_us);
}

static void host_timer_stop(struct weir_timer *t)
{
	loop_timer_stop((struct loop_timer *)t);
}

static void host_timer_free(struct weir_timer *t)
{
	loop_timer_free((struct loop_timer *)t);
}

static struct weir_watch *host_watch_new(struct weir_instance *i, int fd,
					 unsigned events,
					 void (*ready)(void *, unsigned),
					 void *arg)
{
	return (struct weir_watch *)loop_watch_new(&i->owner, fd, events, ready,
						   arg);
}

static void host_watch_free(struct weir_watch *w)
{
	loop_watch_free((struct loop_watch *)w);
}

static void host_defer(struct weir_instance *i, struct weir_task *t)
{
	turn_task(&i->core->turn, t);
}

struct post {
	struct weir_instance *instance;
	void (*fn)(void *);
	void *arg;
};

static void run_post(void *arg)
{
	struct post *p = arg;

	if (p->instance->state < INSTANCE_STOPPED)
		p->fn(p->arg);
	free(p);
}

static void host_post(struct weir_instance *i, void (*fn)(void *), void *arg)
{
	struct post *p = xcalloc(1, sizeof *p);

	*p = (struct post){i, fn, arg};
	loop_post(i->core->loop, run_post, p);
}

static int host_socket(struct weir_instance *i, int domain, int type,
		       int protocol)
{
	const struct config *c = i->core->config;

	return i->conf->local ? sockets_new_local(c, domain, type, protocol)
			      : sockets_new(c, domain, type, protocol);
}

static struct weir_query *host_resolve(struct weir_instance *i,
				       const char *name, unsigned families,
				       resolve_done *done, void *arg)
{
	return resolver_ask(i->core->resolver, &i->queries, name, families,
			    done, arg);
}

static void host_lost(struct weir_instance *i, const char *why)
{
	if (i->lost)
		return;
	i->lost = true;
	log_line(WEIR_ERROR, i->tag, "%s", why);
	i->core->lost(i->core);
}

static const char *host_tag(struct weir_instance *i)
{
	return i->tag;
}

const struct weir_host host_table = {
	.size = sizeof host_table,
	.major = WEIR_MAJOR,
	.minor = WEIR_MINOR,
	.log = host_log,
	.log_on = host_log_on,
	.accept_stream = session_accept,
	.accept_flow = flow_accept,
	.stream_ready = host_stream_ready,
	.flow_ready = host_flow_ready,
	.notify = host_notify,
	.deliver = host_deliver,
	.unreachable = host_unreachable,
	.fail = host_fail,
	.policy = host_policy,
	.info = host_info,
	.dial = dial_open,
	.hang_up = dial_hang_up,
	.now_us = loop_now_us,
	.timer_new = host_timer_new,
	.timer_set = host_timer_set,
	.timer_stop = host_timer_stop,
	.timer_free = host_timer_free,
	.watch_new = host_watch_new,
	.watch_free = host_watch_free,
	.defer = host_defer,
	.post = host_post,
	.socket = host_socket,
	.resolve = host_resolve,
	.resolve_cancel = resolver_cancel,
	.service = instance_service,
	.counter = instance_counter,
	.stopped = instance_stopped,
	.lost = host_lost,
	.tag = host_tag,
	.via_mtu = dial_via_mtu,
};
