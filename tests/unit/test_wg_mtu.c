/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large packets may be in a tunnel that is inside others. */
#include "plugins/outbound-wireguard/outbound.h"

#include <check.h>

#include "tests/suite.h"

#define PEERS 2

/* An IP header, a UDP header and what sealing adds. */
#define OVER_IP4 (20u + 8 + WG_OVERHEAD)
#define OVER_IP6 (40u + 8 + WG_OVERHEAD)

static struct wg_peer_settings peers[PEERS];
static struct weir_cidr own = {.base.kind = WEIR_ADDR_IP4, .bits = 32};
static struct wg_settings settings = {
	.address = {&own, 1}, .peers = peers, .peer_count = PEERS};

static void endpoints(enum weir_addr_kind first, enum weir_addr_kind second)
{
	peers[0].endpoint.kind = first;
	peers[1].endpoint.kind = second;
}

START_TEST(each_level_takes_its_headers)
{
	uint32_t mtu = 1420;

	endpoints(WEIR_ADDR_IP4, WEIR_ADDR_IP4);
	for (uint32_t level = 1; level < 6; level++) {
		mtu = mtu_through(&settings, mtu);
		ck_assert_uint_eq(mtu, 1420 - level * OVER_IP4);
	}
	endpoints(WEIR_ADDR_IP6, WEIR_ADDR_IP6);
	ck_assert_uint_eq(mtu_through(&settings, 1420), 1420 - OVER_IP6);
	ck_assert_uint_eq(mtu_through(&settings, 1420 - OVER_IP6),
			  1420 - 2 * OVER_IP6);
}
END_TEST

START_TEST(room_is_spared_for_what_is_not_known)
{
	endpoints(WEIR_ADDR_IP4, WEIR_ADDR_NAME);
	ck_assert_uint_eq(mtu_through(&settings, 1400), 1400 - OVER_IP6);
	endpoints(WEIR_ADDR_NONE, WEIR_ADDR_IP4);
	ck_assert_uint_eq(mtu_through(&settings, 1400), 1400 - OVER_IP6);
	ck_assert_uint_eq(mtu_through(&settings, 0), WG_MTU_PRESET - OVER_IP6);
}
END_TEST

START_TEST(large_packets_outside_do_not_make_large_ones_inside)
{
	endpoints(WEIR_ADDR_IP4, WEIR_ADDR_IP4);
	ck_assert_uint_eq(mtu_through(&settings, 9000), WG_MTU_PRESET);
	ck_assert_uint_eq(mtu_through(&settings, 1500), WG_MTU_PRESET);
}
END_TEST

START_TEST(ip6_has_its_least_packet_at_any_depth)
{
	endpoints(WEIR_ADDR_IP4, WEIR_ADDR_IP4);
	own.base.kind = WEIR_ADDR_IP6;
	ck_assert_uint_eq(mtu_through(&settings, 1300), 1280);
	own.base.kind = WEIR_ADDR_IP4;
	ck_assert_uint_eq(mtu_through(&settings, 1300), 1300 - OVER_IP4);
	ck_assert_uint_eq(mtu_through(&settings, 600), 576);
	ck_assert_uint_eq(mtu_through(&settings, 20), 576);
}
END_TEST

SUITE("wg_mtu", t)
{
	tcase_add_test(t, each_level_takes_its_headers);
	tcase_add_test(t, room_is_spared_for_what_is_not_known);
	tcase_add_test(t, large_packets_outside_do_not_make_large_ones_inside);
	tcase_add_test(t, ip6_has_its_least_packet_at_any_depth);
}
