/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Without a route lwIP falls back to the least MTU of IPv6; but a connection
 * knows its interface, and conn.c bounds the segment size by that one's MTU. */
#define nd6_get_destination_mtu nd6_get_destination_mtu_stock
#include "core/ipv6/nd6.c"
#undef nd6_get_destination_mtu

u16_t nd6_get_destination_mtu(const ip6_addr_t *target, struct netif *netif);

u16_t nd6_get_destination_mtu(const ip6_addr_t *target, struct netif *netif)
{
	(void)target;
	return netif ? netif_mtu6(netif) : 0xffff;
}
