/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_bbr.c - BBR over a path in virtual time: a rate, a round trip, a queue
 * and random loss lie between two links of the stack. */
#include "sim.h"

#include <check.h>
#include <stdlib.h>

#define STREAMS 2
#define MEGABYTE (1u << 20)
#define RATE 12500000ull /* bytes a second: 100 Mbit/s */
#define DELAY_US (25 * SIM_MS)
#define RTT_US (2 * DELAY_US)
#define SECOND (1000 * SIM_MS)

static struct sim_link near_, far_;

struct stream {
	struct weir_end *from, *to;
	uint64_t got;
	bool paused;
};
static struct stream streams[STREAMS];

static void path(uint64_t rate, uint64_t queue_us, double loss)
{
	struct weir_link_conf conf = sim_link_conf();

	sim_congestion = SIM_BBR;
	sim_start(NULL);
	sim_attach(&near_, &conf);
	sim_attach(&far_, &conf);
	sim_connect(&near_, &far_, DELAY_US);
	near_.rate = rate;
	near_.queue_us = queue_us;
	near_.loss = loss;
}

static void stream_open(struct stream *s, bool v6)
{
	struct weir_addr to = {.kind = v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
			       .port = 443};

	inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "2001:db8::9" : "203.0.113.9",
		  to.ip);
	*s = (struct stream){.from = calloc(1, sizeof *s->from)};
	s->from->next = sim.ends;
	sim.ends = s->from;
	sim.ops->open(near_.link, s->from, &to, WEIR_NET_TCP);
	for (int i = 0; i < 100 && sim.ends == s->from; i++)
		sim_run(100 * SIM_MS);
	s->to = sim.ends;
	ck_assert_ptr_ne(s->to, s->from);
	s->to->stream->accept(s->to->self);
	for (int i = 0; i < 100 && !s->from->ready; i++)
		sim_run(100 * SIM_MS);
	ck_assert(s->from->ready);
}

static void stream_work(struct stream *s)
{
	static uint8_t block[50000];
	struct iovec v = {block, sizeof block}, view[16];
	int n;

	while (!s->paused && s->from->stream->write(s->from->self, &v, 1) ==
				     (ssize_t)sizeof block)
		;
	while ((n = s->to->stream->peek(s->to->self, view, 16)) > 0) {
		size_t total = 0;

		for (int i = 0; i < n; i++)
			total += view[i].iov_len;
		s->to->stream->consume(s->to->self, total);
		s->got += total;
	}
	ck_assert_int_eq(s->from->failed, 0);
}

/* Mbit/s of the first stream, over that time. `least_queue_us` gets the least
 * and `most_queue_us` the longest wait in the queue. */
struct seen {
	double mbit[STREAMS];
	uint64_t queue_least_us, queue_most_us, queue_mean_us;
};

static struct seen work_for(uint64_t us)
{
	struct seen seen = {.queue_least_us = UINT64_MAX};
	uint64_t before[STREAMS], total = 0;

	for (int i = 0; i < STREAMS; i++)
		before[i] = streams[i].got;
	for (uint64_t at = 0; at < us; at += SIM_MS) {
		uint64_t queue;

		for (int i = 0; i < STREAMS; i++)
			if (streams[i].from)
				stream_work(&streams[i]);
		sim_run(SIM_MS);
		queue = near_.busy_us > sim.now_us ? near_.busy_us - sim.now_us
						   : 0;
		if (queue < seen.queue_least_us)
			seen.queue_least_us = queue;
		if (queue > seen.queue_most_us)
			seen.queue_most_us = queue;
		total += queue;
	}
	seen.queue_mean_us = total / (us / SIM_MS);
	for (int i = 0; i < STREAMS; i++)
		seen.mbit[i] =
			(double)(streams[i].got - before[i]) * 8 / (double)us;
	return seen;
}

static void end(void)
{
	for (int i = 0; i < STREAMS; i++)
		if (streams[i].from) {
			sim_close(streams[i].from, 1);
			sim_run(SECOND);
			sim_close(streams[i].to, 1);
			streams[i].from = NULL;
		}
	sim_run(200 * SECOND);
	ck_assert_uint_eq(sim_counter("connections"), 0);
	sim_stop();
}

static const double losses[] = {0, 0.001, 0.01};
#define SEEDS 2

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
	end();
}
END_TEST

START_TEST(the_queue_of_startup_is_drained)
{
	struct seen seen;

	path(RATE, 4 * RTT_US, 0);
	stream_open(&streams[0], false);
	seen = work_for(SECOND);
	ck_assert_uint_gt(seen.queue_most_us, RTT_US / 2);
	work_for(SECOND);
	seen = work_for(10 * SECOND);
	ck_assert_uint_lt(seen.queue_mean_us, RTT_US / 4);
	ck_assert_uint_lt(seen.queue_least_us, 2 * SIM_MS);
	end();
}
END_TEST

START_TEST(half_the_window_is_given_up_to_see_the_round_trip)
{
	double least = 1000;

	path(RATE, 4 * RTT_US, 0);
	stream_open(&streams[0], false);
	work_for(3 * SECOND);
	for (int i = 0; i < 80; i++) {
		struct seen seen = work_for(SECOND / 10);

		if (seen.mbit[0] < least)
			least = seen.mbit[0];
	}
	ck_assert_double_lt(least, 65);
	ck_assert_double_gt(least, 30);
	end();
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
	end();
}
END_TEST

/* How they share it is not promised yet: ratios up to 2.9 were seen. */
START_TEST(two_streams_fill_the_path)
{
	struct seen seen;

	path(RATE, RTT_US, 0);
	stream_open(&streams[0], false);
	work_for((unsigned)(_i + 1) * SECOND);
	stream_open(&streams[1], false);
	work_for(10 * SECOND);
	seen = work_for(10 * SECOND);
	if (getenv("WEIR_TEST_FIGURES") && !fflush(stdout))
		fprintf(stderr, "two: %.1f and %.1f Mbit/s, queue %.1f ms\n",
			seen.mbit[0], seen.mbit[1],
			(double)seen.queue_mean_us / 1000);
	ck_assert_double_gt(seen.mbit[0] + seen.mbit[1], 85);
	end();
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
	end();
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
	end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("bbr");
	TCase *t = tcase_create("bbr");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, nine_tenths_of_the_rate_whatever_is_lost, 0,
			    SEEDS * 3 * 2);
	tcase_add_test(t, the_queue_of_startup_is_drained);
	tcase_add_test(t, half_the_window_is_given_up_to_see_the_round_trip);
	tcase_add_test(t, a_sender_with_little_to_say_keeps_its_estimate);
	tcase_add_loop_test(t, two_streams_fill_the_path, 0, 3);
	tcase_add_test(t, a_blackout_leaves_the_model);
	tcase_add_test(t, a_short_round_trip_is_filled);
	suite_add_tcase(suite, t);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
