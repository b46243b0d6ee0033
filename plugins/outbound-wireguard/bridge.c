/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bridge.c - sessions to names.
 *
 * The name is looked up, then the outbound dials itself with one address after
 * the other until one is connected or all have failed; what the dial brings is
 * handed to the core as our end: of a stream, each call is passed straight
 * through (passage.c). A flow knows its peer by name: datagrams to the name go
 * to the address, and what comes from there is shown as the name's.
 *
 * A bridge lives from open until the core's close, or until it was answered
 * with a failure or abandoned. After a failure of a ready dial the inner end is
 * gone while ours still waits for its close: it moves nothing. */
#include <errno.h>
#include <stdlib.h>

#include "outbound.h"
#include "passage.h"

#define TRIED_MAX 4 /* addresses of one name */

struct bridge {
	struct bridge *next, **link; /* in outbound.bridges; link NULL: not */
	struct outbound *outbound;
	struct weir_end *end;
	enum weir_net net;
	struct weir_timer *deadline;
	struct lookup *lookup;
	struct weir_dial *dial; /* NULL: not now */
	bool ready;
	struct weir_addr found[TRIED_MAX];
	int count, tried;
	const struct weir_flow_ops *flow; /* of a flow: the inner end */
	void *inner;
	struct passage passage; /* of a stream */
	struct weir_flow_ops flow_ops;
	struct weir_addr shown; /* the peer as the core knows it */
	char name[];
};

static void bridge_unlink(struct bridge *b)
{
	if (!b->link)
		return;
	*b->link = b->next;
	if (b->next)
		b->next->link = b->link;
	b->link = NULL;
}

static void bridge_free(struct bridge *b)
{
	bridge_unlink(b);
	if (b->lookup)
		names_cancel(b->lookup);
	if (b->deadline)
		b->outbound->host->timer_free(b->deadline);
	free(b);
}

static void bridge_fail(struct bridge *b, int err, const char *why)
{
	const struct weir_host *host = b->outbound->host;
	struct weir_end *end = b->end;

	++*b->outbound->failures;
	if (b->dial)
		host->hang_up(b->dial, err);
	bridge_free(b);
	host->fail(end, err, why);
}

/* ---- the end that the core sees */

static void bridge_close(void *self, int err)
{
	struct bridge *b = self;

	if (b->dial)
		b->outbound->host->hang_up(b->dial, err);
	bridge_free(b);
}

static int bridge_send(void *self, const struct weir_datagram *v, int n)
{
	struct bridge *b = self;

	for (int i = 0; b->dial && i < n; i++) {
		struct weir_datagram d = v[i];

		if (weir_addr_equal(d.peer, &b->shown)) {
			d.peer = &b->found[b->tried - 1];
		} else if (d.peer->kind == WEIR_ADDR_NAME) {
			++*b->outbound->unresolved;
			continue;
		}
		if (b->flow->send(b->inner, &d, 1) < 1)
			return i;
	}
	return n;
}

/* ---- news of the dialled end */

static void bridge_try(struct bridge *b);

static void bridge_settle(struct bridge *b)
{
	b->ready = true;
	bridge_unlink(b);
	b->outbound->host->timer_free(b->deadline);
	b->deadline = NULL;
}

static void dialled_stream(void *arg, const struct weir_stream_ops *ops,
			   void *s)
{
	struct bridge *b = arg;

	bridge_settle(b);
	passage_init(&b->passage, ops, s, bridge_close, b);
	b->outbound->host->stream_ready(b->end, &b->passage.ops, &b->passage);
}

static void dialled_flow(void *arg, const struct weir_flow_ops *ops, void *f)
{
	struct bridge *b = arg;

	bridge_settle(b);
	b->flow = ops;
	b->inner = f;
	b->flow_ops = (struct weir_flow_ops){
		.size = sizeof b->flow_ops,
		.send = bridge_send,
		.close = bridge_close,
	};
	b->outbound->host->flow_ready(b->end, &b->flow_ops, b);
}

