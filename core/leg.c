/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Legs.
 *
 * Theory of operation: a leg opens its outbound once and keeps datagrams in a
 * bounded backlog until it is ready. What it delivers goes straight to the
 * client, whoever sent it, unless the client's own call is on the stack: then
 * it is put aside for the end of the turn. A leg that failed refuses for a
 * while and is opened again by the next datagram after that. */
#include "leg.h"

#include <errno.h>

#include "instance.h"
#include "util.h"

#define LEG_RETRY_US 1000000 /* a leg that failed is not opened again before */

static struct leg *leg_of(struct weir_end *end)
{
	return container_of(end, struct leg, end);
}

/* What the outbound does not take is dropped. */
static void leg_send(struct leg *leg, const struct weir_datagram *v, int n)
{
	int taken = leg->ops->send(leg->f, v, n);

	leg->flow->dropped += (uint64_t)(n - (taken > 0 ? taken : 0));
}

static void leg_give(void *arg, const struct weir_datagram *d)
{
	struct leg *leg = arg;

	if (leg->state == LEG_READY)
		leg_send(leg, d, 1);
	else /* it failed while it was given others */
		flow_undelivered(leg->flow, d->peer, leg->err);
}

static void tell_undelivered(void *arg, const struct weir_datagram *d)
{
	struct leg *leg = arg;

	flow_undelivered(leg->flow, d->peer, leg->err);
}

static void leg_failed(struct weir_end *end, int err, const char *why)
{
	struct leg *leg = leg_of(end);

	if (leg->state == LEG_FAILED)
		return;
	leg->closing = leg->state == LEG_READY;
	leg->state = LEG_FAILED;
	leg->err = err ? err : EIO;
	free(leg->why);
	leg->why = xstrdup(why && *why ? why : strerror(leg->err));
	leg->failed_us = loop_now_us();
	backlog_drain(&leg->backlog, tell_undelivered, leg);
	flow_queue(leg->flow);
}

static void leg_opened(struct weir_end *end, const struct weir_flow_ops *ops,
		       void *f)
{
	struct leg *leg = leg_of(end);

	if (leg->state != LEG_OPENING)
		return;
	leg->ops = ops;
	leg->f = f;
	if (ops->close)
		leg->state = LEG_READY;
	if (!instance_flow_whole(leg->outbound, ops))
		leg_failed(end, EIO, "outbound flow is incomplete");
	else if (leg->backlog.count)
		flow_queue(leg->flow);
}

static void leg_delivered(struct weir_end *end, const struct weir_datagram *v,
			  int n)
{
	struct leg *leg = leg_of(end);
	struct flow *fl = leg->flow;
	uint64_t bytes = 0;
	int taken;

	flow_answered(fl);
	for (int i = 0; i < n; i++)
		bytes += v[i].len;
	fl->down_bytes += bytes;
	instance_carried(fl->inbound, 0, bytes);
	instance_carried(leg->outbound, 0, bytes);
	if (fl->failed)
		return;
	if (!fl->in_call) {
		leg->in_call = true;
		taken = fl->ops->send(fl->f, v, n);
		leg->in_call = false;
		fl->dropped += (uint64_t)(n - (taken > 0 ? taken : 0));
		return;
	}
	for (int i = 0; i < n; i++)
		if (!backlog_put(&fl->aside, &v[i]))
			fl->dropped++;
	flow_queue(fl);
}

static void leg_unreachable(struct weir_end *end, const struct weir_addr *peer,
			    int err)
{
	struct leg *leg = leg_of(end);

	if (err != WEIR_ESILENT)
		leg->lost_err = err;
	flow_undelivered(leg->flow, peer, err);
}

static const struct weir_policy *leg_policy(struct weir_end *end)
{
	return leg_of(end)->flow->policy;
}

static const struct weir_session_info *leg_info(struct weir_end *end)
{
	return &leg_of(end)->flow->about.info;
}

static const struct end_ops leg_ops = {
	.flow_ready = leg_opened,
	.deliver = leg_delivered,
	.unreachable = leg_unreachable,
	.fail = leg_failed,
	.policy = leg_policy,
	.info = leg_info,
};

static void leg_open(struct leg *leg, const struct weir_addr *target)
{
	struct weir_instance *out = leg->outbound;

	leg->state = LEG_OPENING;
	leg->pending = instance_outbound(out)->open(
		out->self, &leg->end, target, leg->flow->about.info.net);
}

void leg_close(struct leg *leg, int err)
{
	if (leg->state == LEG_READY || leg->closing)
		leg->ops->close(leg->f, err);
	else if (leg->state == LEG_OPENING)
		instance_outbound(leg->outbound)
			->abandon(leg->outbound->self, leg->pending);
	leg->closing = false;
	leg->state = LEG_FAILED;
	backlog_clear(&leg->backlog);
}

struct leg *leg_for(struct flow *fl, const struct weir_addr *target)
{
	struct weir_instance *out =
		dispatch_outbound(fl->inbound, &fl->about.info, target);
	struct leg *leg = fl->legs;

	if (!out)
		return NULL;
	while (leg && leg->outbound != out)
		leg = leg->next;
	if (leg)
		return leg;
	leg = xcalloc(1, sizeof *leg);
	leg->end.ops = &leg_ops;
	leg->flow = fl;
	leg->outbound = out;
	out->sessions++;
	leg->next = fl->legs;
	fl->legs = leg;
	leg_open(leg, target);
	return leg;
}

void leg_pass(struct leg *leg, const struct weir_datagram *v, int n)
{
	struct flow *fl = leg->flow;

	if (leg->state == LEG_FAILED && !leg->closing &&
	    loop_now_us() - leg->failed_us >= LEG_RETRY_US)
		leg_open(leg, v->peer);
	if (leg->state == LEG_READY && !leg->backlog.count && !leg->in_call) {
		leg_send(leg, v, n);
		return;
	}
	for (int i = 0; i < n; i++)
		if (leg->state == LEG_FAILED)
			flow_undelivered(fl, v[i].peer, leg->err);
		else if (!backlog_put(&leg->backlog, &v[i]))
			fl->dropped++;
	if (leg->state == LEG_READY)
		flow_queue(fl);
}

void leg_turn(struct leg *leg)
{
	if (leg->closing) {
		leg->ops->close(leg->f, leg->err);
		leg->closing = false;
	}
	if (leg->state == LEG_READY && leg->backlog.count)
		backlog_drain(&leg->backlog, leg_give, leg);
}
