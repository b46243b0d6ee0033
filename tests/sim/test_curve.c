/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_curve.c - CUBIC's window by what it is told, ACK by ACK: the curve
 * (RFC 9438), what begins the careful part of slow start (RFC 9406), and what
 * goes out meanwhile (RFC 9937). Windows are in segments. And the rate that an
 * ACK tells of (draft-cheng-iccrg-delivery-rate-estimation). */
#include "congestion.h"
#include "rate.h"
#include "timer.h"

#include <check.h>

#include "tests/suite.h"

#define MSS 1000u
#define MS 1000ull
#define SECOND (1000 * MS)
#define ACKS_A_ROUND 10u
#define LARGE 1000u /* a window that Reno would take minutes for */
#define FAR_MS 200u

static struct congestion cc;
static uint64_t now_us;

static struct ack_sample ack_of(uint32_t bytes, uint32_t rtt_ms)
{
	uint32_t rtt_us = rtt_ms * 1000;

	return (struct ack_sample){.now_us = now_us,
				   .acked = bytes,
				   .arrived = bytes,
				   .prior_in_flight = cc.cwnd,
				   .rtt_us = rtt_us,
				   .srtt_us = rtt_us,
				   .min_rtt_us = rtt_us,
				   .advanced = true};
}

/* Past slow start, with so many segments. */
static void grown_to(uint32_t segments)
{
	now_us = 1000 * SECOND;
	congestion_init(&cc, &congestion_cubic, MSS, 0, 0);
	cc.cwnd = segments * MSS;
}

/* An episode of loss, at whose end the window is the lesser one. */
static void lose(void)
{
	struct ack_sample s = ack_of(0, FAR_MS);

	cc.ops->on_loss(&cc);
	cc.ops->on_ack(&cc, &s);
}

/* All that the window lets out is acknowledged, for so long. */
static double after(uint64_t us, uint32_t rtt_ms)
{
	uint64_t end_us = now_us + us;

	while (now_us < end_us) {
		struct ack_sample s;

		now_us += rtt_ms * MS / ACKS_A_ROUND;
		s = ack_of(cc.cwnd / ACKS_A_ROUND, rtt_ms);
		cc.ops->on_ack(&cc, &s);
	}
	return (double)cc.cwnd / MSS;
}

/* K is cbrt(1000 * 0.3 / 0.4): 9.086 s. */
START_TEST(window_follows_the_curve)
{
	grown_to(LARGE);
	lose();
	ck_assert_double_eq_tol(after(0, FAR_MS), 700, 1);
	ck_assert_double_eq_tol(after(2 * SECOND, FAR_MS), 858, 8);
	ck_assert_double_eq_tol(after(7086 * MS, FAR_MS), 1000, 3);
	ck_assert_double_eq_tol(after(5 * SECOND, FAR_MS), 1050, 8);
}
END_TEST

/* From 560 to 680 in 6.7 s; a plateau of 800 would have 797 then. */
START_TEST(who_lost_below_the_last_plateau_leaves_room_for_others)
{
	grown_to(LARGE);
	lose();
	cc.cwnd = 800 * MSS;
	lose();
	ck_assert_double_eq_tol(after(6694 * MS, FAR_MS), 680, 5);
}
END_TEST

/* From 858 to 982 in 3.5 s, as the plateau of 1000 is near; a new one at 858
 * would have 875 then. */
START_TEST(plateau_is_the_old_one_after_a_loss_that_was_none)
{
	struct ack_sample s;

	grown_to(LARGE);
	lose();
	after(2 * SECOND, FAR_MS);
	cc.can_undo = false; /* the loss before was one */
	cc.ops->on_loss(&cc);
	s = ack_of(0, FAR_MS);
	s.in_recovery = true;
	cc.ops->on_ack(&cc, &s);
	cc.ops->undo(&cc);
	ck_assert_double_eq_tol(after(3500 * MS, FAR_MS), 982, 8);
}
END_TEST

