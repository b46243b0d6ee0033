/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows.
 *
 * Theory of operation: a datagram from the client goes to the leg that its
 * destination was routed to (leg.c); the last few decisions are remembered.
 * What legs deliver goes straight to the client, whoever sent it: full cone.
 * No end is called from inside its own call: while its deliver is on the stack,
 * answers to it are put aside for the end of the turn. Errors always are.
 *
 * Flows are bounded in number: sockets are scarce, and anybody can make a flow
 * with one datagram. Where the bound is reached the one that was idle longest
 * goes. Until the end of its turn it counts as the last used one, so that it is
 * not chosen twice.
 *
 * A flow ends when nothing passed in either direction for its idle time, which
 * is the longest that any of its destinations asks for. An inbound may want a
 * shorter one for exchanges: flows that were answered, and fell silent before
 * they had lasted long enough to be a conversation. */
#include "flow.h"

#include <errno.h>

#include "instance.h"
#include "leg.h"
#include "policy.h"
#include "reentry.h"
#include "util.h"

/* A flow that goes on for so long is more than a question and its answer; as
 * Linux's connection tracking has it. */
#define EXCHANGE_US 2000000

#define FLOW_END_BYTES 256 /* of what the log says of its end */

static struct flow *flow_of(struct weir_end *end)
{
	return container_of(end, struct flow, in);
}

void flow_queue(struct flow *fl)
{
	turn_session(&fl->core->turn, &fl->task);
}

static void flow_link(struct flow *fl)
{
	struct core *core = fl->core;

	fl->newer = NULL;
	fl->older = core->flows;
	*(fl->older ? &fl->older->newer : &core->idle_flow) = fl;
	core->flows = fl;
}

static void flow_unlink(struct flow *fl)
{
	struct core *core = fl->core;

	*(fl->newer ? &fl->newer->older : &core->flows) = fl->older;
	*(fl->older ? &fl->older->newer : &core->idle_flow) = fl->newer;
}

void flow_touch(struct flow *fl)
{
	fl->active_us = loop_now_us();
	if (fl->core->flows == fl)
		return;
	flow_unlink(fl);
	flow_link(fl);
}

static uint64_t idle_us(const struct flow *fl)
{
	uint32_t exchange_ms = fl->about.info.exchange_ms, ms = fl->idle_ms;

	if (exchange_ms && exchange_ms < ms && fl->answered &&
	    fl->active_us - fl->started_us < EXCHANGE_US)
		ms = exchange_ms;
	return ms * UINT64_C(1000);
}

void flow_answered(struct flow *fl)
{
	flow_touch(fl);
	if (fl->answered)
		return;
	fl->answered = true;
	loop_timer_set(fl->timer, idle_us(fl));
}

void flow_undelivered(struct flow *fl, const struct weir_addr *peer, int err)
{
	struct undelivered *u = &fl->errors[fl->error_count];

	if (err == WEIR_ESILENT || !fl->ops->unreachable ||
	    peer->kind == WEIR_ADDR_NAME)
		return;
	if (fl->error_count == ERRORS_MAX) {
		++*instance_counter(fl->inbound, "flow_errors_full");
		return;
	}
	u->peer = *peer;
	u->err = err;
	fl->error_count++;
	flow_queue(fl);
}

