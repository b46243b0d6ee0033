/* SPDX-License-Identifier: GPL-2.0-or-later */
/* guard.c - which packets pass between a tunnel and the kernel.
 *
 * The tunnel is an outbound: its peers are servers, not clients. But to the
 * kernel the TUN is an interface like another, so services of this machine
 * would be open to the peers, and router advertisements heard. So only what an
 * outbound's own sessions need passes. Out: what bears an own address as
 * source, which leaves out the kernel's own chatter. In: what bears one as
 * destination and is TCP but no SYN, UDP to a port that has sent, or ICMP that
 * tells of echoes and errors; and later fragments, which are nothing without
 * their first. */
#include "guard.h"

#include "bytes.h"

#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <netinet/ip_icmp.h>

#define IP4_HEADER_BYTES 20u
#define IP4_FRAGMENT_AT 6u
#define IP4_PROTOCOL_AT 9u
#define IP4_SOURCE_AT 12u
#define IP4_DESTINATION_AT 16u
#define IP6_HEADER_BYTES 40u
#define IP6_NEXT_AT 6u
#define IP6_SOURCE_AT 8u
#define IP6_DESTINATION_AT 24u
#define IP6_FRAGMENT_BYTES 8u
#define FRAGMENT_OFFSET4 0x1fffu /* in eight bytes */
#define FRAGMENT_OFFSET6 0xfff8u
#define TCP_FLAGS_AT 13u
#define TCP_SYN 0x02u
#define TCP_ACK 0x10u
#define PORTS_BYTES 4u

struct seen {
	const uint8_t *source, *destination;
	uint8_t kind; /* of weir_addr */
	uint8_t protocol;
	bool later;		  /* a fragment, not the first */
	const uint8_t *transport; /* `len` bytes */
	size_t len;
};

static bool see4(const uint8_t *p, size_t len, struct seen *s)
{
	size_t header = (p[0] & 0x0fu) * 4u;

	if (header < IP4_HEADER_BYTES || len < header)
		return false;
	*s = (struct seen){
		.source = p + IP4_SOURCE_AT,
		.destination = p + IP4_DESTINATION_AT,
		.kind = WEIR_ADDR_IP4,
		.protocol = p[IP4_PROTOCOL_AT],
		.later = get16(p + IP4_FRAGMENT_AT) & FRAGMENT_OFFSET4,
		.transport = p + header,
		.len = len - header,
	};
	return true;
}

static bool see6(const uint8_t *p, size_t len, struct seen *s)
{
	if (len < IP6_HEADER_BYTES)
		return false;
	*s = (struct seen){
		.source = p + IP6_SOURCE_AT,
		.destination = p + IP6_DESTINATION_AT,
		.kind = WEIR_ADDR_IP6,
		.protocol = p[IP6_NEXT_AT],
		.transport = p + IP6_HEADER_BYTES,
		.len = len - IP6_HEADER_BYTES,
	};
	if (s->protocol != IPPROTO_FRAGMENT)
		return true;
	if (s->len < IP6_FRAGMENT_BYTES)
		return false;
	s->protocol = s->transport[0];
	s->later = get16(s->transport + 2) & FRAGMENT_OFFSET6;
	s->transport += IP6_FRAGMENT_BYTES;
	s->len -= IP6_FRAGMENT_BYTES;
	return true;
}

static bool see(const uint8_t *p, size_t len, struct seen *s)
{
	if (len < IP4_HEADER_BYTES)
		return false;
	if (p[0] >> 4 == 4)
		return see4(p, len, s);
	return p[0] >> 4 == 6 && see6(p, len, s);
}

static bool is_own(const struct guard *g, uint8_t kind, const uint8_t *ip)
{
	for (size_t i = 0; i < g->count; i++) {
		const struct weir_addr *a = &g->addresses[i].base;

		if (a->kind == kind &&
		    !memcmp(a->ip, ip, kind == WEIR_ADDR_IP6 ? 16 : 4))
			return true;
	}
	return false;
}

bool guard_leaves(struct guard *g, const uint8_t *packet, size_t len)
{
	struct seen s;

	if (!see(packet, len, &s) || !is_own(g, s.kind, s.source))
		return false;
	if (s.protocol == IPPROTO_UDP && !s.later && s.len >= PORTS_BYTES) {
		uint32_t port = get16(s.transport);

		g->used[port / 8] |= (uint8_t)(1u << port % 8);
	}
	return true;
}

static bool icmp4_enters(const uint8_t *message)
{
	return message[0] == ICMP_ECHOREPLY || message[0] == ICMP_ECHO ||
	       message[0] == ICMP_DEST_UNREACH ||
	       message[0] == ICMP_TIME_EXCEEDED ||
	       message[0] == ICMP_PARAMETERPROB;
}

/* Errors, echo requests and echo replies. */
static bool icmp6_enters(const uint8_t *message)
{
	return !(message[0] & ICMP6_INFOMSG_MASK) ||
	       message[0] == ICMP6_ECHO_REQUEST ||
	       message[0] == ICMP6_ECHO_REPLY;
}

bool guard_enters(const struct guard *g, const uint8_t *packet, size_t len)
{
	struct seen s;
	uint32_t port;

	if (!see(packet, len, &s) || !is_own(g, s.kind, s.destination))
		return false;
	if (s.later)
		return true;
	if (s.len < PORTS_BYTES)
		return false;
	switch (s.protocol) {
	case IPPROTO_TCP:
		return s.len > TCP_FLAGS_AT && (s.transport[TCP_FLAGS_AT] &
						(TCP_SYN | TCP_ACK)) != TCP_SYN;
	case IPPROTO_UDP:
		port = get16(s.transport + 2);
		return g->used[port / 8] & 1u << port % 8;
	case IPPROTO_ICMP:
		return s.kind == WEIR_ADDR_IP4 && icmp4_enters(s.transport);
	case IPPROTO_ICMPV6:
		return s.kind == WEIR_ADDR_IP6 && icmp6_enters(s.transport);
	default:
		return false;
	}
}