/* 0.53 segments a round trip up to where the loss was, then one. */
START_TEST(short_round_trip_grows_as_renos)
{
	grown_to(100);
	lose();
	ck_assert_double_eq_tol(after(570 * MS, 10), 100, 3);
	ck_assert_double_eq_tol(after(500 * MS, 10), 150, 4);
}
END_TEST

/* That is at 80, though the plateau is at 68. */
START_TEST(who_lost_below_the_last_plateau_grows_as_reno_up_to_the_loss)
{
	grown_to(100);
	lose();
	cc.cwnd = 80 * MSS;
	lose();
	ck_assert_double_eq_tol(after(320 * MS, 10), 73, 1.5);
	ck_assert_double_eq_tol(after(330 * MS, 10), 100, 4);
}
END_TEST

START_TEST(window_grows_by_a_half_a_round_trip_at_most)
{
	struct ack_sample s;

	grown_to(10);
	lose();
	for (int i = 0; i < 5; i++) {
		uint32_t before = cc.cwnd;

		now_us += 10 * SECOND;
		s = ack_of(cc.cwnd, 10000);
		cc.ops->on_ack(&cc, &s);
		ck_assert_uint_gt(cc.cwnd, before);
		ck_assert_uint_le(cc.cwnd, before + before / 2 + 1);
	}
}
END_TEST

/* Of slow start half of it is enough: an ACK lets out as much again. */
START_TEST(window_that_is_not_filled_does_not_grow)
{
	struct ack_sample s;

	for (int calm = 0; calm < 2; calm++) {
		uint32_t window;

		grown_to(100);
		if (calm)
			lose();
		window = cc.cwnd;
		s = ack_of(MSS, FAR_MS);
		s.prior_in_flight = (calm ? window : window / 2) - 3 * MSS;
		for (int i = 0; i < 100; i++) {
			s.now_us += 100 * MS;
			cc.ops->on_ack(&cc, &s);
		}
		ck_assert_uint_eq(cc.cwnd, window);
	}
}
END_TEST

START_TEST(loss_leaves_two_segments)
{
	grown_to(2);
	lose();
	ck_assert_uint_eq(cc.cwnd, 2 * MSS);
}
END_TEST

/* It would be 49 if the timeout counted besides. */
START_TEST(timeout_of_an_episode_is_no_further_loss)
{
	struct ack_sample s;

	grown_to(100);
	lose();
	cc.ops->on_timeout(&cc, true);
	ck_assert_uint_eq(cc.cwnd, MSS);
	while (cc.cwnd < 69 * MSS) {
		uint32_t before = cc.cwnd;

		s = ack_of(MSS, FAR_MS);
		cc.ops->on_ack(&cc, &s);
		ck_assert_uint_eq(cc.cwnd, before + MSS);
	}
}
END_TEST

/* By how much is slow start's growth less, where the round trip grew? */
static uint32_t growth(uint32_t before_ms, uint32_t now_ms)
{
	struct hystart h;

	hystart_init(&h, 0);
	for (int i = 0; i < 8; i++)
		hystart_rtt(&h, before_ms * 1000);
	hystart_grow(&h, MSS);
	hystart_over(&h, 1, 2);
	for (int i = 0; i < 8; i++)
		hystart_rtt(&h, now_ms * 1000);
	hystart_grow(&h, MSS);
	return hystart_grow(&h, MSS);
}

START_TEST(queue_is_4_to_16_ms_more)
{
	ck_assert_uint_eq(growth(10, 13), MSS);
	ck_assert_uint_lt(growth(10, 14), MSS);
	ck_assert_uint_eq(growth(80, 89), MSS);
	ck_assert_uint_lt(growth(80, 90), MSS);
	ck_assert_uint_eq(growth(400, 415), MSS);
	ck_assert_uint_lt(growth(400, 416), MSS);
}
END_TEST

/* Less is in flight than what the goal is. */
static uint32_t let_out(bool advanced, uint32_t newly_lost)
{
	struct prr p = {.flight = 100 * MSS};
	const struct ack_sample s = {.arrived = 3 * MSS,
				     .in_flight = 20 * MSS,
				     .advanced = advanced,
				     .newly_lost = newly_lost};

	return prr_window(&p, &s, 70 * MSS, 0, MSS) - s.in_flight;
}

