/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_fragments.c - datagrams of every size, in fragments where they do not
 * fit. Each test runs over IPv4 and IPv6. */
#include "datagrams.h"

#include <check.h>

#include "tests/suite.h"

static const uint32_t sizes[] = {0, 1, 2, 1472, 1473, 9000, 65507};

START_TEST(datagrams_of_every_size_reach_the_client)
{
	struct path p = path_of(_i, 53);
	struct weir_end *e = send_udp(&p, 10);
	struct weir_addr server = e->info.target;
	static uint8_t whole[70000];

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint32_t fragments, sum = 0;

		reply(e, &server, sizes[i], 0);
		ck_assert_uint_eq(gather(&tun, _i, whole, &fragments),
				  sizes[i]);
		ck_assert_mem_eq(whole + 8, payload, sizes[i]);
		ck_assert_uint_eq(fragments > 1,
				  sizes[i] + (_i ? 48 : 28) > 1500);
		/* Whole again, the client's kernel must accept it. */
		memset(packet, 0, 40);
		packet[0] = _i ? 0x60 : 0x45;
		packet[_i ? 6 : 9] = IPPROTO_UDP;
		memcpy(packet + (_i ? 8 : 12), server.ip, _i ? 16 : 4);
		memcpy(packet + (_i ? 24 : 16), p.client, _i ? 16 : 4);
		memcpy(packet + (_i ? 40 : 20), whole, sizes[i] + 8);
		sum = whole[6] * 256u + whole[7];
		fix_checksums(packet, sizes[i] + (_i ? 48 : 28));
		ck_assert_uint_eq(sum, packet[_i ? 46 : 26] * 256u +
					       packet[_i ? 47 : 27]);
	}
}
END_TEST

START_TEST(datagrams_of_every_size_come_from_the_client)
{
	struct path p = path_of(_i, 53);

	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
		uint32_t len = make_udp(packet, &p, payload, sizes[i]);

		if (len <= 1500)
			sim_input(&tun, packet, len);
		else
			send_fragments(&tun, packet, len, 1400, i & 1);
		ck_assert_int_eq(sim.ends->datagrams, i + 1);
		ck_assert_uint_eq(sim.ends->lens[i], sizes[i]);
		ck_assert_mem_eq(sim.ends->last, payload, sizes[i]);
	}
	ck_assert_uint_eq(sim_counter("fragments_dropped"), 0);
}
END_TEST

START_TEST(lost_fragment_expires)
{
	struct path p = path_of(_i, 53);
	uint32_t len = make_udp(packet, &p, payload, 9000);

	send_fragments(&tun, packet, len, 1400, false);
	ck_assert_int_eq(sim.ends->datagrams, 1);
	packet[_i ? 50 : 30] ^= 1; /* spoils the checksum of the whole */
	send_fragments(&tun, packet, len, 1400, false);
	ck_assert_uint_eq(sim_counter("drop_checksum"), 1);
	send_fragments(&tun, packet, len - 4000, 1400, false);
	ck_assert_int_eq(sim.ends->datagrams, 1);
	sim_run(31000 * SIM_MS);
	sim.timer_wakeups = 0;
	sim_run(31000 * SIM_MS);
	ck_assert_uint_eq(sim.timer_wakeups, 0);
}
END_TEST

START_TEST(fragment_memory_is_bounded)
{
	struct sim_conf conf = {100, 100, 64 << 20, 256 << 10};
	struct path p = path_of(_i, 53);

	tun_end();
	sim_start(&conf);
	sim_attach(&tun, NULL);
	for (int i = 0; i < 1000; i++) {
		p.client[_i ? 15 : 3] = (uint8_t)i;
		p.client[_i ? 14 : 2] = (uint8_t)(i >> 8);
		make_udp(packet, &p, payload, 2000);
		send_fragment(&tun, packet, 0, 1400, true);
	}
	ck_assert_uint_ge(sim_counter("fragments_dropped"), 800);
	make_udp(packet, &p, payload, 2000);
	send_fragment(&tun, packet, 1400, 608, false);
	ck_assert_uint_eq(sim.ends->lens[0], 2000);
}
END_TEST

