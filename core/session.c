/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Stream sessions.
 *
 * Theory of operation: a session waits for its outbound (OPENING), then the
 * inbound's held handshake is completed and bytes are relayed (OPEN), and it
 * ends in one place. Plugins only leave news - ready, notify, fail - and queue
 * the session; session_turn acts on them at the end of the turn, when no plugin
 * is in the middle of a call. One timer serves every limit: it looks at when
 * bytes last moved and goes back to sleep for the rest, so an idle limit is
 * exact and costs nothing a packet. Once a direction has ended it also looks at
 * what of it is still on its way: a slow reader must not lose the time in which
 * it may still answer. */
#include "session.h"

#include <errno.h>

#include "dispatch.h"
#include "end.h"
#include "instance.h"
#include "policy.h"
#include "reentry.h"
#include "relay.h"
#include "share.h"
#include "util.h"

/* Looks at what is unacknowledged, in the time that one direction is left
 * alone. */
#define LOOKS 8
#define BULK_BYTES (64u << 10) /* in a turn: that is much */
#define BULK_PUMPS 16	       /* with less: it is no longer one of those */

struct session {
	struct weir_end in, out;
	struct weir_task task;
	struct session *next, **link;
	struct core *core;
	struct weir_instance *inbound, *outbound;
	struct dispatch_info about;
	struct share *share;
	const struct weir_policy *policy;
	struct relay relay; /* the outbound's `s`: until it answers, its open */
	struct loop_timer *timer;
	uint64_t started_us, active_us;
	size_t unacked; /* of a direction that has ended, at the last look */
	bool answered;	/* the outbound is ready, or failed */
	bool open;	/* bytes are relayed */
	bool cut;	/* the outbound was ready, and failed */
	bool failed;
	uint8_t bulk; /* it carried much lately: pumps until that is over */
	int err;
	char *why; /* NULL: closed in order */
};

static const struct end_ops in_ops, out_ops;

static struct session *session_of(struct weir_end *end)
{
	if (end->ops == &in_ops)
		return container_of(end, struct session, in);
	return container_of(end, struct session, out);
}

static void queue(struct session *s)
{
	struct turn *turn = &s->core->turn;

	if (s->bulk)
		turn_bulk(turn, &s->task);
	else
		turn_session(turn, &s->task);
}

static void note_failure(struct session *s, int err, const char *why)
{
	if (s->failed)
		return;
	s->failed = true;
	s->err = err ? err : EIO;
	s->why = xstrdup(why && *why ? why : strerror(s->err));
	queue(s);
}

static void on_notify(struct weir_end *end, unsigned events)
{
	(void)events; /* the pump finds out by itself */
	queue(session_of(end));
}

static void in_fail(struct weir_end *end, int err, const char *why)
{
	note_failure(session_of(end), err, why);
}

static void out_fail(struct weir_end *end, int err, const char *why)
{
	struct session *s = session_of(end);

	s->answered = true;
	s->cut |= !s->failed && s->relay.end[RELAY_OUT].ops;
	note_failure(s, err, why);
}

static void out_ready(struct weir_end *end, const struct weir_stream_ops *ops,
		      void *stream)
{
	struct session *s = session_of(end);

	if (s->answered)
		return;
	s->answered = true;
	s->relay.end[RELAY_OUT].ops = ops->close ? ops : NULL;
	s->relay.end[RELAY_OUT].s = stream;
	if (!instance_stream_whole(s->outbound, ops))
		note_failure(s, EIO, "outbound stream is incomplete");
	queue(s);
}

static const struct weir_policy *policy_get(struct weir_end *end)
{
	return session_of(end)->policy;
}

static const struct weir_session_info *info_get(struct weir_end *end)
{
	return &session_of(end)->about.info;
}

static const struct end_ops in_ops = {
	.notify = on_notify,
	.fail = in_fail,
	.policy = policy_get,
	.info = info_get,
};

static const struct end_ops out_ops = {
	.stream_ready = out_ready,
	.notify = on_notify,
	.fail = out_fail,
	.policy = policy_get,
	.info = info_get,
};

