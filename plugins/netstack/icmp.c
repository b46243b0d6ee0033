/* SPDX-License-Identifier: GPL-2.0-or-later */
/* icmp.c - pings as sessions, and errors for what could not be delivered.
 *
 * An echo request becomes a datagram of the flow (source, identifier); a reply
 * of the core's gets the client's identifier back, whatever the outbound used
 * on its side. Where the link is the outbound's, the flow has an identifier of
 * the link's own, by which replies are found. Errors quote the packet they are
 * about and come from the link's own address, or where it has none from the
 * destination itself. */
#include "icmp.h"

#include "bytes.h"
#include "emit.h"
#include "flow.h"

#include <errno.h>

#define QUOTE_MOST 512u
#define ERROR_HEADER 8u
#define ECHO_IDENTIFIER 2u /* bytes of it in front of the data */

/* What a client is told that its packet was too big for. The outbound does not
 * say how far it can go, and what passes this is cut by the outbound's kernel
 * if it must: every path of IPv6 takes it, and QUIC's least packet fits. */
#define TOLD_MTU 1280u

enum {
	ECHO4_REPLY = 0,
	UNREACHABLE4 = 3,
	FRAGMENTATION_NEEDED4 = 4, /* code */
	ECHO4 = 8,
	UNREACHABLE6 = 1,
	TOO_BIG6 = 2,
	ECHO6 = 128,
	ECHO6_REPLY = 129,
};

static void emit_icmp(struct weir_link *link, uint32_t mtu,
		      struct emit_packet *p)
{
	struct emit e;

	p->pseudo = p->v6;
	p->protocol = p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	p->checksum_at = 2;
	emit_begin(&e, link);
	e.mtu = mtu;
	emit_packet(&e, p);
	emit_end(&e);
}

/* `data`: what follows the identifier. */
static void emit_echo(struct weir_link *link, uint32_t mtu, uint8_t type,
		      const uint8_t *source, const uint8_t *target, bool v6,
		      uint16_t identifier, const uint8_t *data, uint32_t len)
{
	struct emit_packet p = {
		.source = source,
		.target = target,
		.v6 = v6,
		.head_len = ICMP_HEADER + ECHO_IDENTIFIER,
		.data = data,
		.len = len,
	};

	p.head[0] = type;
	put16(p.head + 4, identifier);
	emit_icmp(link, mtu, &p);
}

void icmp_answer(struct weir_link *link, const struct packet *p)
{
	uint32_t at = p->payload + ECHO_IDENTIFIER;

	emit_echo(link, link->mtu, p->key.v6 ? ECHO6_REPLY : ECHO4_REPLY,
		  p->key.local, p->key.remote, p->key.v6, p->key.remote_port,
		  p->data + at, p->len - at);
}

/* A reply to the client, or where the link is the client its request. */
static void send_one(struct flow *f, const struct weir_addr *client,
		     const struct weir_datagram *d)
{
	bool v6 = client->kind == WEIR_ADDR_IP6;
	const uint8_t *rest = (const uint8_t *)d->data + ECHO_IDENTIFIER;
	uint32_t len = d->len - ECHO_IDENTIFIER;

	if (f->outward)
		emit_echo(f->link, f->mtu, v6 ? ECHO6 : ECHO4, client->ip,
			  d->peer->ip, v6, client->port, rest, len);
	else
		emit_echo(f->link, f->mtu, v6 ? ECHO6_REPLY : ECHO4_REPLY,
			  d->peer->ip, client->ip, v6, client->port, rest, len);
}

static bool sendable(const struct weir_addr *client,
		     const struct weir_datagram *d)
{
	bool v6 = client->kind == WEIR_ADDR_IP6;
	uint32_t most = IP_TOTAL_MOST - ICMP_HEADER - (v6 ? 0 : IP4_HEADER);

	return d->peer->kind == client->kind && d->len >= ECHO_IDENTIFIER &&
	       d->len <= most;
}

