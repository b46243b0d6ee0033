/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client.c - packets by hand. The checksum here is the plain one of RFC 1071,
 * so that the stack's fast one is tested against another. */
#include "client.h"

#include <assert.h>
#include <stdlib.h>

#include "bytes.h"

struct sim_link tun;

void tun_begin(void)
{
	sim_start(NULL);
	sim_attach(&tun, NULL);
}

void tun_end(void)
{
	sim_flush(&tun);
	sim_stop();
	sim_flush(&tun);
}

static uint32_t sum16(uint32_t sum, const uint8_t *p, uint32_t len)
{
	for (uint32_t i = 0; i + 1 < len; i += 2) {
		sum += get16(p + i);
		sum = (sum & 0xffff) + (sum >> 16);
	}
	if (len & 1)
		sum += (uint32_t)p[len - 1] << 8;
	sum = (sum & 0xffff) + (sum >> 16);
	return (sum & 0xffff) + (sum >> 16);
}

static struct path path_of(bool v6, const char *client, uint16_t client_port,
			   const char *server, uint16_t port)
{
	struct path p = {
		.v6 = v6, .client_port = client_port, .server_port = port};

	assert(inet_pton(v6 ? AF_INET6 : AF_INET, client, p.client) == 1);
	assert(inet_pton(v6 ? AF_INET6 : AF_INET, server, p.server) == 1);
	return p;
}

struct path path4(uint16_t client_port, const char *server, uint16_t port)
{
	return path_of(false, "10.9.0.2", client_port, server, port);
}

struct path path6(uint16_t client_port, const char *server, uint16_t port)
{
	return path_of(true, "fd09::2", client_port, server, port);
}

static uint32_t pseudo(const uint8_t *ip, bool v6, uint8_t protocol,
		       uint32_t len)
{
	uint32_t sum = protocol + (len & 0xffff) + (len >> 16);

	return sum16(sum, ip + (v6 ? 8 : 12), v6 ? 32 : 8);
}

/* Right for packets without IPv6 extension headers. */
void fix_checksums(uint8_t *ip, uint32_t len)
{
	bool v6 = ip[0] >> 4 == 6;
	uint32_t at = v6 ? 40 : (ip[0] & 15) * 4, sum = 0;
	uint8_t protocol = v6 ? ip[6] : ip[9], *field = NULL;

	if (!v6 && at >= 20 && at <= len) {
		put16(ip + 10, 0);
		put16(ip + 10, ~sum16(0, ip, at));
	}
	if (protocol == IPPROTO_TCP)
		field = ip + at + 16;
	else if (protocol == IPPROTO_UDP)
		field = ip + at + 6;
	else if (protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6)
		field = ip + at + 2;
	if (!field || field + 2 > ip + len)
		return;
	put16(field, 0);
	if (protocol != IPPROTO_ICMP)
		sum = pseudo(ip, v6, protocol, len - at);
	sum = ~sum16(sum, ip + at, len - at) & 0xffff;
	put16(field, sum ? sum : protocol == IPPROTO_UDP ? 0xffff : 0);
}

uint32_t make_ip(uint8_t *to, const struct path *p, uint8_t protocol,
		 const void *l4, uint32_t len)
{
	uint32_t at = p->v6 ? 40 : 20;

	memset(to, 0, at);
	if (p->v6) {
		to[0] = 0x60;
		put16(to + 4, len);
		to[6] = protocol;
		to[7] = 64;
		memcpy(to + 8, p->client, 16);
		memcpy(to + 24, p->server, 16);
	} else {
		to[0] = 0x45;
		put16(to + 2, at + len);
		to[8] = 64;
		to[9] = protocol;
		memcpy(to + 12, p->client, 4);
		memcpy(to + 16, p->server, 4);
	}
	memmove(to + at, l4, len);
	fix_checksums(to, at + len);
	return at + len;
}

