/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp.c - datagrams to the link, beside lwIP.
 *
 * A reply carries the replying peer as its source, whoever that is. A train
 * from a socket goes to the link as a train where it takes them, in whole
 * segments and not beyond what one IP packet holds; otherwise it is cut here.
 * A segment that does not fit the MTU makes the train go out in fragments.
 *
 * A socket whose path does not coalesce gives datagrams one by one. Neighbours
 * from one peer and of one size leave as a train all the same: the link takes
 * one packet where it would have taken many. */
#include "bytes.h"
#include "emit.h"
#include "flow.h"
#include "icmp.h"

#define UDP_PAYLOAD_MOST 65507u
#define TRAIN_PAYLOAD_MOST 65000u
#define TRAIN_SEGMENTS_MOST EMIT_PIECES

/* How many bytes of this datagram make up one packet for the link? */
static uint32_t unit_size(const struct emit *e, const struct weir_datagram *d,
			  bool v6)
{
	uint32_t headers = (v6 ? IP6_HEADER : IP4_HEADER) + UDP_HEADER;
	uint32_t segments;

	if (!d->segment || d->segment >= d->len)
		return d->len;
	if (!(e->link->offloads & WEIR_LINK_USO) ||
	    d->segment + headers > e->mtu)
		return d->segment;
	if (d->segment > TRAIN_PAYLOAD_MOST)
		return d->segment;
	segments = TRAIN_PAYLOAD_MOST / d->segment;
	if (segments > TRAIN_SEGMENTS_MOST)
		segments = TRAIN_SEGMENTS_MOST;
	return segments * d->segment;
}

static struct emit_packet packet_between(const struct weir_addr *source,
					 const struct weir_addr *target)
{
	return (struct emit_packet){
		.source = source->ip,
		.target = target->ip,
		.v6 = target->kind == WEIR_ADDR_IP6,
		.pseudo = true,
		.protocol = IPPROTO_UDP,
		.head_len = UDP_HEADER,
		.checksum_at = 6,
	};
}

static void send_packet(struct emit *e, struct emit_packet *p, uint16_t from,
			uint16_t to)
{
	put16(p->head, from);
	put16(p->head + 2, to);
	put16(p->head + 4, UDP_HEADER + p->len);
	emit_packet(e, p);
}

static void send_one(struct emit *e, const struct weir_addr *source,
		     const struct weir_addr *target,
		     const struct weir_datagram *d)
{
	struct emit_packet p = packet_between(source, target);
	uint32_t unit = unit_size(e, d, p.v6), at = 0;

	do {
		p.data = (const uint8_t *)d->data + at;
		p.len = d->len - at < unit ? d->len - at : unit;
		p.gso_size = d->segment && p.len > d->segment ? d->segment : 0;
		send_packet(e, &p, source->port, target->port);
		at += p.len;
	} while (at < d->len);
}

/* How many of v[0..n) can leave as one train, the first counted. */
static int run_length(const struct emit *e, const struct weir_datagram *v,
		      int n)
{
	uint32_t headers =
		(v->peer->kind == WEIR_ADDR_IP6 ? IP6_HEADER : IP4_HEADER) +
		UDP_HEADER;
	uint32_t total = v->len;
	int i = 1;

	if (!(e->link->offloads & WEIR_LINK_USO) || v->segment || !v->len ||
	    v->len + headers > e->mtu)
		return 1;
	while (i < n && i < TRAIN_SEGMENTS_MOST && v[i - 1].len == v->len &&
	       v[i].len && v[i].len <= v->len && !v[i].segment &&
	       total + v[i].len <= TRAIN_PAYLOAD_MOST &&
	       weir_addr_equal(v[i].peer, v->peer))
		total += v[i++].len;
	return i;
}

static void send_run(struct emit *e, const struct weir_addr *source,
		     const struct weir_addr *target,
		     const struct weir_datagram *v, int n)
{
	struct emit_packet p = packet_between(source, target);
	struct iovec pieces[TRAIN_SEGMENTS_MOST];

	for (int i = 0; i < n; i++) {
		pieces[i].iov_base = (void *)(uintptr_t)v[i].data;
		pieces[i].iov_len = v[i].len;
		p.len += v[i].len;
	}
	p.pieces = pieces;
	p.piece_count = n;
	p.gso_size = (uint16_t)v->len;
	send_packet(e, &p, source->port, target->port);
}

static bool sendable(const struct weir_addr *client,
		     const struct weir_datagram *d)
{
	return d->peer->kind == client->kind &&
	       ((d->segment && d->segment < d->len &&
		 d->segment <= UDP_PAYLOAD_MOST) ||
		d->len <= UDP_PAYLOAD_MOST);
}

static int udp_send(void *s, const struct weir_datagram *v, int n)
{
	struct flow *f = s;
	struct weir_addr client;
	struct emit e;

	if (!f->link)
		return 0;
	flow_touch(f);
	client = flow_client(f);
	emit_begin(&e, f->link);
	e.mtu = f->mtu;
	for (int i = 0, run; i < n; i += run) {
		const struct weir_addr *source = v[i].peer, *target = &client;

		run = 1;
		if (f->outward) {
			source = &client;
			target = v[i].peer;
		}
		if (!sendable(&client, &v[i])) {
			stack_add(f->stack, COUNT_OUTPUT_DROPPED, 1);
			continue;
		}
		run = run_length(&e, v + i, n - i);
		if (run > 1)
			send_run(&e, source, target, v + i, run);
		else
			send_one(&e, source, target, &v[i]);
	}
	emit_end(&e);
	return n;
}

/* The start of the packet that did not arrive, made anew for the error. */
static void udp_unreachable(void *s, const struct weir_addr *peer, int err)
{
	struct flow *f = s;
	struct weir_addr client = flow_client(f);
	uint8_t packet[IP6_HEADER + UDP_HEADER] = {0};
	bool v6 = client.kind == WEIR_ADDR_IP6;
	uint32_t at = v6 ? IP6_HEADER : IP4_HEADER;

	if (!f->link || f->outward || peer->kind != client.kind)
		return;
	packet[0] = v6 ? 0x60 : 0x45;
	packet[v6 ? 6 : 9] = IPPROTO_UDP;
	packet[v6 ? 7 : 8] = TTL;
	put16(packet + (v6 ? 4 : 2), v6 ? UDP_HEADER : at + UDP_HEADER);
	memcpy(packet + (v6 ? 8 : 12), client.ip, v6 ? 16 : 4);
	memcpy(packet + (v6 ? 24 : 16), peer->ip, v6 ? 16 : 4);
	put16(packet + at, client.port);
	put16(packet + at + 2, peer->port);
	put16(packet + at + 4, UDP_HEADER);
	icmp_unreachable(f->link, packet, at + UDP_HEADER, err);
}

const struct weir_flow_ops udp_flow_ops = {
	.size = sizeof(struct weir_flow_ops),
	.send = udp_send,
	.close = flow_close,
	.unreachable = udp_unreachable,
};
