/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dials.
 *
 * Theory of operation: dial_open only queues; the outbound's open() runs at
 * the end of the turn, so nothing is called back inside dial. Events of the
 * outbound are passed on as they come, except failures, which wait for the end
 * of the turn as well: the dialler may be in the middle of a call. */
#include "dial.h"

#include <errno.h>

#include "end.h"
#include "policy.h"
#include "util.h"

struct weir_dial {
	struct weir_end end;
	struct weir_task task;
	struct weir_dial *next, **link;
	struct weir_instance *dialler, *outbound;
	const struct weir_dialer_ops *ops;
	void *arg;
	struct weir_session_info info;
	char *name;
	bool opened, ready, failed;
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

static void on_stream_ready(struct weir_end *end,
			    const struct weir_stream_ops *ops, void *s)
{
	struct weir_dial *d = dial_of(end);

	d->ready = true;
	d->stream = ops;
	d->object = s;
	d->ops->stream_ready(d->arg, ops, s);
}

static void on_flow_ready(struct weir_end *end, const struct weir_flow_ops *ops,
			  void *f)
{
	struct weir_dial *d = dial_of(end);

	d->ready = true;
	d->flow = ops;
	d->object = f;
	d->ops->flow_ready(d->arg, ops, f);
}

static void on_notify(struct weir_end *end, unsigned events)
{
	struct weir_dial *d = dial_of(end);

	if (d->ops->notify)
		d->ops->notify(d->arg, events);
}

static void on_deliver(struct weir_end *end, const struct weir_datagram *v,
		       int n)
{
	struct weir_dial *d = dial_of(end);

	if (d->ops->deliver)
		d->ops->deliver(d->arg, v, n);
}

static void on_unreachable(struct weir_end *end, const struct weir_addr *peer,
			   int err)
{
	struct weir_dial *d = dial_of(end);

	if (d->ops->unreachable)
		d->ops->unreachable(d->arg, peer, err);
}

static void on_fail(struct weir_end *end, int err, const char *why)
{
	struct weir_dial *d = dial_of(end);

	if (d->failed)
		return;
	d->failed = true;
	d->err = err ? err : EIO;
	snprintf(d->why, sizeof d->why, "%s", why ? why : "");
	turn_session(&d->dialler->core->turn, &d->task);
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
	turn_forget(&d->dialler->core->turn, &d->task);
	*d->link = d->next;
	if (d->next)
		d->next->link = d->link;
	free(d->name);
	free(d);
}

static void run(struct weir_task *task)
{
	struct weir_dial *d = container_of(task, struct weir_dial, task);
	const struct weir_outbound_ops *out = instance_outbound(d->outbound);

	if (!d->opened) {
		d->opened = true;
		d->pending = out->open(d->outbound->self, &d->end,
				       &d->info.target, d->info.net);
	} else if (d->failed) {
		const struct weir_dialer_ops *ops = d->ops;
		void *arg = d->arg;
		char why[sizeof d->why];
		int err = d->err;

		memcpy(why, d->why, sizeof why);
		dial_hang_up(d, err);
		ops->failed(arg, err, why);
	}
}

struct weir_dial *dial_open(struct weir_instance *i, const char *tag,
			    const struct weir_addr *target, enum weir_net net,
			    const struct weir_dialer_ops *ops, void *arg)
{
	struct weir_instance *out;
	struct weir_dial *d;

	if (!tag)
		tag = i->conf->via;
	out = tag ? instance_find(i->core, WEIR_OUTBOUND, tag) : NULL;
	if (!out || out == i || !(instance_outbound(out)->nets & net))
		return NULL;
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

void dial_hang_up(struct weir_dial *d, int err)
{
	const struct weir_outbound_ops *out = instance_outbound(d->outbound);

	if (d->stream)
		d->stream->close(d->object, err);
	else if (d->flow)
		d->flow->close(d->object, err);
	else if (d->opened && !d->failed && out->abandon)
		out->abandon(d->outbound->self, d->pending);
	dial_free(d);
}