static uint32_t put_syn_options(uint8_t *to, uint16_t mss)
{
	static const uint8_t options[] = {2, 4, 5, 0xb4, 1, 3,
					  3, 7, 1, 1,	 4, 2};

	memcpy(to, options, sizeof options);
	put16(to + 2, mss);
	return sizeof options;
}

uint32_t make_tcp(uint8_t *to, const struct client *c, uint8_t flags,
		  const void *data, uint32_t len)
{
	static uint8_t tcp[PACKET_MOST];
	uint32_t header = 20;

	memset(tcp, 0, 20);
	put16(tcp, c->path.client_port);
	put16(tcp + 2, c->path.server_port);
	put32(tcp + 4, c->seq);
	put32(tcp + 8, flags & ACK ? c->ack : 0);
	if ((flags & SYN) && !c->plain)
		header += put_syn_options(tcp + 20, c->mss);
	tcp[12] = (uint8_t)(header / 4 << 4);
	tcp[13] = flags;
	put16(tcp + 14, c->window);
	if (len)
		memcpy(tcp + header, data, len);
	return make_ip(to, &c->path, IPPROTO_TCP, tcp, header + len);
}

uint32_t make_udp(uint8_t *to, const struct path *p, const void *data,
		  uint32_t len)
{
	static uint8_t udp[PACKET_MOST];

	put16(udp, p->client_port);
	put16(udp + 2, p->server_port);
	put16(udp + 4, 8 + len);
	if (len)
		memcpy(udp + 8, data, len);
	return make_ip(to, p, IPPROTO_UDP, udp, 8 + len);
}

uint32_t make_echo(uint8_t *to, const struct path *p, uint16_t id, uint16_t seq,
		   const void *data, uint32_t len)
{
	static uint8_t icmp[PACKET_MOST];

	memset(icmp, 0, 8);
	icmp[0] = p->v6 ? 128 : 8;
	put16(icmp + 4, id);
	put16(icmp + 6, seq);
	if (len)
		memcpy(icmp + 8, data, len);
	return make_ip(to, p, p->v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, icmp,
		       8 + len);
}

uint32_t make_too_big(uint8_t *to, const struct path *p, uint32_t seq,
		      uint32_t mtu)
{
	bool v6 = p->v6;
	uint32_t tcp = 8 + (v6 ? 40 : 20);
	uint8_t icmp[8 + 40 + 20] = {v6 ? 2 : 3, v6 ? 0 : 4};

	put16(icmp + 6, mtu);
	icmp[8] = v6 ? 0x60 : 0x45;
	icmp[8 + (v6 ? 6 : 9)] = IPPROTO_TCP;
	memcpy(icmp + 8 + (v6 ? 8 : 12), p->server, v6 ? 16 : 4);
	memcpy(icmp + 8 + (v6 ? 24 : 16), p->client, v6 ? 16 : 4);
	put16(icmp + tcp, p->server_port);
	put16(icmp + tcp + 2, p->client_port);
	put32(icmp + tcp + 4, seq);
	return make_ip(to, p, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP, icmp,
		       tcp + 20);
}

struct client client_of(int v6)
{
	struct client c;

	client_init(&c, &tun,
		    v6 ? path6(40000, "2001:db8::5", 80)
		       : path4(40000, "203.0.113.5", 80));
	return c;
}

void client_init(struct client *c, struct sim_link *l, struct path path)
{
	*c = (struct client){.link = l,
			     .path = path,
			     .seq = 1000,
			     .window = 65535,
			     .mss = 1460};
}

bool link_put(struct sim_link *l, const void *data, uint32_t len)
{
	uint8_t *room = sim.ops->room(l->link, len);

	if (!room)
		return false;
	memcpy(room, data, len);
	sim.ops->put(l->link, len, 0);
	return true;
}

void client_send(struct client *c, uint8_t flags, const void *data,
		 uint32_t len)
{
	static uint8_t packet[PACKET_MOST];

	sim_input(c->link, packet, make_tcp(packet, c, flags, data, len));
	c->seq += len + !!(flags & SYN) + !!(flags & FIN);
}

