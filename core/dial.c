/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dials.
 *
 * Theory of operation: dial_open only queues; the outbound's open() runs at the
 * end of the turn, so nothing is called back inside dial. What the outbound
 * tells waits for the end of a turn as well, one thing a turn, since the
 * dialler answers by calling the stream that is telling. When a stream fails,
 * the dialler is first given turns to read what came before; so is a dialler
 * that is dialled itself and passes the news on. Datagrams and their errors are
 * borrowed, so they are passed on at once; a dial hung up meanwhile is closed
 * at the end of the turn. */
#include "dial.h"

#include <errno.h>

#include "end.h"
#include "policy.h"
#include "util.h"

#define LAST_TURNS 8 /* more than dials are chained */

struct weir_dial {
	struct weir_end end;
	struct weir_task task;
	struct weir_dial *next, **link;
	struct weir_instance *dialler, *outbound; /* the latter NULL: closed */
	const struct weir_dialer_ops *ops;
	void *arg;
	struct weir_session_info info;
	char *name;
	bool opened, ready, failed;
	bool told;	       /* the dialler knows that it is ready */
	bool in_call, hung_up; /* the latter inside the former */
	bool hushed;	       /* ended, but not by who dialled */
	uint8_t last_turns;    /* since it failed */
	unsigned events;
	void *pending;
	const struct weir_stream_ops *stream;
	const struct weir_flow_ops *flow;
	void *object;
	int err;
	char why[64];
};

static struct weir_dial *dial_of(struct weir_end *end)
{
	return container_of(end, struct weir_dial, end);
}

static void queue(struct weir_dial *d)
{
	turn_session(&d->dialler->core->turn, &d->task);
}

static void on_stream_ready(struct weir_end *end,
			    const struct weir_stream_ops *ops, void *s)
{
	struct weir_dial *d = dial_of(end);

	if (d->ready || d->stream)
		return;
	d->stream = ops->close ? ops : NULL;
	d->object = s;
	d->ready = instance_stream_whole(d->outbound, ops);
	if (!d->ready)
		end->ops->fail(end, EIO, "outbound stream is incomplete");
	queue(d);
}

static void on_flow_ready(struct weir_end *end, const struct weir_flow_ops *ops,
			  void *f)
{
	struct weir_dial *d = dial_of(end);

	if (d->ready || d->flow)
		return;
	d->flow = ops->close ? ops : NULL;
	d->object = f;
	d->ready = instance_flow_whole(d->outbound, ops);
	if (!d->ready)
		end->ops->fail(end, EIO, "outbound flow is incomplete");
	queue(d);
}

/* Before the dialler knows of its end there is no news of it. */
static void on_notify(struct weir_end *end, unsigned events)
{
	struct weir_dial *d = dial_of(end);

	if (!d->told || !d->ops->notify)
		return;
	d->events |= events;
	queue(d);
}

static void on_deliver(struct weir_end *end, const struct weir_datagram *v,
		       int n)
{
	struct weir_dial *d = dial_of(end);

	if (!d->told || d->hung_up || !d->ops->deliver)
		return;
	d->in_call = true;
	d->ops->deliver(d->arg, v, n);
	d->in_call = false;
}

static void on_unreachable(struct weir_end *end, const struct weir_addr *peer,
			   int err)
{
	struct weir_dial *d = dial_of(end);

	if (!d->told || d->hung_up || !d->ops->unreachable)
		return;
	d->in_call = true;
	d->ops->unreachable(d->arg, peer, err);
	d->in_call = false;
}

static void on_fail(struct weir_end *end, int err, const char *why)
{
	struct weir_dial *d = dial_of(end);

	if (d->failed)
		return;
	d->failed = true;
	d->err = err ? err : EIO;
	snprintf(d->why, sizeof d->why, "%s", why ? why : "");
	queue(d);
}

static const struct weir_policy *policy_get(struct weir_end *end)
{
	return policy_of(dial_of(end)->dialler->core->config, 0);
}

static const struct weir_session_info *info_get(struct weir_end *end)
{
	return &dial_of(end)->info;
}

static const struct end_ops dial_ops = {
	.stream_ready = on_stream_ready,
	.flow_ready = on_flow_ready,
	.notify = on_notify,
	.deliver = on_deliver,
	.unreachable = on_unreachable,
	.fail = on_fail,
	.policy = policy_get,
	.info = info_get,
};

static void dial_free(struct weir_dial *d)
{
	*d->link = d->next;
	if (d->next)
		d->next->link = d->link;
	free(d->name);
	free(d);
}

/* Close what the outbound made, or tell it that it is not wanted. */
static void dial_close(struct weir_dial *d, int err)
{
	const struct weir_outbound_ops *out;

	if (!d->outbound)
		return;
	out = instance_outbound(d->outbound);
	if (d->stream)
		d->stream->close(d->object, err);
	else if (d->flow)
		d->flow->close(d->object, err);
	else if (d->opened && !d->failed && out->abandon)
		out->abandon(d->outbound->self, d->pending);
	d->outbound = NULL;
	turn_forget(&d->dialler->core->turn, &d->task);
}

static void dial_end(struct weir_dial *d, int err)
{
	dial_close(d, err);
	dial_free(d);
}

