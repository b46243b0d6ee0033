/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bbr.c - BBR over a path in virtual time: a rate, a round trip, a queue
 * and random loss lie between two links of the stack. */
#include "path.h"
#include "rival.h"

#include <check.h>
#include <stdlib.h>

#include "tests/suite.h"

#define PIECE_MOST_US 2500u /* two, when the rate is a quarter above it */

static void path(uint64_t rate, uint64_t queue_us, double loss)
{
	path_open(&(struct path_conf){.rate = rate,
				      .rtt_us = RTT_US,
				      .queue_us = queue_us,
				      .loss = loss},
		  SIM_BBR);
}

static const double losses[] = {0, 0.001, 0.01};
#define SEEDS 2
#define MORE_SEEDS 4

START_TEST(nine_tenths_of_the_rate_whatever_is_lost)
{
	double loss = losses[_i / SEEDS % 3];
	struct seen seen;

	path(RATE, RTT_US, loss);
	for (int i = 0; i < _i % SEEDS * 1000; i++)
		sim_random();
	stream_open(&streams[0], _i / SEEDS / 3);
	work_for(3 * SECOND);
	seen = work_for(12 * SECOND);
	if (getenv("WEIR_TEST_FIGURES") && !fflush(stdout))
		printf("loss %.3f: %.1f Mbit/s, queue %.1f ms\n", loss,
		       seen.mbit[0], (double)seen.queue_mean_us / 1000);
	ck_assert_double_gt(seen.mbit[0], 90 * (1 - loss) * 1448 / 1500);
	path_close();
}
END_TEST

/* With a packet lost every few milliseconds a hole is always open: what is
 * under way or waits behind it is what was sent in two round trips, 12 MB. */
START_TEST(holes_do_not_bound_a_gigabit)
{
	struct seen seen;

	path(10 * RATE, RTT_US, 0.001);
	stream_open(&streams[0], _i); /* IPv4, IPv6 */
	work_for(3 * SECOND);
	seen = work_for(3 * SECOND);
	ck_assert_double_gt(seen.mbit[0], 850);
	path_close();
}
END_TEST

static void path_of_trains(uint64_t rate, double loss)
{
	path_open(
		&(struct path_conf){.rate = rate,
				    .rtt_us = RTT_US,
				    .queue_us = RTT_US,
				    .loss = loss,
				    .offloads = WEIR_LINK_CSUM | WEIR_LINK_TSO},
		SIM_BBR);
}

/* A queue that others keep full has room for a packet or two at a time. */
START_TEST(what_is_paced_leaves_in_small_pieces)
{
	path_of_trains(RATE, 0);
	stream_open(&streams[0], false);
	work_for(3 * SECOND);
	near_.burst_most = 0;
	work_for(5 * SECOND);
	ck_assert_uint_le(near_.burst_most, RATE * PIECE_MOST_US / 1000000);
	path_close();
}
END_TEST

/* A path that loses one packet in so many, a train counting as one: what lies
 * between two losses is so many trains. */
static const struct {
	double loss;
	uint32_t least, most; /* bytes of a train in the mean */
} trains[] = {
	{0.005, 10000, 65535},
	{0.05, 0, 3000},
};

START_TEST(trains_are_as_long_as_losses_are_far_apart)
{
	uint64_t packets, bytes;

	path_of_trains(10 * RATE, trains[_i].loss);
	stream_open(&streams[0], false);
	work_for(2 * SECOND);
	packets = near_.packets;
	bytes = near_.bytes;
	work_for(2 * SECOND);
	bytes = (near_.bytes - bytes) / (near_.packets - packets);
	ck_assert_uint_ge(bytes, trains[_i].least);
	ck_assert_uint_le(bytes, trains[_i].most);
	path_close();
}
END_TEST

/* Ten times the rate asks for more in flight than the window of the peer. */
START_TEST(the_queue_of_startup_is_drained)
{
	struct seen seen;

	path(_i ? 10 * RATE : RATE, 4 * RTT_US, 0);
	stream_open(&streams[0], false);
	seen = work_for(SECOND);
	ck_assert_uint_gt(seen.queue_most_us, RTT_US / 2);
	work_for(SECOND);
	seen = work_for(4 * SECOND);
	ck_assert_uint_lt(seen.queue_mean_us, RTT_US / 4);
	ck_assert_uint_lt(seen.queue_least_us, 2 * SIM_MS);
	path_close();
}
END_TEST

START_TEST(half_the_window_is_given_up_to_see_the_round_trip)
{
	double least = 1000;

	path(RATE, 4 * RTT_US, 0);
	stream_open(&streams[0], false);
	work_for(3 * SECOND);
	near_.delay_us += RTT_US / 8; /* the old least is not seen again */
	for (int i = 0; i < 80; i++) {
		struct seen seen = work_for(SECOND / 10);

		if (seen.mbit[0] < least)
			least = seen.mbit[0];
	}
	ck_assert_double_lt(least, 65);
	ck_assert_double_gt(least, 30);
	path_close();
}
END_TEST