static bool checksums_hold(struct sim_packet *p, uint32_t at, uint8_t protocol)
{
	bool v6 = p->data[0] >> 4 == 6;
	uint32_t sum = 0;

	if (!v6 && sum16(0, p->data, at) != 0xffff)
		return false;
	if (protocol != IPPROTO_ICMP)
		sum = pseudo(p->data, v6, protocol, p->len - at);
	if (p->flags & WEIR_CSUM_PARTIAL) {
		uint32_t field = at + (protocol == IPPROTO_TCP ? 16 : 6);

		return sum16(sum, NULL, 0) == get16(p->data + field);
	}
	return sum16(sum, p->data + at, p->len - at) == 0xffff;
}

static void look_tcp(struct seen *s, const uint8_t *tcp, uint32_t len)
{
	uint32_t header = (tcp[12] >> 4) * 4u;

	s->tcp = true;
	s->flags = tcp[13];
	s->seq = get32(tcp + 4);
	s->ack = get32(tcp + 8);
	s->window = (uint16_t)get16(tcp + 14);
	s->payload_len = len - header;
	memcpy(s->payload, tcp + header, s->payload_len);
	for (uint32_t i = 20; i < header && tcp[i];) {
		if (tcp[i] == 2)
			s->mss = (uint16_t)get16(tcp + i + 2);
		if (tcp[i] == 3)
			s->scale = tcp[i + 2];
		if (tcp[i] == 8) {
			s->stamps = true;
			s->stamp = get32(tcp + i + 2);
		}
		i += tcp[i] == 1 ? 1 : tcp[i + 1];
	}
}

struct seen *look(struct sim_link *l)
{
	static struct seen s;
	struct sim_packet *p = sim_output(l);
	uint32_t at;

	memset(&s, 0, offsetof(struct seen, payload));
	if (!p)
		return &s;
	s.any = true;
	s.len = p->len;
	s.gso_size = p->gso_size;
	s.v6 = p->data[0] >> 4 == 6;
	s.protocol = p->data[s.v6 ? 6 : 9];
	s.ttl = p->data[s.v6 ? 7 : 8];
	s.l4 = at = s.v6 ? 40 : 20;
	memcpy(s.source, p->data + (s.v6 ? 8 : 12), s.v6 ? 16 : 4);
	s.checksum_ok = checksums_hold(p, at, s.protocol);
	s.source_port = (uint16_t)get16(p->data + at);
	s.target_port = (uint16_t)get16(p->data + at + 2);
	s.type = p->data[at];
	s.code = p->data[at + 1];
	if (s.protocol == IPPROTO_TCP) {
		look_tcp(&s, p->data + at, p->len - at);
	} else {
		if (s.protocol == IPPROTO_UDP &&
		    get16(p->data + at + 4) != p->len - at)
			s.checksum_ok = false; /* its length is wrong */
		s.payload_len = p->len - at - 8;
		memcpy(s.payload, p->data + at + 8, s.payload_len);
	}
	free(p);
	return &s;
}

struct seen *client_expect(struct client *c, uint8_t flags)
{
	struct seen *s;

	do
		s = look(c->link);
	while (s->any &&
	       (!s->tcp || ((s->flags & flags) != flags && !s->payload_len)));
	if (s->any && s->seq == c->ack)
		c->ack += s->payload_len + !!(s->flags & FIN) +
			  !!(s->flags & SYN);
	return s;
}

struct weir_end *client_open(struct client *c)
{
	struct weir_end *before = sim.ends, *end;
	struct seen *s;

	client_send(c, SYN, NULL, 0);
	end = sim.ends;
	assert(end != before);
	assert(end->stream->accept(end->self) == 0);
	s = look(c->link);
	assert(s->any && s->flags == (SYN | ACK) && s->ack == c->seq);
	c->ack = s->seq + 1;
	client_send(c, ACK, NULL, 0);
	return end;
}
