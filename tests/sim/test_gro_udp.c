/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_gro_udp.c - datagrams that come one by one and leave as trains. Each
 * test runs over IPv4 and IPv6. */
#include "client.h"

#include <check.h>

#include "tests/suite.h"

static uint8_t packet[PACKET_MOST], payload[PACKET_MOST];

static struct path path_of(int v6, uint16_t port)
{
	return v6 ? path6(port, "2001:db8::1", 80)
		  : path4(port, "203.0.113.1", 80);
}

static void begin(void)
{
	tun_begin();
	for (uint32_t i = 0; i < PACKET_MOST; i++)
		payload[i] = (uint8_t)(i * 7 + i / 251);
}

static void flush(void)
{
	sim.ops->flush(tun.link);
}

static void put_udp(const struct path *p, uint32_t at, uint32_t len)
{
	ck_assert(
		link_put(&tun, packet, make_udp(packet, p, payload + at, len)));
}

START_TEST(equal_datagrams_are_one_train)
{
	struct path p = path_of(_i, 6000);

	for (uint32_t i = 0; i < 10; i++)
		put_udp(&p, i * 64, 64);
	put_udp(&p, 640, 33);
	flush();
	ck_assert_int_eq(sim.ends->datagrams, 1);
	ck_assert_uint_eq(sim.ends->lens[0], 673);
	ck_assert_uint_eq(sim.ends->segments[0], 64);
	ck_assert_mem_eq(sim.ends->last, payload, 673);
}
END_TEST

START_TEST(datagrams_that_differ_stay_apart)
{
	struct path p = path_of(_i, 6000), q = p;

	q.server_port++;
	put_udp(&p, 0, 100);
	put_udp(&p, 0, 101); /* longer */
	put_udp(&q, 0, 101); /* to somebody else */
	put_udp(&q, 0, 0);   /* nothing in it */
	put_udp(&q, 0, 101);
	flush();
	ck_assert_int_eq(sim.ends->datagrams, 5);
	for (int i = 0; i < 5; i++)
		ck_assert_uint_eq(sim.ends->segments[i], 0);
	ck_assert_uint_eq(sim.ends->lens[3], 0);
}
END_TEST

START_TEST(a_mark_in_the_header_keeps_datagrams_apart)
{
	struct path p = path_of(_i, 6000);

	for (uint8_t i = 0; i < 4; i++) {
		uint32_t len = make_udp(packet, &p, payload, 100);

		if (i & 1) /* congestion experienced */
			packet[1] |= (uint8_t)(_i ? 3 << 4 : 3);
		fix_checksums(packet, len);
		ck_assert(link_put(&tun, packet, len));
	}
	flush();
	ck_assert_int_eq(sim.ends->datagrams, 4);
}
END_TEST

START_TEST(fragments_go_their_own_way)
{
	struct path p = path_of(_i, 6000);
	static uint8_t whole[PACKET_MOST];

	put_udp(&p, 0, 100);
	send_fragments(&tun, whole, make_udp(whole, &p, payload, 4000), 1200,
		       false);
	put_udp(&p, 100, 100);
	flush();
	ck_assert_int_eq(sim.ends->datagrams, 3);
	ck_assert_uint_eq(sim.ends->lens[1], 4000);
}
END_TEST

SUITE("gro, udp", t)
{
	tcase_add_checked_fixture(t, begin, tun_end);
	tcase_add_loop_test(t, equal_datagrams_are_one_train, 0, 2);
	tcase_add_loop_test(t, datagrams_that_differ_stay_apart, 0, 2);
	tcase_add_loop_test(t, a_mark_in_the_header_keeps_datagrams_apart, 0,
			    2);
	tcase_add_loop_test(t, fragments_go_their_own_way, 0, 2);
}