START_TEST(only_an_ack_without_further_loss_lets_out_more_than_arrived)
{
	ck_assert_uint_eq(let_out(true, 0), 4 * MSS);
	ck_assert_uint_eq(let_out(true, MSS), 3 * MSS);
	ck_assert_uint_eq(let_out(false, 0), 3 * MSS);
}
END_TEST

/* One segment is acknowledged after 50 ms; another, sent 100 ms after it, after
 * so long. Returns how many would come in a second. */
static uint64_t rate_of(uint32_t rtt_ms, uint32_t min_rtt_ms)
{
	struct rate r = {0};
	struct rate_note first, second;
	struct rate_probe probe = {0};
	struct ack_sample s = {0};

	now_us = 1000 * SECOND;
	rate_sent(&r, &first, now_us, 0, MSS);
	rate_delivered(&r, &first, MSS, now_us + 50 * MS, &probe);
	rate_sent(&r, &second, now_us + 100 * MS, MSS, MSS);
	probe.any = false;
	rate_delivered(&r, &second, MSS, now_us + (100 + rtt_ms) * MS, &probe);
	rate_sample(&r, &probe, (uint32_t)(min_rtt_ms * MS), &s);
	return s.rate / MSS;
}

START_TEST(rate_goes_by_the_longer_of_sending_and_arriving)
{
	ck_assert_uint_eq(rate_of(10, 10), 10); /* in 100 ms, not 60 */
	ck_assert_uint_eq(rate_of(50, 10), 10);
	ck_assert_uint_eq(rate_of(150, 10), 5); /* in 200 ms */
}
END_TEST

START_TEST(less_than_a_round_trip_is_no_rate)
{
	ck_assert_uint_eq(rate_of(10, 100), 10);
	ck_assert_uint_eq(rate_of(10, 101), 0);
}
END_TEST

static bool is_limited(struct rate *r, uint32_t bytes)
{
	struct rate_note note;
	struct rate_probe probe = {0};
	struct ack_sample s = {0};

	rate_sent(r, &note, now_us, MSS, bytes);
	rate_delivered(r, &note, bytes, now_us + 50 * MS, &probe);
	rate_sample(r, &probe, 0, &s);
	return s.app_limited;
}

/* Two segments were in flight then. */
START_TEST(rate_is_marked_until_all_from_before_a_pause_arrived)
{
	struct rate r = {0};

	now_us = 1000 * SECOND;
	ck_assert(!is_limited(&r, MSS));
	rate_limited(&r, 2 * MSS);
	ck_assert(is_limited(&r, MSS));
	ck_assert(is_limited(&r, MSS));
	ck_assert(is_limited(&r, MSS));
	ck_assert(!is_limited(&r, MSS));
}
END_TEST

SUITE("curve", t)
{
	tcase_add_test(t, window_follows_the_curve);
	tcase_add_test(t,
		       who_lost_below_the_last_plateau_leaves_room_for_others);
	tcase_add_test(t, plateau_is_the_old_one_after_a_loss_that_was_none);
	tcase_add_test(t, short_round_trip_grows_as_renos);
	tcase_add_test(
		t,
		who_lost_below_the_last_plateau_grows_as_reno_up_to_the_loss);
	tcase_add_test(t, window_grows_by_a_half_a_round_trip_at_most);
	tcase_add_test(t, window_that_is_not_filled_does_not_grow);
	tcase_add_test(t, loss_leaves_two_segments);
	tcase_add_test(t, timeout_of_an_episode_is_no_further_loss);
	tcase_add_test(t, queue_is_4_to_16_ms_more);
	tcase_add_test(
		t, only_an_ack_without_further_loss_lets_out_more_than_arrived);
	tcase_add_test(t, rate_goes_by_the_longer_of_sending_and_arriving);
	tcase_add_test(t, less_than_a_round_trip_is_no_rate);
	tcase_add_test(t, rate_is_marked_until_all_from_before_a_pause_arrived);
}
