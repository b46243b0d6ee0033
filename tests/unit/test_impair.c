/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The bad network of the tests, in virtual time. */
#include <check.h>
#include <string.h>

#include "tests/tools/impair_path.h"
#include "tests/suite.h"

#define PACKETS 100000
#define PACKET_BYTES 1000
#define MS 1000000ull
#define GAP_NS 10000

static struct impair_path *path_new(struct impair_settings set)
{
	struct impair_path *p;

	set.mtu_bytes = 1500;
	p = impair_path_new(&set);
	ck_assert_ptr_nonnull(p);
	return p;
}

static void put(struct impair_path *p, uint32_t number, uint64_t now_ns)
{
	uint8_t *room = impair_path_room(p);

	memset(room, 0x45, PACKET_BYTES);
	memcpy(room + PACKET_BYTES - sizeof number, &number, sizeof number);
	impair_path_take(p, PACKET_BYTES, now_ns);
}

/* The number of the packet that is due, or -1. */
static int64_t get(struct impair_path *p, uint64_t now_ns)
{
	size_t len;
	const uint8_t *packet = impair_path_next(p, now_ns, &len);
	uint32_t number;

	if (!packet)
		return -1;
	ck_assert_uint_eq(len, PACKET_BYTES);
	memcpy(&number, packet + PACKET_BYTES - sizeof number, sizeof number);
	impair_path_release(p, true);
	return number;
}

/* Send PACKETS at a steady pace; out[n] counts how often the n-th came. */
static struct impair_counters flow(struct impair_settings set, uint8_t *out)
{
	struct impair_path *p = path_new(set);
	struct impair_counters c;
	int64_t n;

	memset(out, 0, PACKETS);
	for (uint32_t i = 0; i < PACKETS; i++) {
		put(p, i, i * GAP_NS);
		while ((n = get(p, i * GAP_NS)) >= 0)
			out[n]++;
	}
	while ((n = get(p, IMPAIR_NEVER - 1)) >= 0)
		out[n]++;
	c = *impair_path_counters(p);
	ck_assert_uint_eq(c.inside, 0);
	ck_assert_uint_eq(c.received + c.duplicated,
			  c.forwarded + c.lost + c.overflowed);
	impair_path_free(p);
	return c;
}

static uint8_t came[PACKETS], came_again[PACKETS];

START_TEST(a_path_without_faults_delivers_everything_at_once_in_order)
{
	struct impair_path *p = path_new((struct impair_settings){0});

	for (uint32_t i = 0; i < 1000; i++) {
		put(p, i, i);
		ck_assert_int_eq(get(p, i), i);
	}
	ck_assert_uint_eq(impair_path_due_ns(p), IMPAIR_NEVER);
	impair_path_free(p);
}
END_TEST

START_TEST(a_share_of_the_packets_is_lost)
{
	struct impair_counters c =
		flow((struct impair_settings){.loss = 0.01, .seed = 7}, came);

	ck_assert_uint_ge(c.lost, PACKETS / 100 * 85 / 100);
	ck_assert_uint_le(c.lost, PACKETS / 100 * 115 / 100);
}
END_TEST

START_TEST(the_same_seed_loses_the_same_packets)
{
	struct impair_settings set = {.loss = 0.05, .seed = 3};

	flow(set, came);
	flow(set, came_again);
	ck_assert_mem_eq(came, came_again, PACKETS);
	set.seed = 4;
	flow(set, came_again);
	ck_assert_mem_ne(came, came_again, PACKETS);
}
END_TEST

START_TEST(another_fault_does_not_change_which_packets_are_lost)
{
	struct impair_settings set = {.loss = 0.05, .seed = 3};

	flow(set, came);
	set.jitter_ns = MS;
	set.reorder = 0.1;
	set.reorder_ns = MS;
	set.corrupt = 0.000001;
	flow(set, came_again);
	ck_assert_mem_eq(came, came_again, PACKETS);
}
END_TEST

START_TEST(bursts_lose_packets_in_a_row)
{
	struct impair_settings set = {.burst_in = 0.002, .burst_out = 0.1};
	struct impair_counters c = flow(set, came);
	unsigned bursts = 0;

	for (unsigned i = 1; i < PACKETS; i++)
		bursts += !came[i] && came[i - 1];
	/* A burst begins every 1 / 0.002 + 1 / 0.1 packets and is 10 long. */
	ck_assert_uint_ge(bursts, 150);
	ck_assert_uint_le(bursts, 250);
	ck_assert_uint_ge(c.lost, bursts * 7);
	ck_assert_uint_le(c.lost, bursts * 13);
}
END_TEST

START_TEST(a_share_of_the_packets_comes_twice)
{
	struct impair_counters c =
		flow((struct impair_settings){.duplicate = 0.1}, came);
	unsigned twice = 0;

	for (unsigned i = 0; i < PACKETS; i++) {
		ck_assert_uint_ge(came[i], 1);
		twice += came[i] == 2;
	}
	ck_assert_uint_eq(twice, c.duplicated);
	ck_assert_uint_ge(twice, PACKETS / 10 * 9 / 10);
	ck_assert_uint_le(twice, PACKETS / 10 * 11 / 10);
}
END_TEST

START_TEST(a_packet_is_late_by_exactly_the_delay)
{
	struct impair_path *p =
		path_new((struct impair_settings){.delay_ns = 25 * MS});

	put(p, 9, 5 * MS);
	ck_assert_uint_eq(impair_path_due_ns(p), 30 * MS);
	ck_assert_int_eq(get(p, 30 * MS - 1), -1);
	ck_assert_int_eq(get(p, 30 * MS), 9);
	impair_path_free(p);
}
END_TEST

