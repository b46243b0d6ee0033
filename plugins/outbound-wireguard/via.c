/* SPDX-License-Identifier: GPL-2.0-or-later */
/* via.c - the wire through another outbound: a flow that is dialled.
 *
 * The flow is dialled when there is the first datagram to send, since only then
 * a peer is known. Until it is ready a few handshake messages are held, because
 * the engine does not keep those; for all else the wire is full. A flow that
 * fails is dialled again by the next datagram, after a pause in which datagrams
 * are dropped as any bad wire would. What comes in is copied, because the
 * engine opens it in place. */
#include <errno.h>
#include <stdlib.h>

#include "outbound.h"

#define PAUSE_US 1000000ull
#define ROOM_BYTES 65536
#define HELD_MAX 8
#define HELD_BYTES 148 /* the longest message of a handshake */

struct held {
	struct weir_addr to;
	uint32_t len;
	uint8_t data[HELD_BYTES];
};

struct via {
	struct outbound *outbound;
	struct weir_dial *dial;		  /* NULL: not now */
	const struct weir_flow_ops *flow; /* NULL: not ready */
	void *inner;
	uint64_t failed_us; /* 0: it did not */
	uint64_t *dropped;
	struct held held[HELD_MAX];
	unsigned held_count;
	uint8_t room[ROOM_BYTES];
};

/* True: the datagram is held, or dropped since HELD_MAX are. */
static bool hold(struct via *v, const struct weir_datagram *d)
{
	struct held *h = &v->held[v->held_count];

	if (d->len > HELD_BYTES)
		return false;
	if (v->held_count == HELD_MAX) {
		++*v->dropped;
		return true;
	}
	h->to = *d->peer;
	h->len = d->len;
	memcpy(h->data, d->data, d->len);
	v->held_count++;
	return true;
}

static void flow_ready(void *arg, const struct weir_flow_ops *ops, void *f)
{
	struct via *v = arg;

	v->flow = ops;
	v->inner = f;
	v->failed_us = 0;
	for (unsigned i = 0; i < v->held_count; i++) {
		struct held *h = &v->held[i];
		struct weir_datagram d = {&h->to, h->data, h->len, 0};

		ops->send(f, &d, 1);
	}
	v->held_count = 0;
	tunnel_writable(&v->outbound->tunnel);
}

static void flow_deliver(void *arg, const struct weir_datagram *d, int n)
{
	struct via *v = arg;

	for (int i = 0; i < n; i++) {
		struct wg_endpoint from = {.addr = *d[i].peer};
		struct wg_datagrams in = {.data = v->room,
					  .len = d[i].len,
					  .segment = d[i].segment,
					  .from = &from};

		if (d[i].len > sizeof v->room ||
		    from.addr.kind == WEIR_ADDR_NAME) {
			++*v->dropped;
			continue;
		}
		memcpy(v->room, d[i].data, d[i].len);
		tunnel_receive(&v->outbound->tunnel, &in, 1);
	}
}

static void flow_failed(void *arg, int err, const char *why)
{
	struct via *v = arg;
	struct outbound *o = v->outbound;

	v->dial = NULL;
	v->flow = NULL;
	*v->dropped += v->held_count;
	v->held_count = 0;
	v->failed_us = o->host->now_us();
	o->host->log(o->instance, WEIR_WARN, "via: %s: %s", why, strerror(err));
	tunnel_writable(&o->tunnel);
}

static const struct weir_dialer_ops dialer_ops = {
	.size = sizeof dialer_ops,
	.flow_ready = flow_ready,
	.deliver = flow_deliver,
	.failed = flow_failed,
};

static bool in_pause(const struct via *v)
{
	return v->failed_us &&
	       v->outbound->host->now_us() - v->failed_us < PAUSE_US;
}

static bool via_send(void *self, const struct wg_endpoint *to, uint8_t *data,
		     uint32_t len, uint16_t segment, uint8_t tos)
{
	struct via *v = self;
	struct outbound *o = v->outbound;
	struct weir_datagram d = {.peer = &to->addr,
				  .data = data,
				  .len = len,
				  .segment = segment < len ? segment : 0};

	(void)tos;
	if (!v->dial && !in_pause(v))
		v->dial = o->host->dial(o->instance, NULL, &to->addr,
					WEIR_NET_UDP, &dialer_ops, v);
	if (v->dial && !v->flow)
		return hold(v, &d);
	if (!v->flow)
		++*v->dropped;
	else
		v->flow->send(v->inner, &d, 1);
	return true;
}

static int via_open(void *self)
{
	struct via *v = self;

	v->failed_us = 0;
	return 0;
}

static void via_close(void *self)
{
	struct via *v = self;

	if (v->dial)
		v->outbound->host->hang_up(v->dial, 0);
	v->dial = NULL;
	v->flow = NULL;
	v->held_count = 0;
}

const struct tunnel_wire via_wire = {
	.open = via_open,
	.close = via_close,
	.send = via_send,
};

static void nothing_failed(void *arg, int err, const char *why)
{
	(void)arg, (void)err, (void)why;
}

static void nothing_ready(void *arg, const struct weir_flow_ops *ops, void *f)
{
	(void)arg, (void)ops, (void)f;
}

bool via_is_set(struct outbound *o)
{
	static const struct weir_dialer_ops nobody = {
		.size = sizeof nobody,
		.flow_ready = nothing_ready,
		.failed = nothing_failed,
	};
	const struct weir_addr anywhere = {.kind = WEIR_ADDR_IP4, .port = 1};
	struct weir_dial *d;

	errno = ENOENT;
	d = o->host->dial(o->instance, NULL, &anywhere, WEIR_NET_UDP, &nobody,
			  NULL);
	if (!d)
		return errno != ENOENT;
	o->host->hang_up(d, 0); /* before it was opened: nothing happened */
	return true;
}

struct via *via_new(struct outbound *o)
{
	struct via *v = calloc(1, sizeof *v);

	if (!v)
		return NULL;
	v->outbound = o;
	v->dropped = o->host->counter(o->instance, "via_dropped");
	return v;
}

void via_free(struct via *v)
{
	free(v);
}
