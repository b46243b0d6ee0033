/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.c - the gate. Only well-formed TCP, UDP, ICMP echo requests and
 * replies, and ICMP's word that a packet did not arrive pass: the IP header
 * with its lengths, the IPv6 chain of extension headers with their options, the
 * transport header with its options, every checksum. IPv4's options are skipped
 * and heeded by nobody.
 *
 * Each step gets what the one before has proved: `len` bytes are there, l4 is
 * not beyond them. A fragment passes with its IP part checked only; it comes
 * here again when it is whole. Addresses that no router would carry
 * (loopback, multicast, unspecified, IPv4-mapped) stop here too, or a client
 * behind a tunnel could reach the services of this host's own loopback. */
#include "packet.h"

#include "bytes.h"
#include "checksum.h"

#define IP6_CHAIN_MAX 8
#define NEXT_HOP_BY_HOP 0
#define NEXT_ROUTING 43
#define NEXT_FRAGMENT 44
#define NEXT_DESTINATION 60
#define ICMP4_ECHO_REPLY 0
#define ICMP4_ECHO 8
#define ICMP6_ECHO 128
#define ICMP6_ECHO_REPLY 129
#define ICMP_ECHO_HEADER 8u
#define ICMP4_TOO_BIG 4 /* code: fragmentation needed */
#define ICMP4_TIME_EXCEEDED 11
#define ICMP6_TOO_BIG 2
#define ICMP6_TIME_EXCEEDED 3
#define ICMP_HOPS_EXCEEDED 0 /* code: in transit */
#define ICMP_ERROR_HEADER 8u
#define QUOTED_LEAST 8u /* of the transport header: RFC 792 */

static bool address4_odd(const uint8_t *ip)
{
	return ip[0] == 0 || ip[0] == 127 || ip[0] >= 224;
}

static bool address6_odd(const uint8_t *ip)
{
	static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
	static const uint8_t zero[15];

	if (ip[0] == 0xff || memcmp(ip, mapped, sizeof mapped) == 0)
		return true;
	return memcmp(ip, zero, sizeof zero) == 0 && ip[15] <= 1;
}

static enum drop parse_ip4(struct packet *p, uint32_t room)
{
	const uint8_t *ip = p->data;
	uint32_t header, total;
	uint16_t fragment;

	if (room < IP4_HEADER)
		return DROP_LENGTH;
	header = (ip[0] & 15u) * 4u;
	total = get16(ip + 2);
	if (header < IP4_HEADER || total < header || total > room)
		return DROP_LENGTH;
	if (checksum_fold(checksum_add(0, ip, header)) != 0xffff)
		return DROP_CHECKSUM;
	if (address4_odd(ip + 12) || address4_odd(ip + 16))
		return DROP_ADDRESS;
	p->len = total;
	p->l4 = header;
	p->key.protocol = ip[9];
	memcpy(p->key.remote, ip + 12, 4);
	memcpy(p->key.local, ip + 16, 4);

	fragment = get16(ip + 6);
	p->more = fragment & 0x2000;
	p->fragment_at = (fragment & 0x1fffu) * 8;
	p->fragment = p->more || p->fragment_at;
	p->fragment_id = get16(ip + 4);
	return DROP_NONE;
}

/* Hop-by-hop and destination options: each within its header, none unknown
 * that asks to be dropped when it is not understood (RFC 8200, 4.2). */
static bool ip6_options_ok(const uint8_t *at, uint32_t len)
{
	const uint8_t *end = at + len;

	for (at += 2; at < end;) {
		uint8_t type = at[0];

		if (type == 0) {
			at++;
			continue;
		}
		if (end - at < 2 || end - at < 2 + at[1])
			return false;
		if (type & 0xc0)
			return false;
		at += 2 + at[1];
	}
	return true;
}

static enum drop parse_fragment6(struct packet *p, uint32_t at)
{
	const uint8_t *header = p->data + at;
	uint16_t field;

	if (p->len - at < IP6_FRAGMENT_HEADER)
		return DROP_LENGTH;
	field = get16(header + 2);
	p->more = field & 1;
	p->fragment_at = field & 0xfff8u;
	p->fragment = p->more || p->fragment_at;
	p->fragment_id = get32(header + 4);
	return DROP_NONE;
}