static void session_log(const struct session *s)
{
	struct dispatch_end e = {
		.info = &s->about.info,
		.inbound = s->inbound->tag,
		.outbound = s->outbound ? s->outbound->tag : "-",
		.why = s->why ? s->why : "closed",
		.up_bytes = s->relay.end[RELAY_IN].bytes,
		.down_bytes = s->relay.end[RELAY_OUT].bytes,
		.started_us = s->started_us,
	};

	dispatch_log(&e);
}

/* An end that was told `finish` has got everything that was for it: it is
 * closed in order, whatever became of the other direction. */
static int close_errno(const struct session *s, const struct relay_end *end)
{
	return end->finished ? 0 : s->err;
}

/* The only place where a session ends; never inside a plugin's call. */
static void session_end(struct session *s)
{
	struct relay_end *in = &s->relay.end[RELAY_IN];
	struct relay_end *out = &s->relay.end[RELAY_OUT];

	if (out->ops)
		out->ops->close(out->s, close_errno(s, out));
	else if (!s->answered && s->outbound)
		instance_outbound(s->outbound)
			->abandon(s->outbound->self, out->s);
	in->ops->close(in->s, close_errno(s, in));
	session_log(s);
	turn_forget(&s->core->turn, &s->task);
	loop_timer_free(s->timer);
	*s->link = s->next;
	if (s->next)
		s->next->link = s->link;
	s->core->session_count--;
	share_return(&s->core->shares, s->share);
	relay_fini(&s->relay);
	dispatch_info_fini(&s->about);
	free(s->why);
	free(s);
}

/* How long one direction may be silent when the other has ended; 0: neither has
 * ended, or there is no time left to it. */
static uint32_t alone_ms(const struct session *s)
{
	if (s->relay.end[RELAY_OUT].finished)
		return s->policy->downlink_only_ms;
	if (s->relay.end[RELAY_IN].finished)
		return s->policy->uplink_only_ms;
	return 0;
}

/* How long this session may stay without a byte. */
static uint64_t limit_us(const struct session *s)
{
	const struct weir_policy *p = s->policy;
	uint32_t ms = p->idle_ms;

	if (!s->open)
		ms = p->handshake_ms;
	else if ((s->relay.end[RELAY_OUT].finished ||
		  s->relay.end[RELAY_IN].finished) &&
		 (!s->unacked || alone_ms(s) > ms))
		ms = alone_ms(s);
	return ms * UINT64_C(1000);
}

static size_t unacked(const struct relay_end *end)
{
	return end->finished && WEIR_HAS(end->ops, unacked) && end->ops->unacked
		       ? end->ops->unacked(end->s)
		       : 0;
}

static void look_at_unacked(struct session *s)
{
	size_t left = unacked(&s->relay.end[RELAY_IN]) +
		      unacked(&s->relay.end[RELAY_OUT]);

	if (left != s->unacked)
		s->active_us = loop_now_us();
	s->unacked = left;
}

/* The name of the limit that a silent session has reached. */
static const char *limit_name(const struct session *s)
{
	if (!s->open)
		return "handshake timed out";
	if (s->unacked)
		return "idle";
	if (s->relay.end[RELAY_OUT].finished)
		return "downlink_only ran out behind the client's end";
	if (s->relay.end[RELAY_IN].finished)
		return "uplink_only ran out behind the target's end";
	return "idle";
}

static void timer_fired(void *arg)
{
	struct session *s = arg;
	uint64_t alone_us = alone_ms(s) * UINT64_C(1000), due_us, wait_us;
	uint64_t now_us = loop_now_us();

	if (alone_us)
		look_at_unacked(s);
	due_us = s->active_us + limit_us(s);
	if (now_us >= due_us) {
		note_failure(s, ETIMEDOUT, limit_name(s));
		return;
	}
	wait_us = due_us - now_us;
	if (s->unacked && wait_us > alone_us / LOOKS)
		wait_us = alone_us / LOOKS;
	loop_timer_set(s->timer, wait_us);
}

