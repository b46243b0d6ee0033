/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A socket that is full: what waits for it, and what it took half of. */
#include "tests/unit/wgbed.h"

START_TEST(a_full_socket_is_heard_of_and_nothing_is_lost)
{
	uint8_t packet[BED_MTU];
	unsigned taken = 0, more;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].full = true;
	bed_packet(packet, 0, 1, sizeof packet);
	while (taken < 10000 && bed_offer(&b, 0, packet, sizeof packet)) {
		taken++;
		if (taken % 100 == 0)
			bed_flush(&b);
	}
	ck_assert_uint_ge(taken, 40);
	ck_assert_uint_lt(taken, 10000);
	ck_assert(!bed_offer(&b, 0, packet, sizeof packet));
	ck_assert(!wg_flush(b.nodes[0].d, b.now_us));
	ck_assert(bed_unblock(&b, 0));
	for (more = 0; more < 10; more++)
		ck_assert(bed_offer(&b, 0, packet, sizeof packet));
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 1 + taken + more);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_FULL), 0);
	bed_fini(&b);
}
END_TEST

/* Some datagrams of a train go to `first`, then the socket is full. */
static void stop_halfway(struct bed *b, int first)
{
	uint8_t packet[1000];

	bed_packet(packet, 0, first, sizeof packet);
	b->nodes[0].takes = 3;
	for (int i = 0; i < 8; i++)
		ck_assert(bed_offer(b, 0, packet, sizeof packet));
	bed_flush(b);
	ck_assert(b->nodes[0].full);
}

START_TEST(a_train_goes_on_where_the_socket_was_full)
{
	uint8_t packet[1000];
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	stop_halfway(&b, 1);
	bed_packet(packet, 0, 1, sizeof packet);
	ck_assert(!bed_offer(&b, 0, packet, sizeof packet));
	b.nodes[0].takes = 2;
	bed_unblock(&b, 0);
	ck_assert(b.nodes[0].full);
	ck_assert(bed_unblock(&b, 0));
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 1 + 8);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_WINDOW), 0);
	ck_assert_uint_eq(bed_info(&b, 0, 1).tx_bytes,
			  bed_info(&b, 1, 0).rx_bytes);
	bed_fini(&b);
}
END_TEST

/* The memory of a train is used again, maybe for one as long. */
START_TEST(a_train_whose_peer_went_halfway_leaves_nothing_behind)
{
	struct wg_peer_set gone = {.flags = WG_PEER_REMOVE};
	uint8_t packet[1000];
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_session(&b, 0, 2);
	stop_halfway(&b, 1);
	bed_peer_set(&b, 0, 1, gone);
	bed_unblock(&b, 0);
	bed_packet(packet, 0, 2, sizeof packet);
	for (int i = 0; i < 8; i++)
		ck_assert(bed_offer(&b, 0, packet, sizeof packet));
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[2].got_count, 1 + 8);
	bed_fini(&b);
}
END_TEST

START_TEST(staged_packets_wait_for_a_full_socket_too)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	for (int i = 0; i < 128; i++)
		bed_send(&b, 0, 1, 1400 - (i & 1)); /* a train holds two */
	bed_run_us(&b, BED_DELAY_US);
	b.nodes[0].full = true;
	bed_run(&b, 1);
	ck_assert(bed_unblock(&b, 0));
	bed_send(&b, 0, 1, 77);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 129);
	ck_assert_uint_eq(b.nodes[1].got[128].len, 77);
	bed_fini(&b);
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, a_full_socket_is_heard_of_and_nothing_is_lost);
	tcase_add_test(t, a_train_goes_on_where_the_socket_was_full);
	tcase_add_test(t,
		       a_train_whose_peer_went_halfway_leaves_nothing_behind);
	tcase_add_test(t, staged_packets_wait_for_a_full_socket_too);
}

int main(void)
{
	return bed_main("wg_full", tests);
}