START_TEST(fragment_memory_is_given_back)
{
	struct sim_conf conf = {100, 100, 64 << 20, 256 << 10};
	struct path p = path_of(_i, 53), q = p;
	static uint8_t other[3000];

	tun_end();
	sim_start(&conf);
	sim_attach(&tun, NULL);
	q.client[_i ? 15 : 3] ^= 1;
	make_udp(packet, &p, payload, 2000);
	make_udp(other, &q, payload, 2000);
	for (int i = 0; i < 300; i++) {
		send_fragment(&tun, packet, 0, 1400, true);
		send_fragment(&tun, other, 0, 1400, true);
		send_fragment(&tun, packet, 1400, 608, false);
		send_fragment(&tun, other, 1400, 608, false);
	}
	ck_assert_uint_eq(sim_counter("fragments_dropped"), 0);
}
END_TEST

/* No part of any datagram: their lengths are no multiples of eight. */
START_TEST(fragments_that_fit_nowhere_take_no_memory)
{
	struct path p = path_of(_i, 53);

	for (int i = 0; i < 50000; i++) {
		p.client[_i ? 15 : 3] = (uint8_t)(1 + i % 200);
		p.client[_i ? 14 : 2] = (uint8_t)(i / 200);
		make_udp(packet, &p, payload, 2000);
		send_fragment(&tun, packet, 0, 12, true);
	}
	ck_assert_uint_eq(sim_counter("fragments_dropped"), 50000);
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
}
END_TEST

START_TEST(a_fragment_that_fits_nowhere_spoils_no_datagram)
{
	struct path p = path_of(_i, 53);

	make_udp(packet, &p, payload, 2000);
	send_fragment(&tun, packet, 0, 1400, true);
	send_fragment(&tun, packet, 1400, 12, true);
	send_fragment(&tun, packet, 1400, 608, false);
	ck_assert_ptr_nonnull(sim.ends);
	ck_assert_uint_eq(sim.ends->lens[0], 2000);
}
END_TEST

START_TEST(large_ping_is_answered_in_fragments)
{
	struct path p = _i ? path6(0, "fd09::1", 0) : path4(0, "10.9.0.1", 0);
	uint32_t len = make_echo(packet, &p, 0x1234, 7, payload, 5000);
	uint32_t fragments;
	static uint8_t whole[70000];

	send_fragments(&tun, packet, len, 1400, false);
	ck_assert_uint_eq(gather(&tun, _i, whole, &fragments), 5000);
	ck_assert_uint_eq(fragments, 4);
	ck_assert_mem_eq(whole + 8, payload, 5000);
}
END_TEST

/* What IP has room for, and one byte more. */
START_TEST(the_largest_pings_go_both_ways)
{
	struct path p = path_of(_i, 0);
	uint32_t most = 65535 - 8 - (_i ? 0 : 20), fragments, len;
	static uint8_t whole[70000];
	struct weir_end *e;

	len = make_echo(packet, &p, 0x1234, 7, payload, most);
	send_fragments(&tun, packet, len, 1400, false);
	e = sim.ends;
	ck_assert_ptr_nonnull(e);
	ck_assert_uint_eq(e->lens[0], 4 + most);
	reply(e, &e->peers[0], 4 + most, 0);
	ck_assert_uint_eq(gather(&tun, _i, whole, &fragments), most);
	ck_assert_mem_eq(whole + 8, payload + 4, most);
	ck_assert_uint_eq(sim_counter("output_dropped"), 0);
	reply(e, &e->peers[0], 4 + most + 1, 0);
	ck_assert_uint_eq(sim_counter("output_dropped"), 1);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_loop_test(t, datagrams_of_every_size_reach_the_client, 0, 2);
	tcase_add_loop_test(t, datagrams_of_every_size_come_from_the_client, 0,
			    2);
	tcase_add_loop_test(t, lost_fragment_expires, 0, 2);
	tcase_add_loop_test(t, fragment_memory_is_bounded, 0, 2);
	tcase_add_loop_test(t, fragment_memory_is_given_back, 0, 2);
	tcase_add_loop_test(t, fragments_that_fit_nowhere_take_no_memory, 0, 2);
	tcase_add_loop_test(t, a_fragment_that_fits_nowhere_spoils_no_datagram,
			    0, 2);
	tcase_add_loop_test(t, large_ping_is_answered_in_fragments, 0, 2);
	tcase_add_loop_test(t, the_largest_pings_go_both_ways, 0, 2);
}

SUITE("fragments", t)
{
	tcase_add_checked_fixture(t, begin, tun_end);
	tcase_set_timeout(t, 60);
	add_tests(t);
}