static void dialled_notify(void *arg, unsigned events)
{
	struct bridge *b = arg;

	b->outbound->host->notify(b->end, events);
}

static const struct weir_addr *shown_as(const struct bridge *b,
					const struct weir_addr *peer)
{
	return weir_addr_equal(peer, &b->found[b->tried - 1]) ? &b->shown
							      : peer;
}

static void dialled_deliver(void *arg, const struct weir_datagram *v, int n)
{
	struct bridge *b = arg;

	for (int i = 0; i < n; i++) {
		struct weir_datagram d = v[i];

		d.peer = shown_as(b, d.peer);
		b->outbound->host->deliver(b->end, &d, 1);
	}
}

static void dialled_unreachable(void *arg, const struct weir_addr *peer,
				int err)
{
	struct bridge *b = arg;

	b->outbound->host->unreachable(b->end, shown_as(b, peer), err);
}

static void dialled_failed(void *arg, int err, const char *why)
{
	struct bridge *b = arg;

	b->dial = NULL;
	passage_cut(&b->passage);
	if (b->ready)
		b->outbound->host->fail(b->end, err, why);
	else if (b->tried < b->count)
		bridge_try(b);
	else
		bridge_fail(b, err, why);
}

static const struct weir_dialer_ops dialer_ops = {
	.size = sizeof dialer_ops,
	.stream_ready = dialled_stream,
	.flow_ready = dialled_flow,
	.notify = dialled_notify,
	.deliver = dialled_deliver,
	.unreachable = dialled_unreachable,
	.failed = dialled_failed,
};

/* ---- from the name to the dial */

static void bridge_try(struct bridge *b)
{
	struct outbound *o = b->outbound;

	b->dial = o->host->dial(o->instance, o->host->tag(o->instance),
				&b->found[b->tried++], b->net, &dialer_ops, b);
	if (!b->dial)
		bridge_fail(b, errno, "the tunnel cannot be dialled");
}

static void bridge_found(void *arg, int err, const struct weir_addr *addrs,
			 int n)
{
	struct bridge *b = arg;

	b->lookup = NULL;
	for (int i = 0; !err && i < n && b->count < TRIED_MAX; i++) {
		b->found[b->count] = addrs[i];
		b->found[b->count++].port = b->shown.port;
	}
	if (b->count)
		bridge_try(b);
	else if (err == ETIMEDOUT)
		bridge_fail(b, err, "name look-up timed out");
	else
		bridge_fail(b, EHOSTUNREACH,
			    err == ENOENT ? "no such name"
					  : "name look-up failed");
}

static void bridge_late(void *arg)
{
	bridge_fail(arg, ETIMEDOUT, "connect timed out");
}

struct bridge *bridge_open(struct outbound *o, struct weir_end *end,
			   const struct weir_addr *target, enum weir_net net)
{
	struct bridge *b = calloc(1, sizeof *b + strlen(target->name) + 1);

	if (!b) {
		o->host->fail(end, ENOMEM, "out of memory");
		return NULL;
	}
	b->outbound = o;
	b->end = end;
	b->net = net;
	b->shown = *target;
	b->shown.name = strcpy(b->name, target->name);
	b->link = &o->bridges;
	b->next = o->bridges;
	if (b->next)
		b->next->link = &b->next;
	o->bridges = b;
	b->deadline = o->host->timer_new(o->instance, bridge_late, b);
	b->lookup = names_lookup(o->names, b->name, bridge_found, b);
	if (!b->deadline || !b->lookup) {
		bridge_fail(b, ENOMEM, "out of memory");
		return NULL;
	}
	o->host->timer_set(b->deadline, o->conf->dial_timeout_ms * 1000);
	return b;
}

bool bridge_abandon(struct outbound *o, void *pending)
{
	struct bridge *b = o->bridges;

	while (b && b != pending)
		b = b->next;
	if (!b)
		return false;
	if (b->dial)
		o->host->hang_up(b->dial, ECANCELED);
	bridge_free(b);
	return true;
}
