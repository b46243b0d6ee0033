/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp.c - datagrams to the link, beside lwIP.
 *
 * A reply carries the replying peer as its source, whoever that is. A train
 * from a socket goes to the link as a train where it takes them, in whole
 * segments and not beyond what one IP packet holds; otherwise it is cut here.
 * A segment that does not fit the MTU makes the train go out in fragments. */
#include "emit.h"
#include "flow.h"
#include "icmp.h"

#define UDP_PAYLOAD_MOST 65507u
#define TRAIN_PAYLOAD_MOST 65000u
#define TRAIN_SEGMENTS_MOST 64u

static void put16(uint8_t *to, uint32_t value)
{
	to[0] = (uint8_t)(value >> 8);
	to[1] = (uint8_t)value;
}

/* How many bytes of this datagram make up one packet for the link? */
static uint32_t unit_size(const struct weir_link *link,
			  const struct weir_datagram *d, bool v6)
{
	uint32_t headers = (v6 ? IP6_HEADER : IP4_HEADER) + UDP_HEADER;
	uint32_t segments;

	if (!d->segment || d->segment >= d->len)
		return d->len;
	if (!(link->offloads & WEIR_LINK_USO) ||
	    d->segment + headers > link->mtu)
		return d->segment;
	segments = TRAIN_PAYLOAD_MOST / d->segment;
	if (segments > TRAIN_SEGMENTS_MOST)
		segments = TRAIN_SEGMENTS_MOST;
	return segments * d->segment;
}

static void send_one(struct emit *e, const struct weir_addr *source,
		     const struct weir_addr *target,
		     const struct weir_datagram *d)
{
	struct emit_packet p = {
		.source = source->ip,
		.target = target->ip,
		.v6 = target->kind == WEIR_ADDR_IP6,
		.pseudo = true,
		.protocol = IPPROTO_UDP,
		.head_len = UDP_HEADER,
		.checksum_at = 6,
	};
	uint32_t unit = unit_size(e->link, d, p.v6), at = 0;

	do {
		p.data = (const uint8_t *)d->data + at;
		p.len = d->len - at < unit ? d->len - at : unit;
		p.gso_size = d->segment && p.len > d->segment ? d->segment : 0;
		put16(p.head, source->port);
		put16(p.head + 2, target->port);
		put16(p.head + 4, UDP_HEADER + p.len);
		emit_packet(e, &p);
		at += p.len;
	} while (at < d->len);
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
	for (int i = 0; i < n; i++) {
		if (!sendable(&client, &v[i]))
			stack_add(f->stack, COUNT_OUTPUT_DROPPED, 1);
		else if (f->outward)
			send_one(&e, &client, v[i].peer, &v[i]);
		else
			send_one(&e, v[i].peer, &client, &v[i]);
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
