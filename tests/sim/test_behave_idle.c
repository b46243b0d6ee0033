/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_idle.c - connections that were silent for very long, and clocks
 * of which a connection keeps the low half: microseconds wrap every 72 minutes,
 * milliseconds every 50 days. A segment is 1000 bytes, the round trip 50 ms.
 * Each test runs over IPv4 and IPv6, with CUBIC and BBR. */
#include "behave.h"

#define MSS FAR_MSS
#define RTT FAR_RTT
#define PACED (45 * SIM_MS) /* in which a flight may be spread */
#define MINUTE (60000 * SIM_MS)
#define WAKEUPS_MOST 100
#define DAY (1440 * MINUTE)
#define HALF_WRAP_US (1ull << 31)
#define WRAP_US (1ull << 32)

/* Just before and after the low halves have their sign changed, and wrap. */
static const uint64_t silences[] = {
	HALF_WRAP_US - MINUTE,
	HALF_WRAP_US + MINUTE,
	WRAP_US - MINUTE,
	WRAP_US + MINUTE,
	24 * DAY,
	25 * DAY,
	49 * DAY,
	50 * DAY,
};

#define SILENCES (sizeof silences / sizeof *silences)

/* The first of a flight is lost. It is sent again once, without a timeout. */
static void lose_one_of(struct peer *p, uint32_t segments)
{
	uint32_t first = p->written + 1, after = first + segments * MSS;
	const uint32_t edges[] = {first + MSS, after};
	struct heard *h;

	peer_flight(p, segments, PACED);
	say_sack(p, p->read + 1, first, 1, edges);
	h = hear_within(p, RTT, NULL);
	ck_assert(h->any);
	ck_assert_uint_eq(h->seq, first);
	sim_run(RTT);
	say(p, ACK, p->read + 1, after, 0);
	sim_run(5000 * SIM_MS);
	hear_nothing(p);
}

START_TEST(a_loss_after_long_silence_is_repaired)
{
	for (size_t i = 0; i < SILENCES; i++) {
		struct peer p = peer_open_far(_i, OFFER_USUAL, i);

		lose_one_of(&p, 10);
		sim_run(silences[i]);
		lose_one_of(&p, 5); /* the window is smaller than it was */
		ck_assert_int_eq(p.end->failed, 0);
	}
}
END_TEST

/* Two round trips, or what an ACK may be held back on top of them. */
START_TEST(a_tail_lost_after_long_silence_is_probed_for)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint64_t after_us;

	for (size_t i = 0; i < SILENCES; i++) {
		uint32_t first = p.written + 1;
		struct heard *h;

		sim_run(silences[i]);
		core_write(&p, MSS);
		ck_assert_uint_eq(hear_all(&p), MSS);
		h = hear_within(&p, 1000 * SIM_MS, &after_us);
		ck_assert(h->any);
		ck_assert_uint_eq(h->seq, first);
		ck_assert_uint_ge(after_us, 2 * RTT);
		ck_assert_uint_le(after_us, 4 * RTT);
		say(&p, ACK, 1, first + MSS, 0);
		sim_run(5000 * SIM_MS);
		hear_nothing(&p);
	}
}
END_TEST

START_TEST(bytes_after_long_silence_are_acknowledged_in_time)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	for (size_t i = 0; i < SILENCES; i++) {
		uint32_t first = p.read + 1;
		struct heard *h;

		sim_run(silences[i]);
		say(&p, ACK | PSH, first, 1, MSS);
		ck_assert_uint_eq(core_read(&p), MSS);
		h = hear_within(&p, 45 * SIM_MS, NULL);
		ck_assert(h->any);
		ck_assert_uint_eq(h->ack, first + MSS);
	}
}
END_TEST

/* The clock as it begins: its low halves wrap while a deadline runs. */
static const uint64_t clocks[] = {
	HALF_WRAP_US - 30 * SIM_MS, WRAP_US - 30 * SIM_MS,
	HALF_WRAP_US * 1000 - 30 * SIM_MS, WRAP_US * 1000 - 30 * SIM_MS};

#define CLOCKS (sizeof clocks / sizeof *clocks)

static struct peer open_at(uint64_t clock_us, size_t i, int v6)
{
	sim.now_us = clock_us - RTT;
	return peer_open_far(v6, OFFER_USUAL, i);
}

