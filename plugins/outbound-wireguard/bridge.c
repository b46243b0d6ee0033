/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bridge.c - sessions to names.
 *
 * The name is looked up, then the outbound dials itself with one address after
 * the other as RFC 8305 says, in the order of the look-up: the next when the
 * last one failed or has not answered for STAGGER_US. The first to connect
 * wins, the others are hung up. What its dial brings is handed to the core as
 * our end: of a stream, each call is passed straight through (passage.c). A
 * flow knows its peer by name: datagrams to the name go to the address, and
 * what comes from there is shown as the name's.
 *
 * A bridge lives from open until the core's close, or until it was answered
 * with a failure or abandoned. After a failure of a ready dial the inner end is
 * gone while ours still waits for its close: it moves nothing. */
#include <errno.h>
#include <stdlib.h>

#include "outbound.h"
#include "passage.h"

#define TRIED_MAX 4		/* addresses of one name */
#define STAGGER_US (250 * 1000) /* RFC 8305, 5 */

struct bridge {
	struct bridge *next, **link; /* in outbound.bridges; link NULL: not */
	struct outbound *outbound;
	struct weir_end *end;
	enum weir_net net;
	struct weir_timer *deadline, *pace;
	struct lookup *lookup;
	struct attempt {
		struct bridge *bridge;
		struct weir_addr to;
		struct weir_dial *dial; /* NULL: not now */
	} attempt[TRIED_MAX];
	int count, tried;
	unsigned dials;
	struct attempt *won;		  /* NULL: not ready */
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

static void bridge_unhurry(struct bridge *b)
{
	if (b->deadline)
		b->outbound->host->timer_free(b->deadline);
	if (b->pace)
		b->outbound->host->timer_free(b->pace);
	b->deadline = b->pace = NULL;
}

static void bridge_hang_up(struct bridge *b, const struct attempt *but, int err)
{
	for (struct attempt *a = b->attempt; a < b->attempt + b->tried; a++) {
		if (!a->dial || a == but)
			continue;
		b->outbound->host->hang_up(a->dial, err);
		a->dial = NULL;
	}
}

static void bridge_free(struct bridge *b, int err)
{
	bridge_unlink(b);
	bridge_hang_up(b, NULL, err);
	if (b->lookup)
		names_cancel(b->lookup);
	bridge_unhurry(b);
	free(b);
}

static void bridge_fail(struct bridge *b, int err, const char *why)
{
	const struct weir_host *host = b->outbound->host;
	struct weir_end *end = b->end;

	++*b->outbound->failures;
	bridge_free(b, err);
	host->fail(end, err, why);
}

/* ---- the end that the core sees */

static void bridge_close(void *self, int err)
{
	bridge_free(self, err);
}

static int bridge_send(void *self, const struct weir_datagram *v, int n)
{
	struct bridge *b = self;

	for (int i = 0; b->won->dial && i < n; i++) {
		struct weir_datagram d = v[i];

		if (weir_addr_equal(d.peer, &b->shown)) {
			d.peer = &b->won->to;
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

static void bridge_advance(struct bridge *b, int err, const char *why);

static struct bridge *bridge_settle(struct attempt *won)
{
	struct bridge *b = won->bridge;

	b->won = won;
	bridge_unlink(b);
	bridge_hang_up(b, won, 0);
	bridge_unhurry(b);
	return b;
}

static void dialled_stream(void *arg, const struct weir_stream_ops *ops,
			   void *s)
{
	struct bridge *b = bridge_settle(arg);

	passage_init(&b->passage, ops, s, bridge_close, b);
	b->outbound->host->stream_ready(b->end, &b->passage.ops, &b->passage);
}

static void dialled_flow(void *arg, const struct weir_flow_ops *ops, void *f)
{
	struct bridge *b = bridge_settle(arg);

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
	struct bridge *b = ((struct attempt *)arg)->bridge;

	b->outbound->host->notify(b->end, events);
}

static const struct weir_addr *shown_as(const struct bridge *b,
					const struct weir_addr *peer)
{
	return weir_addr_equal(peer, &b->won->to) ? &b->shown : peer;
}

static void dialled_deliver(void *arg, const struct weir_datagram *v, int n)
{
	struct bridge *b = ((struct attempt *)arg)->bridge;

	for (int i = 0; i < n; i++) {
		struct weir_datagram d = v[i];

		d.peer = shown_as(b, d.peer);
		b->outbound->host->deliver(b->end, &d, 1);
	}
}

static void dialled_unreachable(void *arg, const struct weir_addr *peer,
				int err)
{
	struct bridge *b = ((struct attempt *)arg)->bridge;

	b->outbound->host->unreachable(b->end, shown_as(b, peer), err);
}

static void dialled_failed(void *arg, int err, const char *why)
{
	struct attempt *a = arg;
	struct bridge *b = a->bridge;

	a->dial = NULL;
	b->dials--;
	if (!b->won) {
		bridge_advance(b, err, why);
		return;
	}
	passage_cut(&b->passage);
	b->outbound->host->fail(b->end, err, why);
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

/* Dial the next address. Where none is left and no dial is under way, the last
 * error ends the session. */
static void bridge_advance(struct bridge *b, int err, const char *why)
{
	struct outbound *o = b->outbound;

	while (b->tried < b->count) {
		struct attempt *a = &b->attempt[b->tried++];

		a->dial = o->host->dial(o->instance, o->host->tag(o->instance),
					&a->to, b->net, &dialer_ops, a);
		if (a->dial) {
			b->dials++;
			o->host->timer_set(b->pace, STAGGER_US);
			return;
		}
		err = errno;
		why = "the tunnel cannot be dialled";
	}
	if (!b->dials)
		bridge_fail(b, err, why);
}

static void bridge_pace(void *arg)
{
	bridge_advance(arg, 0, NULL);
}

static void bridge_found(void *arg, int err, const struct weir_addr *addrs,
			 int n)
{
	struct bridge *b = arg;

	b->lookup = NULL;
	for (int i = 0; !err && i < n && b->count < TRIED_MAX; i++) {
		struct attempt *a = &b->attempt[b->count++];

		a->bridge = b;
		a->to = addrs[i];
		a->to.port = b->shown.port;
	}
	if (b->count)
		bridge_advance(b, 0, NULL);
	else if (err == ETIMEDOUT)
		bridge_fail(b, err, "name look-up timed out");
	else
		bridge_fail(b, EHOSTUNREACH,
			    err == ENOENT ? "no such name"
					  : "name look-up failed");
}

static void bridge_late(void *arg)
{
	struct bridge *b = arg;

	bridge_fail(b, ETIMEDOUT,
		    b->lookup ? "name look-up timed out" : "connect timed out");
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
	b->pace = o->host->timer_new(o->instance, bridge_pace, b);
	b->lookup = names_lookup(o->names, b->name, bridge_found, b);
	if (!b->deadline || !b->pace || !b->lookup) {
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
	bridge_free(b, ECANCELED);
	return true;
}