START_TEST(a_sender_with_little_to_say_keeps_its_estimate)
{
	struct seen seen;

	path(RATE, RTT_US, 0);
	stream_open(&streams[0], false);
	work_for(4 * SECOND);
	streams[0].paused = true;
	work_for(SECOND);
	for (int i = 0; i < 30; i++) {
		struct iovec v = {"a few bytes", 11};

		streams[0].from->stream->write(streams[0].from->self, &v, 1);
		work_for(SECOND / 10);
	}
	streams[0].paused = false;
	work_for(SECOND / 5);
	seen = work_for(SECOND / 2);
	ck_assert_double_gt(seen.mbit[0], 75);
	path_close();
}
END_TEST

/* As a client that says who it is before it sends. */
START_TEST(a_few_bytes_at_the_start_are_not_the_rate_of_the_path)
{
	struct iovec v = {"who I am", 8};
	struct seen seen;

	path(RATE, RTT_US, 0);
	stream_open(&streams[0], false);
	streams[0].from->stream->write(streams[0].from->self, &v, 1);
	streams[0].paused = true;
	work_for(SECOND / 5);
	streams[0].paused = false;
	work_for(SECOND);
	seen = work_for(SECOND);
	ck_assert_double_gt(seen.mbit[0], 75);
	path_close();
}
END_TEST

/* The second one comes when the first has the path to itself. */
static const struct {
	unsigned apart_s;
	double loss;
} pairs[] = {{0, 0}, {1, 0}, {3, 0}, {1, 0.001}, {1, 0.01}};

START_TEST(two_streams_share_the_path)
{
	struct seen seen;

	path(RATE, RTT_US, pairs[_i].loss);
	stream_open(&streams[0], false);
	work_for(pairs[_i].apart_s * SECOND);
	stream_open(&streams[1], false);
	work_for(10 * SECOND);
	seen = work_for(10 * SECOND);
	if (getenv("WEIR_TEST_FIGURES") && !fflush(stdout))
		fprintf(stderr, "two: %.1f and %.1f Mbit/s, queue %.1f ms\n",
			seen.mbit[0], seen.mbit[1],
			(double)seen.queue_mean_us / 1000);
	ck_assert_double_gt(seen.mbit[0] + seen.mbit[1], 85);
	ck_assert_double_lt(seen.mbit[0], 2 * seen.mbit[1]);
	ck_assert_double_lt(seen.mbit[1], 2 * seen.mbit[0]);
	path_close();
}
END_TEST

/* The queue is what version 1 fills alone, and does not mind to overflow. */
START_TEST(two_streams_and_two_of_version_1_leave_each_other_room)
{
	struct rival *rivals[2];
	uint64_t before = 0, after = 0;
	double ours, theirs;
	struct seen seen;

	path(RATE, RTT_US, 0);
	for (int i = 0; i < _i * 1000; i++)
		sim_random();
	for (int i = 0; i < 2; i++) {
		stream_open(&streams[i], false);
		rivals[i] = rival_open(&near_, RTT_US / 2);
	}
	work_for(4 * SECOND);
	for (int i = 0; i < 2; i++)
		before += rival_got(rivals[i]);
	seen = work_for(12 * SECOND);
	for (int i = 0; i < 2; i++) {
		after += rival_got(rivals[i]);
		rival_close(rivals[i]);
	}
	ours = seen.mbit[0] + seen.mbit[1];
	theirs = (double)(after - before) * 8 / (12 * SECOND);
	if (getenv("WEIR_TEST_FIGURES") && !fflush(stdout))
		fprintf(stderr, "beside version 1: %.1f, it %.1f Mbit/s\n",
			ours, theirs);
	ck_assert_double_gt(ours + theirs, 85);
	ck_assert_double_gt(ours, theirs / 2);
	ck_assert_double_lt(ours, theirs * 3);
	path_close();
}
END_TEST

START_TEST(a_blackout_leaves_the_model)
{
	struct seen seen;

	path(RATE, RTT_US, 0);
	stream_open(&streams[0], false);
	work_for(4 * SECOND);
	near_.loss = 1;
	work_for(SECOND);
	near_.loss = 0;
	work_for(2 * SECOND);
	seen = work_for(2 * SECOND);
	ck_assert_double_gt(seen.mbit[0], 80);
	path_close();
}
END_TEST

/* What was lost then says nothing of how much the path holds now; the bound it
 * leaves goes up again though each round loses something. */
