/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows.
 *
 * Theory of operation: a datagram from the client goes to the leg that its
 * destination was routed to; the last few decisions are remembered. A leg opens
 * its outbound once and keeps datagrams in a bounded backlog until it is ready.
 * What legs deliver goes straight to the client, whoever sent it: full cone.
 * While an end's own deliver call is on the stack, answers to it are put aside
 * for the end of the turn, so that no end is called from inside its own call;
 * errors always are.
 *
 * A flow ends when nothing passed in either direction for its idle time, which
 * is the longest that any of its destinations asks for. */
#include "flow.h"

#include <errno.h>

#include "backlog.h"
#include "dispatch.h"
#include "end.h"
#include "instance.h"
#include "policy.h"
#include "util.h"

#define DECISIONS 8	     /* remembered a flow */
#define ERRORS_MAX 8	     /* undelivered destinations told a turn */
#define LEG_RETRY_US 1000000 /* a leg that failed is not opened again before */

enum leg_state { LEG_OPENING, LEG_READY, LEG_FAILED };

struct leg {
	struct weir_end end;
	struct leg *next;
	struct flow *flow;
	struct weir_instance *outbound;
	enum leg_state state;
	bool closing; /* failed when it was ready: close it in the turn */
	bool in_call; /* it is delivering */
	void *pending;
	const struct weir_flow_ops *ops;
	void *f;
	struct backlog backlog;
	int err;
	uint64_t failed_us;
};

struct decision {
	struct weir_addr target;
	struct leg *leg;
};

struct undelivered {
	struct weir_addr peer;
	int err;
};

struct flow {
	struct weir_end in;
	struct weir_task task;
	struct flow *next, **link;
	struct core *core;
	struct weir_instance *inbound;
	struct dispatch_info about;
	const struct weir_policy *policy;
	const struct weir_flow_ops *ops;
	void *f;
	struct leg *legs;
	struct decision decisions[DECISIONS];
	unsigned last, oldest; /* decision used, decision to replace */
	struct undelivered errors[ERRORS_MAX];
	unsigned error_count;
	struct backlog aside; /* for the client, put aside */
	struct loop_timer *timer;
	uint64_t started_us, active_us, up_bytes, down_bytes;
	uint64_t dropped; /* backlogs and ends that were full */
	uint32_t idle_ms;
	bool in_call, failed;
	int err;
	char why[48];
};

static struct flow *flow_of(struct weir_end *end)
{
	return container_of(end, struct flow, in);
}

static struct leg *leg_of(struct weir_end *end)
{
	return container_of(end, struct leg, end);
}

static void queue(struct flow *fl)
{
	turn_session(&fl->core->turn, &fl->task);
}

static void note_undelivered(struct flow *fl, const struct weir_addr *peer,
			     int err)
{
	struct undelivered *u = &fl->errors[fl->error_count];

	if (err == WEIR_ESILENT || !fl->ops->unreachable ||
	    fl->error_count == ERRORS_MAX || peer->kind == WEIR_ADDR_NAME)
		return;
	u->peer = *peer;
	u->err = err;
	fl->error_count++;
	queue(fl);
}

/* Out: a leg's ops->send takes some of v[0..n). */
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
		note_undelivered(leg->flow, d->peer, leg->err);
}

static void leg_opened(struct weir_end *end, const struct weir_flow_ops *ops,
		       void *f)
{
	struct leg *leg = leg_of(end);

	if (leg->state != LEG_OPENING)
		return;
	leg->state = LEG_READY;
	leg->ops = ops;
	leg->f = f;
	if (leg->backlog.count)
		queue(leg->flow);
}

static void tell_undelivered(void *arg, const struct weir_datagram *d)
{
	struct leg *leg = arg;

	note_undelivered(leg->flow, d->peer, leg->err);
}

static void leg_failed(struct weir_end *end, int err, const char *why)
{
	struct leg *leg = leg_of(end);

	(void)why;
	if (leg->state == LEG_FAILED)
		return;
	leg->closing = leg->state == LEG_READY;
	leg->state = LEG_FAILED;
	leg->err = err ? err : EIO;
	leg->failed_us = loop_now_us();
	backlog_drain(&leg->backlog, tell_undelivered, leg);
	queue(leg->flow);
}