static void flow_give(void *arg, const struct weir_datagram *d)
{
	struct flow *fl = arg;

	if (fl->ops->send(fl->f, d, 1) < 1)
		fl->dropped++;
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

static void flow_pass(struct flow *fl, struct leg *leg,
		      const struct weir_datagram *v, int n)
{
	if (leg) {
		leg_pass(leg, v, n);
		return;
	}
	for (int i = 0; i < n; i++)
		flow_undelivered(fl, v[i].peer, EACCES);
}

static void flow_fail(struct flow *fl, int err, const char *why)
{
	if (fl->failed)
		return;
	fl->failed = true;
	fl->err = err;
	snprintf(fl->why, sizeof fl->why, "%s", why ? why : strerror(err));
	flow_queue(fl);
}

/* Is what arrives first what weir itself has sent? Of a ping the identifier,
 * its first two bytes, is the port of a socket. */
static bool is_reentry(struct flow *fl, const struct leg *leg,
		       const struct weir_datagram *d)
{
	struct weir_session_info info = fl->about.info;
	const uint8_t *id = d->data;
	const char *why;

	if (info.net == WEIR_NET_ICMP && d->len >= 2)
		info.source.port = (uint16_t)(id[0] << 8 | id[1]);
	why = reentry_why(leg->outbound, &info);
	if (why)
		flow_fail(fl, REENTRY_ERRNO, why);
	return why;
}

static void in_delivered(struct weir_end *end, const struct weir_datagram *v,
			 int n)
{
	struct flow *fl = flow_of(end);
	int from = 0;

	if (fl->failed)
		return;
	flow_touch(fl);
	fl->in_call = true;
	while (from < n) {
		struct leg *leg = decide(fl, v[from].peer);
		uint64_t bytes = 0;
		int to = from;

		if (!fl->up_bytes && leg && is_reentry(fl, leg, v))
			break;
		do
			bytes += v[to++].len;
		while (to < n && (weir_addr_equal(v[to].peer, v[from].peer) ||
				  decide(fl, v[to].peer) == leg));
		fl->up_bytes += bytes;
		instance_carried(fl->inbound, bytes, 0);
		if (leg)
			instance_carried(leg->outbound, bytes, 0);
		flow_pass(fl, leg, v + from, to - from);
		from = to;
	}
	fl->in_call = false;
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
	uint64_t due_us = fl->active_us + idle_us(fl);
	uint64_t now_us = loop_now_us();

	if (now_us < due_us)
		loop_timer_set(fl->timer, due_us - now_us);
	else
		flow_fail(fl, 0, "idle");
}

/* Why a leg carried nothing; NULL: it did, or there is nothing known. */
static const char *trouble_of(const struct leg *leg)
{
	if (leg->why || !leg->lost_err || leg->flow->answered)
		return leg->why;
	return strerror(leg->lost_err);
}

/* A flow outlives the failures of its legs: what went wrong with them is added
 * to the reason why the flow ended. */
static const char *end_told(const struct flow *fl, char room[FLOW_END_BYTES])
{
	for (const struct leg *leg = fl->legs; leg; leg = leg->next) {
		const char *trouble = trouble_of(leg);

		if (!trouble)
			continue;
		snprintf(room, FLOW_END_BYTES, "%s (%s: %s)", fl->why,
			 leg->outbound->tag, trouble);
		return room;
	}
	return fl->why;
}

static void flow_log(const struct flow *fl)
{
	const struct leg *leg = fl->legs;
	char room[FLOW_END_BYTES];
	struct dispatch_end e = {
		.info = &fl->about.info,
		.inbound = fl->inbound->tag,
		.outbound =
			leg ? leg->next ? "several" : leg->outbound->tag : "-",
		.why = end_told(fl, room),
		.up_bytes = fl->up_bytes,
		.down_bytes = fl->down_bytes,
		.started_us = fl->started_us,
	};

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
		free(leg->why);
		free(leg);
	}
	turn_forget(&fl->core->turn, &fl->task);
	loop_timer_free(fl->timer);
	flow_unlink(fl);
	fl->core->session_count--;
	if (!fl->evicted)
		fl->core->flow_count--;
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
	for (struct leg *leg = fl->legs; leg; leg = leg->next)
		leg_turn(leg);
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

	if (!instance_flow_whole(inbound, ops))
		return NULL;
	if (core->flow_count >= dispatch_flows_most(core))
		flow_evict(core);
	if (!dispatch_admits(core))
		return NULL;
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
	flow_link(fl);
	core->flow_count++;
	core->session_count++;
	inbound->sessions++;
	fl->idle_ms =
		policy_flow_idle_ms(fl->policy, info->net, info->target.port);
	fl->timer = loop_timer_new(&core->owner, timer_fired, fl);
	loop_timer_set(fl->timer, fl->idle_ms * UINT64_C(1000));
	return &fl->in;
}

bool flow_evict(struct core *core)
{
	struct flow *fl = core->idle_flow;

	if (!fl || fl->evicted)
		return false;
	flow_touch(fl);
	fl->evicted = true;
	core->flow_count--;
	core->flows_evicted++;
	flow_fail(fl, ENOBUFS, "too many flows, this one was idle longest");
	return true;
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
