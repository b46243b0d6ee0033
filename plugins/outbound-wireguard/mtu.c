/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mtu.c - how large packets may be in a tunnel that is inside another.
 *
 * A message is a datagram of the outer tunnel: each level takes an IP header, a
 * UDP header and what sealing adds. The padding never passes the MTU, so it
 * takes nothing. A tunnel whose endpoints are all IPv4 addresses need not spare
 * room for an IPv6 header. */
#include "outbound.h"

#define IP4_HEADER 20u
#define IP6_HEADER 40u
#define UDP_HEADER 8u
#define IP6_LEAST 1280u /* RFC 8200, section 5: cut below it if need be */
#define IP4_LEAST 576u	/* RFC 791, and the least that a link takes */

static bool dials_ip4_only(const struct wg_settings *s)
{
	for (uint32_t i = 0; i < s->peer_count; i++)
		if (s->peers[i].endpoint.kind != WEIR_ADDR_IP4)
			return false;
	return true;
}

/* The first IPv6 address; NULL: there is none. */
static const struct weir_addr *own_ip6(const struct wg_settings *s)
{
	const struct weir_cidr *own = s->address.items;

	for (size_t i = 0; i < s->address.count; i++)
		if (own[i].base.kind == WEIR_ADDR_IP6)
			return &own[i].base;
	return NULL;
}

bool mtu_suits_kernel(const struct wg_settings *s, struct weir_error *e)
{
	const struct weir_addr *ip6 = own_ip6(s);
	char text[WEIR_ADDR_TEXT];

	return !ip6 || !s->mtu_bytes || s->mtu_bytes >= IP6_LEAST ||
	       weir_error(e, "mtu",
			  "%u is too small for the IPv6 address %s with "
			  "kernel_tun; the least is %u",
			  s->mtu_bytes, weir_addr_text(ip6, text), IP6_LEAST);
}

/* An outbound that does not say its MTU is taken for a tunnel of the preset's
 * size. One that carries more than usual says nothing about the rest of the
 * way, so the preset is the most. */
uint32_t mtu_through(const struct wg_settings *s, uint32_t outer_bytes)
{
	uint32_t outer = outer_bytes ? outer_bytes : WG_MTU_PRESET;
	uint32_t least = own_ip6(s) ? IP6_LEAST : IP4_LEAST;
	uint32_t taken = (dials_ip4_only(s) ? IP4_HEADER : IP6_HEADER) +
			 UDP_HEADER + WG_OVERHEAD;

	if (outer < least + taken)
		return least;
	return outer - taken < WG_MTU_PRESET ? outer - taken : WG_MTU_PRESET;
}