static void flow_give(void *arg, const struct weir_datagram *d)
{
	struct flow *fl = arg;

	if (fl->ops->send(fl->f, d, 1) < 1)
		fl->dropped++;
}

static void leg_delivered(struct weir_end *end, const struct weir_datagram *v,
			  int n)
{
	struct leg *leg = leg_of(end);
	struct flow *fl = leg->flow;
	int taken;

	fl->active_us = loop_now_us();
	for (int i = 0; i < n; i++)
		fl->down_bytes += v[i].len;
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
	queue(fl);
}

static void leg_unreachable(struct weir_end *end, const struct weir_addr *peer,
			    int err)
{
	note_undelivered(leg_of(end)->flow, peer, err);
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

static void leg_close(struct leg *leg, int err)
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

/* NULL: the outbound of this destination does not carry the network. */
static struct leg *leg_for(struct flow *fl, const struct weir_addr *target)
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

static struct leg *decide(struct flow *fl, const struct weir_addr *target)
{
	struct decision *d = &fl->decisions[fl->last];
	uint32_t idle_ms;

	if (weir_addr_equal(&d->target, target))
		return d->leg;
	for (unsigned i = 0; i < DECISIONS; i++)
		if (weir_addr_equal(&fl->decisions[i].target, target)) {
			fl->last = i;
			return fl->decisions[i].leg;
		}
	idle_ms = policy_flow_idle_ms(fl->policy, fl->about.info.net,
				      target->port);
	if (idle_ms > fl->idle_ms)
		fl->idle_ms = idle_ms;
	fl->last = fl->oldest;
	fl->oldest = (fl->oldest + 1) % DECISIONS;
	d = &fl->decisions[fl->last];
	d->leg = leg_for(fl, target);
	d->target = *target;
	if (target->kind == WEIR_ADDR_NAME) /* borrowed: not to be kept */
		d->target.kind = WEIR_ADDR_NONE;
	return d->leg;
}

/* A run of datagrams that go to the same leg. */
static void flow_pass(struct flow *fl, struct leg *leg,
		      const struct weir_datagram *v, int n)
{
	if (leg && leg->state == LEG_FAILED && !leg->closing &&
	    loop_now_us() - leg->failed_us >= LEG_RETRY_US)
		leg_open(leg, v->peer);
	if (leg && leg->state == LEG_READY && !leg->backlog.count &&
	    !leg->in_call) {
		leg_send(leg, v, n);
		return;
	}
	for (int i = 0; i < n; i++)
		if (!leg)
			note_undelivered(fl, v[i].peer, EACCES);
		else if (leg->state == LEG_FAILED)
			note_undelivered(fl, v[i].peer, leg->err);
		else if (!backlog_put(&leg->backlog, &v[i]))
			fl->dropped++;
	if (leg && leg->state == LEG_READY)
		queue(fl);
}

static void in_delivered(struct weir_end *end, const struct weir_datagram *v,
			 int n)
{
	struct flow *fl = flow_of(end);
	int from = 0;

	if (fl->failed)
		return;
	fl->active_us = loop_now_us();
	fl->in_call = true;
	while (from < n) {
		struct leg *leg = decide(fl, v[from].peer);
		int to = from;

		do
			fl->up_bytes += v[to++].len;
		while (to < n && (weir_addr_equal(v[to].peer, v[from].peer) ||
				  decide(fl, v[to].peer) == leg));
		flow_pass(fl, leg, v + from, to - from);
		from = to;
	}
	fl->in_call = false;
}

static void flow_fail(struct flow *fl, int err, const char *why)
{
	if (fl->failed)
		return;
	fl->failed = true;
	fl->err = err;
	snprintf(fl->why, sizeof fl->why, "%s", why ? why : strerror(err));
	queue(fl);
}

static void in_failed(struct weir_end *end, int err, const char *why)
{
	flow_fail(flow_of(end), err ? err : EIO, why);
}

static const struct weir_policy *in_policy(struct weir_end *end)
{
	return flow_of(end)->policy;
}

static const struct weir_session_info *in_info(struct weir_end *end)
{
	return &flow_of(end)->about.info;
}

static const struct end_ops in_ops = {
	.deliver = in_delivered,
	.fail = in_failed,
	.policy = in_policy,
	.info = in_info,
};

static void timer_fired(void *arg)
{
	struct flow *fl = arg;
	uint64_t due_us = fl->active_us + fl->idle_ms * UINT64_C(1000);
	uint64_t now_us = loop_now_us();

	if (now_us < due_us)
		loop_timer_set(fl->timer, due_us - now_us);
	else
		flow_fail(fl, 0, "idle");
}

static void flow_log(const struct flow *fl)
{
	const struct leg *leg = fl->legs;
	struct dispatch_end e = {
		.info = &fl->about.info,
		.inbound = fl->inbound->tag,
		.outbound =
			leg ? leg->next ? "several" : leg->outbound->tag : "-",
		.why = fl->why,
		.up_bytes = fl->up_bytes,
		.down_bytes = fl->down_bytes,
		.started_us = fl->started_us,
	};

	fl->inbound->up_bytes += e.up_bytes;
	fl->inbound->down_bytes += e.down_bytes;
	*instance_counter(fl->inbound, "flow_dropped_full") += fl->dropped;
	dispatch_log(&e);
}

static void flow_end(struct flow *fl)
{
	struct leg *leg, *next;

	for (leg = fl->legs; leg; leg = leg->next)
		leg_close(leg, fl->err);
	fl->ops->close(fl->f, fl->err);
	flow_log(fl);
	for (leg = fl->legs; leg; leg = next) {
		next = leg->next;
		free(leg);
	}
	turn_forget(&fl->core->turn, &fl->task);
	loop_timer_free(fl->timer);
	*fl->link = fl->next;
	if (fl->next)
		fl->next->link = fl->link;
	fl->core->session_count--;
	backlog_clear(&fl->aside);
	dispatch_info_fini(&fl->about);
	free(fl);
}

static void flow_turn(struct weir_task *task)
{
	struct flow *fl = container_of(task, struct flow, task);

	if (fl->failed) {
		flow_end(fl);
		return;
	}
	for (struct leg *leg = fl->legs; leg; leg = leg->next) {
		if (leg->closing) {
			leg->ops->close(leg->f, leg->err);
			leg->closing = false;
		}
		if (leg->state == LEG_READY && leg->backlog.count)
			backlog_drain(&leg->backlog, leg_give, leg);
	}
	backlog_drain(&fl->aside, flow_give, fl);
	for (unsigned i = 0; i < fl->error_count; i++)
		fl->ops->unreachable(fl->f, &fl->errors[i].peer,
				     fl->errors[i].err);
	fl->error_count = 0;
}

struct weir_end *flow_accept(struct weir_instance *inbound,
			     const struct weir_session_info *info,
			     const struct weir_flow_ops *ops, void *f)
{
	struct core *core = inbound->core;
	struct flow *fl;

	if (core->draining)
		return NULL;
	if (core->session_count >= core->config->max_sessions) {
		core->refused_full++;
		return NULL;
	}
	fl = xcalloc(1, sizeof *fl);
	fl->in.ops = &in_ops;
	fl->task.run = flow_turn;
	fl->core = core;
	fl->inbound = inbound;
	dispatch_info_init(&fl->about, inbound, info);
	fl->policy = policy_of(core->config, fl->about.info.level);
	fl->ops = ops;
	fl->f = f;
	fl->started_us = fl->active_us = loop_now_us();
	fl->link = &core->flows;
	fl->next = core->flows;
	if (fl->next)
		fl->next->link = &fl->next;
	core->flows = fl;
	core->session_count++;
	inbound->sessions++;
	fl->idle_ms =
		policy_flow_idle_ms(fl->policy, info->net, info->target.port);
	fl->timer = loop_timer_new(&core->owner, timer_fired, fl);
	loop_timer_set(fl->timer, fl->idle_ms * UINT64_C(1000));
	return &fl->in;
}

void flow_end_all(struct core *core)
{
	while (core->flows) {
		struct flow *fl = core->flows;

		if (!fl->failed)
			snprintf(fl->why, sizeof fl->why, "weir stops");
		fl->failed = true; /* nothing passes any more */
		flow_end(fl);
	}
}
