/* SPDX-License-Identifier: GPL-2.0-or-later */
/* via.c - a session through another outbound instead of our own sockets.
 *
 * The core dials for us; what it hands back is handed on to the core as our
 * end; of a stream, each call is passed straight through (passage.c).
 * A bridge lives from open until the core's close, or until it was answered
 * with a failure or abandoned. After a failure of a ready dial the inner end is
 * gone while ours still waits for its close: it moves nothing. */
#include <errno.h>
#include <stdlib.h>

#include "moved.h"
#include "passage.h"
#include "via.h"

struct bridge {
	struct pending pending;
	struct freedom *freedom;
	struct weir_end *end;
	struct weir_dial *dial;	     /* NULL: failed */
	struct weir_timer *deadline; /* NULL: it is ready */
	bool ready;
	const struct weir_flow_ops *flow; /* of a flow: the inner end */
	void *inner;
	struct passage passage; /* of a stream */
	struct weir_flow_ops flow_ops;

	bool redirects;	     /* datagrams; not echoes */
	struct moved *moved; /* peers, elsewhere */
};

static void deadline_end(struct bridge *b)
{
	if (b->deadline)
		b->freedom->host->timer_free(b->deadline);
	b->deadline = NULL;
}

static void bridge_free(struct bridge *b)
{
	deadline_end(b);
	moved_free(&b->moved);
	free(b);
}

/* ---- the end that the core sees */

static void bridge_close(void *self, int err)
{
	struct bridge *b = self;

	if (b->dial)
		b->freedom->host->hang_up(b->dial, err);
	bridge_free(b);
}

/* Where a datagram for `peer` goes. NULL where that cannot be remembered: an
 * answer could not be shown as the peer's. */
static const struct weir_addr *redirected(struct bridge *b,
					  const struct weir_addr *peer,
					  struct weir_addr *room)
{
	if (!b->redirects)
		return peer;
	*room = freedom_target(b->freedom, peer);
	if (weir_addr_equal(room, peer))
		return peer;
	return moved_note(&b->moved, peer, room) ? room : NULL;
}

static int bridge_send(void *self, const struct weir_datagram *v, int n)
{
	struct bridge *b = self;

	for (int i = 0; b->dial && i < n; i++) {
		struct weir_datagram d = v[i];
		struct weir_addr to;

		d.peer = redirected(b, d.peer, &to);
		if (!d.peer)
			++*b->freedom->n.udp_dropped;
		else if (b->flow->send(b->inner, &d, 1) < 1)
			return i;
	}
	return n;
}

/* ---- news of the dialled end */

static void dialled_stream(void *arg, const struct weir_stream_ops *ops,
			   void *s)
{
	struct bridge *b = arg;

	b->ready = true;
	deadline_end(b);
	passage_init(&b->passage, ops, s, bridge_close, b);
	b->freedom->host->stream_ready(b->end, &b->passage.ops, &b->passage);
}

static void dialled_flow(void *arg, const struct weir_flow_ops *ops, void *f)
{
	struct bridge *b = arg;

	b->ready = true;
	deadline_end(b);
	b->flow = ops;
	b->inner = f;
	b->flow_ops = (struct weir_flow_ops){
		.size = sizeof b->flow_ops,
		.send = bridge_send,
		.close = bridge_close,
	};
	b->freedom->host->flow_ready(b->end, &b->flow_ops, b);
}

static void dialled_notify(void *arg, unsigned events)
{
	struct bridge *b = arg;

	b->freedom->host->notify(b->end, events);
}

static void dialled_deliver(void *arg, const struct weir_datagram *v, int n)
{
	struct bridge *b = arg;
	const struct weir_host *host = b->freedom->host;

	if (!b->moved) {
		host->deliver(b->end, v, n);
		return;
	}
	for (int i = 0; i < n; i++) {
		struct weir_datagram d = v[i];

		d.peer = moved_shown(b->moved, d.peer);
		host->deliver(b->end, &d, 1);
	}
}

static void dialled_unreachable(void *arg, const struct weir_addr *peer,
				int err)
{
	struct bridge *b = arg;

	b->freedom->host->unreachable(b->end, moved_shown(b->moved, peer), err);
}

static void dialled_failed(void *arg, int err, const char *why)
{
	struct bridge *b = arg;
	const struct weir_host *host = b->freedom->host;
	struct weir_end *end = b->end;

	b->dial = NULL;
	passage_cut(&b->passage);
	/* A ready end is still closed by the core, and freed there. */
	if (!b->ready)
		bridge_free(b);
	host->fail(end, err, why);
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

static void bridge_abandon(struct pending *p)
{
	struct bridge *b = (struct bridge *)p;

	b->freedom->host->hang_up(b->dial, ECANCELED);
	bridge_free(b);
}

static void give_up(struct bridge *b, int err, const char *why)
{
	const struct weir_host *host = b->freedom->host;
	struct weir_end *end = b->end;

	bridge_abandon(&b->pending);
	host->fail(end, err, why);
}

static void deadline_fire(void *arg)
{
	give_up(arg, ETIMEDOUT, "via did not connect in time");
}

static bool deadline_begin(struct bridge *b)
{
	struct freedom *f = b->freedom;

	b->deadline = f->host->timer_new(f->instance, deadline_fire, b);
	if (b->deadline)
		f->host->timer_set(b->deadline,
				   f->conf->dial_timeout_ms * 1000);
	return b->deadline;
}

bool via_open(struct freedom *f, struct weir_end *end,
	      const struct weir_addr *target, enum weir_net net,
	      struct pending **pending)
{
	struct bridge *b = calloc(1, sizeof *b);
	int err;

	if (!b) {
		f->host->fail(end, ENOMEM, "out of memory");
		return true;
	}
	b->pending.abandon = bridge_abandon;
	b->freedom = f;
	b->end = end;
	b->redirects = net == WEIR_NET_UDP;
	errno = ENOENT;
	b->dial = f->host->dial(f->instance, NULL, target, net, &dialer_ops, b);
	if (b->dial) {
		if (deadline_begin(b))
			*pending = &b->pending;
		else
			give_up(b, ENOMEM, "out of memory");
		return true;
	}
	err = errno;
	free(b);
	if (err == ENOENT)
		return false;
	/* Never directly instead: the user asked for the way through `via`. */
	f->host->fail(end, err, "via cannot carry this");
	return true;
}
