/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow.c - the table of flows.
 *
 * A flow is found by the client's endpoint alone, so whatever destinations a
 * client talks to share one flow, and any of them, or anybody else, can answer
 * to it (full cone). Pings are flows too: their "port" is the identifier. When
 * the link's table is full the flow that was idle longest goes: its number is
 * all that is bounded here, how long it may be idle is the core's policy.
 *
 * Datagrams that arrive in one batch for one flow are handed on together. */
#include "flow.h"

#include "buffer.h"
#include "holder.h"
#include "icmp.h"
#include "narrow.h"

#include <errno.h>
#include <stdlib.h>

static void lru_unlink(struct flow *f)
{
	struct weir_link *link = f->link;

	*(f->newer ? &f->newer->older : &link->newest_flow) = f->older;
	*(f->older ? &f->older->newer : &link->oldest_flow) = f->newer;
}

static void lru_link(struct flow *f)
{
	struct weir_link *link = f->link;

	f->newer = NULL;
	f->older = link->newest_flow;
	*(f->older ? &f->older->newer : &link->oldest_flow) = f;
	link->newest_flow = f;
}

void flow_touch(struct flow *f)
{
	if (f->link->newest_flow == f)
		return;
	lru_unlink(f);
	lru_link(f);
}

static void batch_clear(struct weir_link *link)
{
	struct flow_batch *batch = &link->batch;
	int n = batch->n;

	batch->flow = NULL;
	batch->n = 0;
	for (int i = 0; i < n; i++)
		buffer_put(link->stack, batch->buffers[i]);
}

void flow_flush(struct weir_link *link)
{
	struct flow_batch *batch = &link->batch;

	if (batch->n)
		link->stack->host->deliver(batch->flow->end, batch->v,
					   batch->n);
	batch_clear(link);
}

/* The table forgets it; the core may still hold it. */
static void flow_unlink(struct flow *f)
{
	struct weir_link *link = f->link;

	if (!link)
		return;
	if (link->batch.flow == f)
		batch_clear(link);
	lru_unlink(f);
	table_remove(&link->flows, &f->node);
	link->outward_flows -= f->outward;
	f->link = NULL;
	stack_add(f->stack, COUNT_FLOWS, UINT64_MAX);
}

void flow_close(void *s, int err)
{
	struct flow *f = s;

	(void)err;
	flow_unlink(f);
	free(f);
}

void flow_evict(struct flow *f, int err, const char *why)
{
	if (f->link->batch.flow == f)
		flow_flush(f->link);
	flow_unlink(f);
	f->stack->host->fail(f->end, err, why);
}

void flow_detach_all(struct weir_link *link)
{
	while (link->newest_flow)
		flow_evict(link->newest_flow, ENETDOWN, "the link is gone");
}

static struct flow *flow_new(struct weir_link *link, const struct tuple *key)
{
	struct netstack *s = link->stack;
	struct flow *f;

	if (link->flows.count >= link->max_flows) {
		stack_add(s, COUNT_FLOWS_EVICTED, 1);
		flow_evict(link->oldest_flow, ENOBUFS,
			   "too many flows, this one was idle longest");
	}
	f = calloc(1, sizeof *f);
	if (!f)
		return NULL;
	f->stack = s;
	f->link = link;
	f->mtu = narrow_mtu(link, key);
	table_insert(&link->flows, &s->key, key, &f->node);
	lru_link(f);
	stack_add(s, COUNT_FLOWS, 1);
	stack_add(s, COUNT_FLOWS_TOTAL, 1);
	return f;
}

static struct flow *flow_accept(struct weir_link *link, const struct packet *p,
				const struct tuple *key)
{
	bool udp = p->key.protocol == IPPROTO_UDP;
	struct weir_session_info info = {
		.size = sizeof info,
		.net = udp ? WEIR_NET_UDP : WEIR_NET_ICMP,
		.source = packet_source(p),
		.target = packet_target(p),
	};
	struct flow *f = flow_new(link, key);

	if (!f)
		return NULL;
	f->holder = holder_of(link, &info.source);
	f->end = link->ops->accept_flow(
		link->owner, &info, udp ? &udp_flow_ops : &icmp_flow_ops, f);
	if (f->end)
		return f;
	stack_add(link->stack, COUNT_FLOW_REFUSED, 1);
	flow_close(f, 0);
	return NULL;
}

/* Most datagrams are of the flow of the one before. */
static struct flow *flow_by_key(struct weir_link *link, const struct tuple *key)
{
	struct flow *last = link->batch.flow;

	if (last && !memcmp(&last->node.key, key, sizeof *key))
		return last;
	return (struct flow *)(void *)table_find(&link->flows,
						 &link->stack->key, key);
}

/* Whose is it? Flows that we opened own a port of the link's address; all
 * others belong to who sent it. */
static struct flow *flow_find(struct weir_link *link, const struct packet *p)
{
	struct tuple key = p->key;
	struct flow *f = NULL;