/* One extension header of type `next` at `at`; *size its bytes. */
static enum drop parse_extension(struct packet *p, uint8_t next, uint32_t at,
				 uint32_t *size)
{
	const uint8_t *header = p->data + at;

	if (next == NEXT_FRAGMENT) {
		*size = IP6_FRAGMENT_HEADER;
		return parse_fragment6(p, at);
	}
	if (p->len - at < 8)
		return DROP_LENGTH;
	*size = (header[1] + 1u) * 8u;
	if (*size > p->len - at)
		return DROP_LENGTH;
	if (next == NEXT_ROUTING)
		return header[3] ? DROP_OPTION : DROP_NONE;
	return ip6_options_ok(header, *size) ? DROP_NONE : DROP_OPTION;
}

static enum drop parse_chain6(struct packet *p)
{
	uint8_t next = p->data[6];
	uint32_t at = IP6_HEADER, size;
	bool fragmented = false;

	p->next_at = 6;
	for (int i = 0; i <= IP6_CHAIN_MAX; i++) {
		enum drop drop;

		if (next != NEXT_HOP_BY_HOP && next != NEXT_ROUTING &&
		    next != NEXT_FRAGMENT && next != NEXT_DESTINATION) {
			p->l4 = at;
			p->key.protocol = next;
			return DROP_NONE;
		}
		if (next == NEXT_HOP_BY_HOP && at != IP6_HEADER)
			return DROP_OPTION;
		if (next == NEXT_FRAGMENT && fragmented)
			return DROP_OPTION;
		fragmented |= next == NEXT_FRAGMENT;
		drop = parse_extension(p, next, at, &size);
		if (drop)
			return drop;
		if (p->fragment) {
			/* The rest comes to light when it is whole. */
			p->l4 = at + size;
			p->key.protocol = NEXT_FRAGMENT;
			return DROP_NONE;
		}
		p->next_at = (uint16_t)at;
		next = p->data[at];
		at += size;
	}
	return DROP_OPTION;
}

static enum drop parse_ip6(struct packet *p, uint32_t room)
{
	const uint8_t *ip = p->data;

	if (room < IP6_HEADER)
		return DROP_LENGTH;
	p->len = IP6_HEADER + get16(ip + 4);
	if (p->len > room)
		return DROP_LENGTH;
	if (address6_odd(ip + 8) || address6_odd(ip + 24))
		return DROP_ADDRESS;
	p->key.v6 = 1;
	memcpy(p->key.remote, ip + 8, 16);
	memcpy(p->key.local, ip + 24, 16);
	return parse_chain6(p);
}

/* Does the checksum over l4 to the end hold? */
static bool l4_checksum_ok(const struct packet *p, uint32_t len, bool pseudo)
{
	uint64_t sum = 0;

	if (pseudo)
		sum = checksum_pseudo(p->key.remote, p->key.local, p->key.v6,
				      p->key.protocol, len);
	return checksum_fold(checksum_add(sum, p->data + p->l4, len)) == 0xffff;
}

static bool tcp_options_ok(const uint8_t *at, const uint8_t *end)
{
	while (at < end && *at != 0) {
		if (*at == 1) {
			at++;
			continue;
		}
		if (end - at < 2 || at[1] < 2 || end - at < at[1])
			return false;
		at += at[1];
	}
	return true;
}

static enum drop parse_tcp(struct packet *p, unsigned flags)
{
	const uint8_t *tcp = p->data + p->l4;
	uint32_t room = p->len - p->l4, header;
	unsigned f;

	if (room < TCP_HEADER)
		return DROP_LENGTH;
	header = (tcp[12] >> 4) * 4u;
	if (header < TCP_HEADER || header > room)
		return DROP_LENGTH;
	if (!tcp_options_ok(tcp + TCP_HEADER, tcp + header))
		return DROP_OPTION;
	if (!flags && !l4_checksum_ok(p, room, true))
		return DROP_CHECKSUM;
	f = tcp[13] & 0x3fu;
	if (((f & TCP_FLAG_SYN) && (f & (TCP_FLAG_FIN | TCP_FLAG_RST))) ||
	    !(f & (TCP_FLAG_SYN | TCP_FLAG_RST | TCP_FLAG_ACK)))
		return DROP_HEADER;
	p->key.remote_port = get16(tcp);
	p->key.local_port = get16(tcp + 2);
	if (!p->key.remote_port || !p->key.local_port)
		return DROP_HEADER;
	p->tcp_seq = get32(tcp + 4);
	p->tcp_flags = (uint8_t)f;
	p->payload = p->l4 + header;
	return DROP_NONE;
}

