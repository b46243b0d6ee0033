/* SPDX-License-Identifier: GPL-2.0-or-later */
/* leg.h - a flow's way through one outbound; private to flow.c and leg.c.
 *
 * A leg is made for the first destination that is routed to its outbound and
 * lives as long as the flow. */
#ifndef WEIR_CORE_LEG_H
#define WEIR_CORE_LEG_H

#include "backlog.h"
#include "dispatch.h"
#include "end.h"
#include "flow.h"

#define DECISIONS 8  /* remembered a flow */
#define ERRORS_MAX 8 /* undelivered destinations told a turn */

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
	int lost_err; /* why a datagram did not arrive, the last time; or 0 */
	char *why;    /* the leg failed last; owned. NULL: it never did */
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
	struct flow *older, *newer;
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
	bool answered, in_call, failed, evicted;
	int err;
	char why[48];
};

/* The leg for this destination, opened if it is new. NULL: its outbound does
 * not carry the network. */
struct leg *leg_for(struct flow *, const struct weir_addr *target);
/* Out, now or when the leg is ready: datagrams that were all routed to it. */
void leg_pass(struct leg *, const struct weir_datagram *v, int n);
void leg_turn(struct leg *); /* what waited for the end of the turn */
void leg_close(struct leg *, int err);

/* flow.c: queue the flow's turn. */
void flow_queue(struct flow *);
/* Something passed: it is the last used now. */
void flow_touch(struct flow *);
/* The same, by a peer: the flow may be over now. */
void flow_answered(struct flow *);
/* The client is told, in the turn, that `peer` could not be reached. */
void flow_undelivered(struct flow *, const struct weir_addr *peer, int err);

#endif