static void tell_failed(struct weir_dial *d)
{
	const struct weir_dialer_ops *ops = d->ops;
	void *arg = d->arg;
	char why[sizeof d->why];
	int err = d->err;

	memcpy(why, d->why, sizeof why);
	dial_end(d, err);
	ops->failed(arg, err, why);
}

/* May the failure wait for a turn, in which the dialler reads what came before?
 * The stream is gone once it is told. */
static bool last_call(struct weir_dial *d)
{
	if (!d->told || !d->stream || !d->ops->notify ||
	    d->last_turns == LAST_TURNS)
		return false;
	d->last_turns++;
	queue(d);
	d->ops->notify(d->arg, WEIR_READABLE);
	return true;
}

static void dial_start(struct weir_dial *d)
{
	const struct weir_outbound_ops *out = instance_outbound(d->outbound);

	d->opened = true;
	if (d->outbound->state == INSTANCE_STARTED)
		d->pending = out->open(d->outbound->self, &d->end,
				       &d->info.target, d->info.net);
	else
		on_fail(&d->end, ENETDOWN, "outbound is not running");
}

static void tell_ready(struct weir_dial *d)
{
	d->told = true;
	if (d->failed) /* as soon as it was ready */
		queue(d);
	if (d->stream)
		d->ops->stream_ready(d->arg, d->stream, d->object);
	else
		d->ops->flow_ready(d->arg, d->flow, d->object);
}

/* The dial may be gone after any of these. */
static void run(struct weir_task *task)
{
	struct weir_dial *d = container_of(task, struct weir_dial, task);
	unsigned events = d->events;

	if (d->hung_up && d->hushed) {
		dial_close(d, d->err);
	} else if (d->hung_up) {
		dial_end(d, d->err);
	} else if (!d->opened) {
		dial_start(d);
	} else if (d->ready && !d->told) {
		tell_ready(d);
	} else if (d->failed) {
		if (!last_call(d))
			tell_failed(d);
	} else if (events) {
		d->events = 0;
		d->ops->notify(d->arg, events);
	}
}

struct weir_dial *dial_open(struct weir_instance *i, const char *tag,
			    const struct weir_addr *target, enum weir_net net,
			    const struct weir_dialer_ops *ops, void *arg)
{
	struct weir_instance *out;
	struct weir_dial *d;
	bool own = tag; /* only by name may an outbound dial itself */

	if (!tag)
		tag = i->conf->via;
	if (!tag) {
		errno = ENOENT;
		return NULL;
	}
	out = instance_find(i->core, WEIR_OUTBOUND, tag);
	if (!out || (out == i && !own) || out->state > INSTANCE_STARTED ||
	    !(instance_outbound(out)->nets & net)) {
		errno = EHOSTUNREACH;
		return NULL;
	}
	d = xcalloc(1, sizeof *d);
	d->end.ops = &dial_ops;
	d->task.run = run;
	d->dialler = i;
	d->outbound = out;
	d->ops = ops;
	d->arg = arg;
	d->info.size = sizeof d->info;
	d->info.net = net;
	d->info.target = *target;
	if (target->kind == WEIR_ADDR_NAME)
		d->info.target.name = d->name = xstrdup(target->name);
	d->link = &i->dials;
	d->next = i->dials;
	if (d->next)
		d->next->link = &d->next;
	i->dials = d;
	turn_session(&i->core->turn, &d->task);
	return d;
}

/* No `via` leads back to where it came from, so this comes to an end. */
uint32_t dial_via_mtu(struct weir_instance *i)
{
	const struct weir_outbound_ops *ops;
	struct weir_instance *out;

	errno = ENOENT;
	if (!i->conf->via)
		return 0;
	errno = 0;
	out = instance_find(i->core, WEIR_OUTBOUND, i->conf->via);
	if (!out || out->state < INSTANCE_CREATED ||
	    out->state > INSTANCE_STARTED)
		return 0;
	ops = instance_outbound(out);
	return WEIR_HAS(ops, mtu) && ops->mtu ? ops->mtu(out->self) : 0;
}

void dial_hang_up(struct weir_dial *d, int err)
{
	if (!d->in_call) {
		dial_end(d, err);
		return;
	}
	d->hung_up = true;
	d->hushed = false;
	d->err = err;
	queue(d);
}

void dial_hush(struct weir_instance *dialler)
{
	for (struct weir_dial *d = dialler->dials; d; d = d->next) {
		if (!d->in_call) {
			dial_close(d, ECANCELED);
		} else if (!d->hung_up) {
			dial_hang_up(d, ECANCELED);
			d->hushed = true;
		}
	}
}

/* Any dial through `outbound`. */
static struct weir_dial *dial_through(const struct weir_instance *outbound)
{
	struct core *core = outbound->core;

	for (size_t n = 0; n < core->instance_count; n++) {
		struct weir_dial *d = core->instances[n]->dials;

		while (d && d->outbound != outbound)
			d = d->next;
		if (d)
			return d;
	}
	return NULL;
}

void dial_cut(struct weir_instance *outbound)
{
	struct weir_dial *d;

	while ((d = dial_through(outbound))) {
		const struct weir_dialer_ops *ops = d->ops;
		void *arg = d->arg;
		bool wanted = !d->hung_up;

		dial_end(d, ENETDOWN);
		if (wanted)
			ops->failed(arg, ENETDOWN, "outbound stops");
	}
}