static enum drop parse_udp(struct packet *p, unsigned flags)
{
	const uint8_t *udp = p->data + p->l4;
	uint32_t room = p->len - p->l4, len;

	if (room < UDP_HEADER)
		return DROP_LENGTH;
	len = get16(udp + 4);
	if (len < UDP_HEADER || len > room)
		return DROP_LENGTH;
	p->len = p->l4 + len;
	p->key.remote_port = get16(udp);
	p->key.local_port = get16(udp + 2);
	if (!p->key.remote_port || !p->key.local_port)
		return DROP_HEADER;
	p->payload = p->l4 + UDP_HEADER;
	if (flags)
		return DROP_NONE;
	if (!get16(udp + 6)) /* none: IPv4 allows it */
		return p->key.v6 ? DROP_CHECKSUM : DROP_NONE;
	return l4_checksum_ok(p, len, true) ? DROP_NONE : DROP_CHECKSUM;
}

static bool is_too_big(const struct packet *p)
{
	const uint8_t *icmp = p->data + p->l4;

	return p->key.v6 ? icmp[0] == ICMP6_TOO_BIG
			 : icmp[0] == ICMP4_UNREACHABLE &&
				   icmp[1] == ICMP4_TOO_BIG;
}

/* By what a router or the far host says, or by going around in circles. */
static bool is_unreachable(const struct packet *p)
{
	const uint8_t *icmp = p->data + p->l4;

	if (icmp[0] == (p->key.v6 ? ICMP6_TIME_EXCEEDED : ICMP4_TIME_EXCEEDED))
		return icmp[1] == ICMP_HOPS_EXCEEDED;
	return icmp[0] == (p->key.v6 ? ICMP6_UNREACHABLE : ICMP4_UNREACHABLE);
}

static bool is_echo(bool v6, uint8_t type)
{
	if (v6)
		return type == ICMP6_ECHO || type == ICMP6_ECHO_REPLY;
	return type == ICMP4_ECHO || type == ICMP4_ECHO_REPLY;
}