START_TEST(jitter_keeps_the_order)
{
	struct impair_path *p = path_new((struct impair_settings){
		.delay_ns = 10 * MS, .jitter_ns = 5 * MS});
	uint64_t last_ns = 0;

	for (uint32_t i = 0; i < 1000; i++)
		put(p, i, i * MS);
	for (uint32_t i = 0; i < 1000; i++) {
		uint64_t due_ns = impair_path_due_ns(p);

		ck_assert_uint_ge(due_ns, last_ns);
		ck_assert_uint_ge(due_ns, (i + 5) * MS);
		ck_assert_uint_le(due_ns, (i + 15) * MS);
		last_ns = due_ns;
		ck_assert_int_eq(get(p, due_ns), i);
	}
	impair_path_free(p);
}
END_TEST

START_TEST(a_reordered_packet_is_overtaken_by_those_of_its_delay)
{
	struct impair_path *p = path_new((struct impair_settings){
		.reorder = 0.05, .reorder_ns = MS, .seed = 5});
	int64_t n, highest = -1;
	unsigned overtaken = 0;

	for (uint32_t i = 0; i < 10000; i++) {
		put(p, i, i * MS / 10);
		while ((n = get(p, i * MS / 10)) >= 0) {
			overtaken += n < highest;
			ck_assert_int_ge(n, (int64_t)i - 10);
			highest = n > highest ? n : highest;
		}
	}
	ck_assert_uint_ge(overtaken, 400);
	ck_assert_uint_le(overtaken, 600);
	impair_path_free(p);
}
END_TEST

START_TEST(corruption_flips_one_bit_behind_the_version)
{
	struct impair_path *p =
		path_new((struct impair_settings){.corrupt = 1});

	for (uint32_t i = 0; i < 5000; i++) {
		size_t len;
		const uint8_t *packet;
		unsigned flipped = 0;
		uint8_t *room = impair_path_room(p);

		memset(room, 0x45, 20);
		impair_path_take(p, 20, 0);
		packet = impair_path_next(p, 0, &len);
		ck_assert_uint_eq(packet[0], 0x45);
		for (unsigned at = 0; at < len; at++)
			flipped += (unsigned)__builtin_popcount(
				(unsigned)packet[at] ^ 0x45);
		ck_assert_uint_eq(flipped, 1);
		impair_path_release(p, true);
	}
	impair_path_free(p);
}
END_TEST

START_TEST(the_rate_spaces_packets_and_survives_pauses)
{
	/* 8 Mbit/s: a packet of 1,000 bytes takes 1 ms. */
	struct impair_path *p = path_new((struct impair_settings){
		.rate_bits = 8000000, .queue_bytes = 1000000});

	for (uint32_t i = 0; i < 100; i++)
		put(p, i, 0);
	for (uint32_t i = 0; i < 100; i++) {
		ck_assert_int_eq(get(p, (i + 1) * MS - 1), -1);
		ck_assert_int_eq(get(p, (i + 1) * MS), i);
	}
	put(p, 100, 500 * MS);
	ck_assert_uint_eq(impair_path_due_ns(p), 501 * MS);
	impair_path_free(p);
}
END_TEST

START_TEST(what_exceeds_the_queue_is_dropped)
{
	struct impair_path *p = path_new((struct impair_settings){
		.rate_bits = 8000000, .queue_bytes = 10 * PACKET_BYTES});

	for (uint32_t i = 0; i < 50; i++)
		put(p, i, 0);
	ck_assert_uint_eq(impair_path_counters(p)->inside, 10);
	ck_assert_uint_eq(impair_path_counters(p)->overflowed, 40);
	/* One has left, so there is room for one. */
	put(p, 50, MS);
	put(p, 51, MS);
	ck_assert_uint_eq(impair_path_counters(p)->overflowed, 41);
	impair_path_free(p);
}
END_TEST

START_TEST(memory_is_bounded_whatever_comes)
{
	struct impair_path *p =
		path_new((struct impair_settings){.delay_ns = 60000 * MS});
	uint64_t inside;

	for (uint32_t i = 0; i < 100000; i++)
		put(p, i, 0);
	inside = impair_path_counters(p)->inside;
	ck_assert_uint_ge(inside, 65000);
	ck_assert_uint_eq(impair_path_counters(p)->overflowed, 100000 - inside);
	for (uint32_t i = 0; i < inside; i++)
		ck_assert_int_eq(get(p, 60000 * MS), i);
	ck_assert_uint_eq(impair_path_due_ns(p), IMPAIR_NEVER);
	impair_path_free(p);
}
END_TEST

SUITE("impair", tests)
{
	tcase_add_test(
		tests,
		a_path_without_faults_delivers_everything_at_once_in_order);
	tcase_add_test(tests, a_share_of_the_packets_is_lost);
	tcase_add_test(tests, the_same_seed_loses_the_same_packets);
	tcase_add_test(tests,
		       another_fault_does_not_change_which_packets_are_lost);
	tcase_add_test(tests, bursts_lose_packets_in_a_row);
	tcase_add_test(tests, a_share_of_the_packets_comes_twice);
	tcase_add_test(tests, a_packet_is_late_by_exactly_the_delay);
	tcase_add_test(tests, jitter_keeps_the_order);
	tcase_add_test(tests,
		       a_reordered_packet_is_overtaken_by_those_of_its_delay);
	tcase_add_test(tests, corruption_flips_one_bit_behind_the_version);
	tcase_add_test(tests, the_rate_spaces_packets_and_survives_pauses);
	tcase_add_test(tests, what_exceeds_the_queue_is_dropped);
	tcase_add_test(tests, memory_is_bounded_whatever_comes);
}