START_TEST(timeouts_come_in_time_where_the_clock_wraps)
{
	for (size_t i = 0; i < CLOCKS; i++) {
		struct peer p = open_at(clocks[i], i, _i);
		uint64_t after_us;

		core_write(&p, MSS);
		ck_assert_uint_eq(hear_all(&p), MSS);
		ck_assert(hear_within(&p, 1000 * SIM_MS, &after_us)->any);
		ck_assert_uint_ge(after_us, 2 * RTT);
		ck_assert_uint_le(after_us, 4 * RTT);
		ck_assert(hear_within(&p, 1000 * SIM_MS, &after_us)->any);
		ck_assert_uint_ge(after_us, 200 * SIM_MS);
		ck_assert_uint_le(after_us, 500 * SIM_MS);
		say(&p, ACK, 1, 1 + MSS, 0);
		hear_nothing(&p);
	}
}
END_TEST

START_TEST(acks_are_held_back_as_long_where_the_clock_wraps)
{
	for (size_t i = 0; i < CLOCKS; i++) {
		struct peer p = open_at(clocks[i], i, _i);
		uint64_t after_us;

		sim_run(28 * SIM_MS);
		say(&p, ACK | PSH, 1, 1, 10);
		hear_nothing(&p);
		ck_assert(hear_within(&p, 1000 * SIM_MS, &after_us)->any);
		ck_assert_uint_ge(after_us, 3 * SIM_MS);
		ck_assert_uint_le(after_us, ANSWER_US);
	}
}
END_TEST

START_TEST(a_closed_connection_gets_its_minute_where_the_clock_wraps)
{
	for (size_t i = 0; i < CLOCKS; i++) {
		struct peer p = open_at(clocks[i], i, _i);

		sim_close(p.end, 0);
		ck_assert(hear(&p)->flags & FIN);
		say(&p, ACK, 1, 2, 0);
		sim_run(59000 * SIM_MS);
		ck_assert_uint_eq(sim_counter("connections"), 1);
		sim_run(2000 * SIM_MS);
		ck_assert_uint_eq(sim_counter("connections"), 0);
		sim_flush(&tun);
	}
}
END_TEST

START_TEST(a_window_grows_on_after_long_silence)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	for (size_t i = 0; i < SILENCES; i++) {
		struct heard *h;
		uint32_t before = 0;

		sim_run(silences[i]);
		for (int round = 0; round < 4; round++) {
			uint32_t window = 0;

			for (int n = 0; n < 200; n++) {
				say(&p, ACK | PSH, p.read + 1, 1, MSS);
				ck_assert_uint_eq(core_read(&p), MSS);
			}
			sim_run(RTT);
			while ((h = hear(&p))->any)
				window = (uint32_t)h->window << 8;
			ck_assert_uint_ge(window, before);
			before = window;
		}
		ck_assert_uint_ge(before, 256u << 10);
	}
}
END_TEST

/* The machine has been up for years; a timer keeps 47 bits of its clock. */
START_TEST(timers_keep_their_time_after_years)
{
	static const uint64_t clocks_us[] = {(1ull << 46) - 30000 * SIM_MS,
					     (1ull << 47) - 30000 * SIM_MS,
					     5 * 365 * DAY, 20 * 365 * DAY};

	for (size_t i = 0; i < sizeof clocks_us / sizeof *clocks_us; i++) {
		struct peer p = peer_new(_i);
		uint64_t after_us, before = sim.timer_wakeups;

		sim.now_us = clocks_us[i];
		p.path.client_port += (uint16_t)i;
		peer_complete(&p);
		say(&p, ACK, 1, 1, 100);
		ck_assert(hear_within(&p, 100 * SIM_MS, &after_us)->any);
		ck_assert_uint_ge(after_us, 1 * SIM_MS);
		core_write(&p, 100);
		ck_assert_uint_eq(hear_all(&p), 100);
		ck_assert_uint_eq(
			hear_within(&p, 5000 * SIM_MS, &after_us)->seq, 1);
		ck_assert_uint_ge(after_us, 20 * SIM_MS);
		say(&p, ACK, 101, 101, 0);
		sim_close(p.end, 0);
		hear_all(&p);
		say(&p, ACK, 101, 102, 0);
		ck_assert(hear_within(&p, 2 * MINUTE, &after_us)->flags & RST);
		ck_assert_uint_ge(after_us, MINUTE - 1000 * SIM_MS);
		ck_assert_uint_le(after_us, MINUTE + 1000 * SIM_MS);
		sim_run(MINUTE); /* what is left of it is given back */
		ck_assert_uint_le(sim.timer_wakeups - before, WAKEUPS_MOST);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_loss_after_long_silence_is_repaired,
		a_tail_lost_after_long_silence_is_probed_for,
		bytes_after_long_silence_are_acknowledged_in_time,
		timeouts_come_in_time_where_the_clock_wraps,
		acks_are_held_back_as_long_where_the_clock_wraps,
		a_closed_connection_gets_its_minute_where_the_clock_wraps,
		a_window_grows_on_after_long_silence,
		timers_keep_their_time_after_years,
	};

	return BEHAVE_MAIN("idle", tests);
}