static bool session_open(struct session *s)
{
	struct relay_end *in = &s->relay.end[RELAY_IN];
	int err = in->ops->accept ? in->ops->accept(in->s) : 0;

	if (err) {
		note_failure(s, err, "client is gone");
		return false;
	}
	s->open = true;
	s->active_us = loop_now_us();
	loop_timer_set(s->timer, limit_us(s));
	return true;
}

static void session_pump(struct session *s)
{
	struct relay_end *in = &s->relay.end[RELAY_IN];
	struct relay_end *out = &s->relay.end[RELAY_OUT];
	uint64_t up_bytes = in->bytes, down_bytes = out->bytes;
	uint64_t limit = limit_us(s);
	bool more = relay_pump(&s->relay);

	up_bytes = in->bytes - up_bytes;
	down_bytes = out->bytes - down_bytes;
	turn_moved(&s->core->turn, up_bytes + down_bytes);
	if (up_bytes + down_bytes >= BULK_BYTES)
		s->bulk = BULK_PUMPS;
	else if (s->bulk)
		s->bulk--;
	if (more)
		queue(s);
	instance_carried(s->inbound, up_bytes, down_bytes);
	instance_carried(s->outbound, up_bytes, down_bytes);
	/* The end of a direction is news too. */
	if (up_bytes || down_bytes || limit_us(s) != limit)
		s->active_us = loop_now_us();
	if (limit_us(s) < limit)
		timer_fired(s);
}

static void session_turn(struct weir_task *task)
{
	struct session *s = container_of(task, struct session, task);

	/* What came before a failure is still for the other end. */
	if (s->open ||
	    (s->answered && (!s->failed || s->cut) && session_open(s)))
		session_pump(s);
	if (s->failed || (s->open && relay_done(&s->relay)))
		session_end(s);
}

static void session_dispatch(struct session *s)
{
	const struct weir_addr *target = &s->about.info.target;
	const char *why;
	void *pending;

	s->outbound = dispatch_outbound(s->inbound, &s->about.info, target);
	if (!s->outbound) {
		s->answered = true;
		note_failure(s, EACCES, "outbound does not carry tcp");
		return;
	}
	why = reentry_why(s->outbound, &s->about.info);
	if (why) {
		s->answered = true;
		note_failure(s, REENTRY_ERRNO, why);
		return;
	}
	s->outbound->sessions++;
	pending = instance_outbound(s->outbound)
			  ->open(s->outbound->self, &s->out, target,
				 WEIR_NET_TCP);
	if (!s->answered)
		s->relay.end[RELAY_OUT].s = pending;
}

struct weir_end *session_accept(struct weir_instance *inbound,
				const struct weir_session_info *info,
				const struct weir_stream_ops *ops, void *stream)
{
	struct core *core = inbound->core;
	struct share *share;
	struct session *s;

	if (!instance_stream_whole(inbound, ops) || !dispatch_admits(core))
		return NULL;
	share = share_take(&core->shares, info, dispatch_room(core));
	if (!share) {
		core->refused_share++;
		return NULL;
	}
	s = xcalloc(1, sizeof *s);
	s->share = share;
	s->in.ops = &in_ops;
	s->out.ops = &out_ops;
	s->task.run = session_turn;
	s->core = core;
	s->inbound = inbound;
	dispatch_info_init(&s->about, inbound, info);
	s->policy = policy_of(core->config, s->about.info.level);
	s->relay.hold_bytes = s->policy->buffer_bytes;
	s->relay.end[RELAY_IN].ops = ops;
	s->relay.end[RELAY_IN].s = stream;
	s->started_us = s->active_us = loop_now_us();
	s->link = &core->sessions;
	s->next = core->sessions;
	if (s->next)
		s->next->link = &s->next;
	core->sessions = s;
	core->session_count++;
	inbound->sessions++;
	s->timer = loop_timer_new(&core->owner, timer_fired, s);
	loop_timer_set(s->timer, limit_us(s));
	session_dispatch(s);
	return &s->in;
}

void session_end_all(struct core *core)
{
	while (core->sessions) {
		struct session *s = core->sessions;

		if (!s->failed) {
			s->err = ECONNABORTED;
			s->why = xstrdup("weir stops");
		}
		session_end(s);
	}
}