START_TEST(a_moment_of_heavy_loss_is_forgotten)
{
	struct seen seen;

	path(RATE, RTT_US, 0.01);
	for (int i = 0; i < _i * 1000; i++)
		sim_random();
	stream_open(&streams[0], false);
	work_for(4 * SECOND);
	near_.loss = 0.4;
	work_for(SECOND / 2);
	near_.loss = 0.01;
	work_for(4 * SECOND);
	seen = work_for(4 * SECOND);
	if (getenv("WEIR_TEST_FIGURES") && !fflush(stdout))
		printf("after heavy loss: %.1f Mbit/s\n", seen.mbit[0]);
	ck_assert_double_gt(seen.mbit[0], 80);
	path_close();
}
END_TEST

START_TEST(a_path_that_widens_is_filled_though_packets_are_lost)
{
	struct seen seen;

	path(RATE / 8, RTT_US, 0.01);
	for (int i = 0; i < _i * 1000; i++)
		sim_random();
	stream_open(&streams[0], false);
	work_for(3 * SECOND);
	near_.rate = RATE;
	work_for(4 * SECOND);
	seen = work_for(2 * SECOND);
	if (getenv("WEIR_TEST_FIGURES") && !fflush(stdout))
		printf("eight times the rate: %.1f Mbit/s\n", seen.mbit[0]);
	ck_assert_double_gt(seen.mbit[0], 80);
	path_close();
}
END_TEST

/* Microseconds are kept as their low half, which has wrapped then. */
START_TEST(hours_of_silence_leave_the_model)
{
	struct seen seen;

	path(RATE, RTT_US, 0);
	stream_open(&streams[0], false);
	work_for(4 * SECOND);
	for (int i = 0; i < 4; i++) {
		streams[0].paused = true;
		work_for(SECOND);
		sim_run((1500 + 1000 * (uint64_t)i) * SECOND);
		streams[0].paused = false;
		work_for(SECOND / 5);
		seen = work_for(SECOND);
		ck_assert_double_gt(seen.mbit[0], 75);
	}
	path_close();
}
END_TEST

START_TEST(a_short_round_trip_is_filled)
{
	struct seen seen;

	path(RATE, 20 * SIM_MS, 0);
	near_.delay_us = far_.delay_us = 50;
	stream_open(&streams[0], false);
	work_for(SECOND);
	seen = work_for(5 * SECOND);
	ck_assert_double_gt(seen.mbit[0], 90);
	path_close();
}
END_TEST

/* ACKs come back together, every so many milliseconds. */
static double work_with_lumps(unsigned lump_ms, unsigned lumps)
{
	uint64_t lump_us = lump_ms * SIM_MS, got = streams[0].got;

	for (unsigned i = 0; i < lumps * lump_ms; i++) {
		far_.delay_us = lump_us - sim.now_us % lump_us;
		work_for(SIM_MS);
	}
	return (double)(streams[0].got - got) * 8 / (double)(lumps * lump_us);
}

START_TEST(acks_in_lumps_do_not_leave_a_short_path_idle)
{
	path(RATE, 200 * SIM_MS, 0);
	near_.delay_us = far_.delay_us = 50;
	stream_open(&streams[0], false);
	work_for(SECOND);
	work_with_lumps(20, 50);
	ck_assert_double_gt(work_with_lumps(20, 100), 90);
	path_close();
}
END_TEST

SUITE("bbr", t)
{
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, nine_tenths_of_the_rate_whatever_is_lost, 0,
			    SEEDS * 3 * 2);
	tcase_add_loop_test(t, holes_do_not_bound_a_gigabit, 0, 2);
	tcase_add_test(t, what_is_paced_leaves_in_small_pieces);
	tcase_add_loop_test(t, trains_are_as_long_as_losses_are_far_apart, 0,
			    sizeof trains / sizeof *trains);
	tcase_add_loop_test(t, the_queue_of_startup_is_drained, 0, 2);
	tcase_add_test(t, half_the_window_is_given_up_to_see_the_round_trip);
	tcase_add_test(t, a_sender_with_little_to_say_keeps_its_estimate);
	tcase_add_test(t,
		       a_few_bytes_at_the_start_are_not_the_rate_of_the_path);
	tcase_add_loop_test(t, two_streams_share_the_path, 0,
			    (int)(sizeof pairs / sizeof *pairs));
	tcase_add_loop_test(
		t, two_streams_and_two_of_version_1_leave_each_other_room, 0,
		SEEDS);
	tcase_add_test(t, a_blackout_leaves_the_model);
	tcase_add_loop_test(t, a_moment_of_heavy_loss_is_forgotten, 0,
			    MORE_SEEDS);
	tcase_add_loop_test(
		t, a_path_that_widens_is_filled_though_packets_are_lost, 0,
		MORE_SEEDS);
	tcase_add_test(t, hours_of_silence_leave_the_model);
	tcase_add_test(t, a_short_round_trip_is_filled);
	tcase_add_test(t, acks_in_lumps_do_not_leave_a_short_path_idle);
}