	if (p->key.protocol == IPPROTO_UDP && link->outward_flows) {
		memset(key.remote, 0, sizeof key.remote);
		key.remote_port = 0;
		f = flow_by_key(link, &key);
		key = p->key;
	}
	if (f)
		return f;
	memset(key.local, 0, sizeof key.local);
	key.local_port = 0;
	f = flow_by_key(link, &key);
	return f ? f : flow_accept(link, p, &key);
}

static void flow_queue(struct flow *f, const struct packet *p,
		       struct weir_buffer *b)
{
	struct weir_link *link = f->link;
	struct flow_batch *batch = &link->batch;
	struct weir_datagram *d;

	if (batch->flow != f || batch->n == DELIVER_BATCH)
		flow_flush(link);
	batch->flow = f;
	d = &batch->v[batch->n];
	batch->peers[batch->n] =
		f->outward ? packet_source(p) : packet_target(p);
	d->peer = &batch->peers[batch->n];
	d->data = p->data + p->payload;
	d->len = p->len - p->payload;
	d->segment = p->gso_size < d->len ? p->gso_size : 0;
	batch->buffers[batch->n++] = b;
}

void flow_input(struct weir_link *link, const struct packet *p,
		struct weir_buffer *b)
{
	struct flow *f = flow_find(link, p);

	if (!f) {
		buffer_put(link->stack, b);
		return;
	}
	flow_touch(f);
	if (p->key.protocol != IPPROTO_UDP)
		icmp_asked(f, p);
	flow_queue(f, p, b);
}

void flow_echo_reply(struct weir_link *link, struct packet *p,
		     struct weir_buffer *b)
{
	struct tuple key = p->key;
	struct node *n;

	key.local_port = p->key.remote_port;
	memset(key.remote, 0, sizeof key.remote);
	key.remote_port = 0;
	n = table_find(&link->flows, &link->stack->key, &key);
	if (!n) {
		stack_add(link->stack, COUNT_DROP + DROP_PROTOCOL, 1);
		buffer_put(link->stack, b);
		return;
	}
	flow_touch((struct flow *)(void *)n);
	flow_queue((struct flow *)(void *)n, p, b);
}

struct flow *flow_quoted(struct weir_link *link, const struct packet *p)
{
	struct tuple ours, theirs;
	struct node *n;

	packet_quoted_key(p, &ours);
	theirs = ours;
	memset(ours.remote, 0, sizeof ours.remote);
	ours.remote_port = 0;
	n = table_find(&link->flows, &link->stack->key, &ours);
	if (!n) {
		memset(theirs.local, 0, sizeof theirs.local);
		theirs.local_port = 0;
		n = table_find(&link->flows, &link->stack->key, &theirs);
	}
	return (struct flow *)(void *)n;
}

void flow_lost(struct flow *f, const struct packet *p, int err)
{
	struct weir_addr peer;
	struct tuple key;

	packet_quoted_key(p, &key);
	peer = (struct weir_addr){.kind = key.v6 ? WEIR_ADDR_IP6
						 : WEIR_ADDR_IP4,
				  .port = key.remote_port};
	memcpy(peer.ip, key.remote, key.v6 ? 16 : 4);
	f->stack->host->unreachable(f->end, &peer, err);
}

struct weir_addr flow_client(const struct flow *f)
{
	const struct tuple *key = &f->node.key;
	struct weir_addr a = {
		.kind = key->v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
		.port = f->outward ? key->local_port : key->remote_port,
	};

	memcpy(a.ip, f->outward ? key->local : key->remote, key->v6 ? 16 : 4);
	return a;
}

static uint8_t protocol_of(enum weir_net net, bool v6)
{
	if (net == WEIR_NET_UDP)
		return IPPROTO_UDP;
	return v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
}

void flow_open(struct weir_link *link, struct weir_end *end,
	       const struct weir_addr *target, enum weir_net net)
{
	struct netstack *s = link->stack;
	bool v6 = target->kind == WEIR_ADDR_IP6;
	const struct weir_cidr *own = link_address(link, v6);
	struct tuple key = {.v6 = v6, .protocol = protocol_of(net, v6)};
	struct flow *f = NULL;

	if (own) {
		memcpy(key.local, own->base.ip, v6 ? 16 : 4);
		if (table_choose_port(&link->flows, &s->key, &key))
			f = flow_new(link, &key);
	}
	if (!f) {
		s->host->fail(end, own ? ENOBUFS : ENETUNREACH,
			      "cannot open a flow through the link");
		return;
	}
	memcpy(key.remote, target->ip, v6 ? 16 : 4);
	f->mtu = narrow_mtu(link, &key);
	f->outward = true;
	link->outward_flows++;
	f->end = end;
	s->host->flow_ready(
		end, net == WEIR_NET_UDP ? &udp_flow_ops : &icmp_flow_ops, f);
}
