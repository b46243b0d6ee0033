/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_cubic.c - CUBIC's slow start over a path in virtual time: a rate, a
 * round trip and a queue lie between two links of the stack. */
#include "path.h"

#include <check.h>

#include "tests/suite.h"

#define JUMBO_MTU 9000u

static void path(uint64_t rate, uint64_t queue_us, uint32_t mtu_bytes)
{
	path_open(&(struct path_conf){.rate = rate,
				      .rtt_us = RTT_US,
				      .queue_us = queue_us,
				      .mtu_bytes = mtu_bytes},
		  SIM_CUBIC);
}

static struct seen first_seconds(bool v6, uint64_t queue_us)
{
	path(RATE, queue_us, 0);
	stream_open(&streams[0], v6);
	return work_for(3 * SECOND);
}

START_TEST(queue_of_slow_start_is_seen_before_it_overflows)
{
	struct seen seen = first_seconds(_i, 4 * RTT_US);

	ck_assert_uint_eq(near_.lost, 0);
	ck_assert_uint_lt(seen.queue_most_us, 4 * RTT_US);
	ck_assert_double_gt(seen.mbit[0], 80);
	path_close();
}
END_TEST

/* Twice what fits is under way when the next round begins: it is seen within
 * the round that the queue fills in. */
START_TEST(short_queue_is_seen_before_a_window_is_lost)
{
	struct seen seen = first_seconds(_i, RTT_US / 2);

	ck_assert_uint_lt(near_.lost, 200);
	ck_assert_double_gt(seen.mbit[0], 80);
	path_close();
}
END_TEST

/* Where it does overflow, a window's worth of holes is no reason to wait for
 * a timeout. */
START_TEST(hundreds_of_losses_at_once_are_repaired_in_some_round_trips)
{
	struct seen seen = first_seconds(_i, RTT_US / 4);

	ck_assert_uint_gt(near_.lost, 100);
	ck_assert_uint_lt(seen.stall_us, 4 * RTT_US);
	ck_assert_double_gt(seen.mbit[0], 80);
	path_close();
}
END_TEST

/* One packet in a hundred. */
static void come_late(uint64_t by_us)
{
	near_.reorder = far_.reorder = 0.01;
	near_.reorder_us = far_.reorder_us = by_us;
}

/* What fills the holes that the end of slow start leaves must not outdate what
 * is late, nor may that look like loss for long. */
START_TEST(late_packets_do_not_hold_the_rate_down)
{
	path(RATE, RTT_US, 0);
	sim.random *= 2 * (uint64_t)_i + 1;
	for (int i = 0; i < 20; i++)
		sim_random();
	come_late(8 * SIM_MS);
	stream_open(&streams[0], _i % 2);
	ck_assert_double_gt(work_for(4 * SECOND).mbit[0], 85);
	path_close();
}
END_TEST

/* By then half of the sequence numbers are gone by, and what was noted at its
 * start seems to lie ahead. */
START_TEST(late_packets_are_told_from_lost_ones_in_a_long_stream_too)
{
	path(20 * RATE, RTT_US, JUMBO_MTU);
	stream_open(&streams[0], _i);
	while (streams[0].got < 9ull << 28)
		work_for(SECOND);
	come_late(RTT_US / 2);
	work_for(2 * SECOND);
	ck_assert_double_gt(work_for(2 * SECOND).mbit[0], 1500);
	path_close();
}
END_TEST

/* Says next to nothing for so long. */
static void murmur_for(uint64_t us)
{
	static uint8_t block[1000];
	struct iovec v = {block, sizeof block};

	streams[0].paused = true;
	for (uint64_t end_us = sim.now_us + us; sim.now_us < end_us;) {
		streams[0].from->stream->write(streams[0].from->self, &v, 1);
		work_for(2 * RTT_US);
	}
	streams[0].paused = false;
}

/* The curve would be far above by then, and the window a half larger with each
 * round trip. */
START_TEST(window_does_not_grow_for_the_time_that_little_was_sent)
{
	uint64_t lost;

	path(RATE, RTT_US, 0);
	stream_open(&streams[0], _i);
	work_for(11 * SECOND);
	ck_assert_uint_gt(near_.lost, 0);
	lost = near_.lost;
	if (_i)
		sim_run(60 * SECOND);
	else
		murmur_for(60 * SECOND);
	ck_assert_double_gt(work_for(2 * SECOND).mbit[0], 85);
	ck_assert_uint_lt(near_.lost - lost, 20);
	path_close();
}
END_TEST

SUITE("cubic", t)
{
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, queue_of_slow_start_is_seen_before_it_overflows,
			    0, 2);
	tcase_add_loop_test(t, short_queue_is_seen_before_a_window_is_lost, 0,
			    2);
	tcase_add_loop_test(
		t, hundreds_of_losses_at_once_are_repaired_in_some_round_trips,
		0, 2);
	tcase_add_loop_test(t, late_packets_do_not_hold_the_rate_down, 0, 20);
	tcase_add_loop_test(
		t, late_packets_are_told_from_lost_ones_in_a_long_stream_too, 0,
		2);
	tcase_add_loop_test(
		t, window_does_not_grow_for_the_time_that_little_was_sent, 0,
		2);
}