static int icmp_send(void *s, const struct weir_datagram *v, int n)
{
	struct flow *f = s;
	struct weir_addr client = flow_client(f);

	if (!f->link)
		return 0;
	flow_touch(f);
	for (int i = 0; i < n; i++) {
		if (sendable(&client, &v[i]))
			send_one(f, &client, &v[i]);
		else
			stack_add(f->stack, COUNT_OUTPUT_DROPPED, 1);
	}
	return n;
}

/* The code for `err`, or -1: nothing to say. */
static int error_code(int err, bool v6)
{
	switch (err) {
	case EMSGSIZE:
		return v6 ? 0 : FRAGMENTATION_NEEDED4;
	case ENETUNREACH:
	case ENETDOWN:
	case EADDRNOTAVAIL: /* none to send from, as with IPv6 switched off */
		return 0;
	case EHOSTUNREACH:
	case EHOSTDOWN:
		return v6 ? 3 : 1;
	case ECONNREFUSED:
		return v6 ? 4 : 3;
	case EACCES:
	case EPERM:
		return v6 ? 1 : 13;
	default:
		return -1;
	}
}

void icmp_unreachable(struct weir_link *link, const uint8_t *packet,
		      uint32_t len, int err)
{
	bool v6 = packet[0] >> 4 == 6;
	const struct weir_cidr *own = link_address(link, v6);
	struct emit_packet p = {
		.source = packet + (v6 ? 24 : 16),
		.target = packet + (v6 ? 8 : 12),
		.v6 = v6,
		.head_len = ERROR_HEADER,
		.data = packet,
		.len = len < QUOTE_MOST ? len : QUOTE_MOST,
	};
	int code = error_code(err, v6);

	if (code < 0 || !link_may_reply(link))
		return;
	if (own)
		p.source = own->base.ip;
	p.head[0] = v6 ? UNREACHABLE6 : UNREACHABLE4;
	p.head[1] = (uint8_t)code;
	if (err == EMSGSIZE) {
		p.head[0] = v6 ? TOO_BIG6 : UNREACHABLE4;
		put16(p.head + 6, TOLD_MTU);
	}
	emit_icmp(link, link->mtu, &p);
}

void icmp_asked(struct flow *f, const struct packet *p)
{
	memcpy(f->sequence, p->data + p->payload + ECHO_IDENTIFIER,
	       sizeof f->sequence);
}

/* The lost request, as far as it is known: its identifier and, as it nearly
 * always is the last one, the number of that. */
static void icmp_flow_unreachable(void *s, const struct weir_addr *peer,
				  int err)
{
	struct flow *f = s;
	struct weir_addr client = flow_client(f);
	uint8_t packet[IP6_HEADER + 8] = {0};
	bool v6 = client.kind == WEIR_ADDR_IP6;
	uint32_t at = v6 ? IP6_HEADER : IP4_HEADER;

	if (!f->link || peer->kind != client.kind)
		return;
	packet[0] = v6 ? 0x60 : 0x45;
	packet[v6 ? 6 : 9] = v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	packet[v6 ? 7 : 8] = TTL;
	packet[v6 ? 5 : 3] = (uint8_t)(v6 ? 8 : at + 8);
	memcpy(packet + (v6 ? 8 : 12), client.ip, v6 ? 16 : 4);
	memcpy(packet + (v6 ? 24 : 16), peer->ip, v6 ? 16 : 4);
	packet[at] = v6 ? ECHO6 : ECHO4;
	put16(packet + at + 4, client.port);
	memcpy(packet + at + 6, f->sequence, sizeof f->sequence);
	icmp_unreachable(f->link, packet, at + 8, err);
}

const struct weir_flow_ops icmp_flow_ops = {
	.size = sizeof(struct weir_flow_ops),
	.send = icmp_send,
	.close = flow_close,
	.unreachable = icmp_flow_unreachable,
};