/* What the stack sends on its own account. */
static bool is_ours(bool v6, uint8_t protocol, uint8_t icmp_type)
{
	if (protocol == (v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return is_echo(v6, icmp_type);
	return protocol == IPPROTO_TCP || protocol == IPPROTO_UDP;
}

/* The packet that it quotes: the first fragment, at least, of one that came
 * from where the error goes to. */
static enum drop parse_quoted(struct packet *p, uint32_t room)
{
	const uint8_t *ip = p->data + p->l4 + ICMP_ERROR_HEADER;
	bool v6 = p->key.v6;
	uint32_t header = v6 ? IP6_HEADER : IP4_HEADER;

	if (room < header + QUOTED_LEAST)
		return DROP_LENGTH;
	if (ip[0] >> 4 != (v6 ? 6 : 4))
		return DROP_HEADER;
	if (!v6) {
		header = (ip[0] & 15u) * 4u;
		if (header < IP4_HEADER || room < header + QUOTED_LEAST)
			return DROP_LENGTH;
		if (get16(ip + 6) & 0x1fffu)
			return DROP_HEADER;
	}
	p->quoted = ip[v6 ? 6 : 9];
	if (v6 && p->quoted == NEXT_FRAGMENT) {
		if (room < header + IP6_FRAGMENT_HEADER + QUOTED_LEAST)
			return DROP_LENGTH;
		if (get16(ip + header + 2) & 0xfff8u)
			return DROP_HEADER;
		p->quoted = ip[header];
		header += IP6_FRAGMENT_HEADER;
	}
	if (!is_ours(v6, p->quoted, ip[header]))
		return DROP_PROTOCOL;
	if (memcmp(ip + (v6 ? 8 : 12), p->key.local, v6 ? 16 : 4) != 0)
		return DROP_HEADER;
	p->payload = p->l4 + ICMP_ERROR_HEADER + header;
	p->tcp_seq = get32(p->data + p->payload + 4);
	return DROP_NONE;
}

static enum drop parse_error(struct packet *p, unsigned flags)
{
	const uint8_t *icmp = p->data + p->l4;
	uint32_t room = p->len - p->l4;
	enum drop drop;

	if (room < ICMP_ERROR_HEADER)
		return DROP_LENGTH;
	if (!flags && !l4_checksum_ok(p, room, p->key.v6))
		return DROP_CHECKSUM;
	drop = parse_quoted(p, room - ICMP_ERROR_HEADER);
	if (drop)
		return drop;
	p->unreachable = !is_too_big(p);
	if (p->unreachable)
		return DROP_NONE;
	p->too_big = p->key.v6 ? get32(icmp + 4) : get16(icmp + 6);
	return p->too_big ? DROP_NONE : DROP_HEADER;
}

static enum drop parse_icmp(struct packet *p, unsigned flags)
{
	const uint8_t *icmp = p->data + p->l4;
	uint32_t room = p->len - p->l4;

	if (room < ICMP_HEADER)
		return DROP_LENGTH;
	if (is_too_big(p) || is_unreachable(p))
		return parse_error(p, flags);
	if (!is_echo(p->key.v6, icmp[0]))
		return DROP_PROTOCOL;
	if (room < ICMP_ECHO_HEADER)
		return DROP_LENGTH;
	if (icmp[1] != 0)
		return DROP_HEADER;
	if (!flags && !l4_checksum_ok(p, room, p->key.v6))
		return DROP_CHECKSUM;
	p->key.remote_port = get16(icmp + 4);
	p->payload = p->l4 + ICMP_HEADER;
	return DROP_NONE;
}

enum drop packet_parse_bytes(uint8_t *data, uint32_t len, unsigned flags,
			     struct packet *p)
{
	enum drop drop = DROP_VERSION;

	memset(p, 0, sizeof *p);
	p->data = data;
	if (len < 1)
		return DROP_LENGTH;
	if (data[0] >> 4 == 4)
		drop = parse_ip4(p, len);
	else if (data[0] >> 4 == 6)
		drop = parse_ip6(p, len);
	if (drop || p->fragment)
		return drop;

	flags &= WEIR_CSUM_PARTIAL | WEIR_CSUM_VALID;
	if (p->key.protocol == IPPROTO_TCP)
		return parse_tcp(p, flags);
	if (p->key.protocol == IPPROTO_UDP)
		return parse_udp(p, flags);
	if (p->key.protocol == (p->key.v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP))
		return parse_icmp(p, flags);
	return DROP_PROTOCOL;
}

enum drop packet_parse(const struct weir_ingress *in, struct packet *p)
{
	const struct weir_buffer *b = in->buffer;
	enum drop drop;

	if (in->offset > b->capacity || in->len > b->capacity - in->offset)
		return DROP_LENGTH;
	drop = packet_parse_bytes(b->data + in->offset, in->len, in->flags, p);
	if (!drop && in->gso != WEIR_GSO_NONE && !p->fragment)
		p->gso_size = in->gso_size;
	return drop;
}

static struct weir_addr endpoint(const struct packet *p, const uint8_t *ip,
				 uint16_t port)
{
	struct weir_addr a = {.kind = p->key.v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
			      .port = port};

	memcpy(a.ip, ip, p->key.v6 ? 16 : 4);
	return a;
}

void packet_quoted_key(const struct packet *p, struct tuple *key)
{
	const uint8_t *ip = p->data + p->l4 + ICMP_ERROR_HEADER;
	const uint8_t *l4 = p->data + p->payload;
	bool v6 = p->key.v6;
	bool ports = p->quoted == IPPROTO_TCP || p->quoted == IPPROTO_UDP;
	bool reply = *l4 == (v6 ? ICMP6_ECHO_REPLY : ICMP4_ECHO_REPLY);

	*key = (struct tuple){.v6 = v6, .protocol = p->quoted};
	memcpy(key->local, ip + (v6 ? 8 : 12), v6 ? 16 : 4);
	memcpy(key->remote, ip + (v6 ? 24 : 16), v6 ? 16 : 4);
	if (ports) {
		key->local_port = (uint16_t)get16(l4);
		key->remote_port = (uint16_t)get16(l4 + 2);
		return;
	}
	*(reply ? &key->remote_port : &key->local_port) =
		(uint16_t)get16(l4 + 4);
}

struct weir_addr packet_source(const struct packet *p)
{
	bool icmp = p->key.protocol != IPPROTO_TCP &&
		    p->key.protocol != IPPROTO_UDP;

	return endpoint(p, p->key.remote, icmp ? 0 : p->key.remote_port);
}

struct weir_addr packet_target(const struct packet *p)
{
	return endpoint(p, p->key.local, p->key.local_port);
}
