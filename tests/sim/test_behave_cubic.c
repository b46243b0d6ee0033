/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_cubic.c - how CUBIC's window shrinks over a recovery (RFC 9937)
 * and how slow start ends (RFC 9406). A segment has 500 bytes. Each test runs
 * over IPv4 and IPv6. */
#include "behave.h"

#define MSS 500u
#define RTT (50 * SIM_MS)
#define NEAR_RTT SIM_MS	 /* nothing is paced */
#define FIRST_WINDOW 10u /* segments */
#define ACKED 30u	 /* two round trips of slow start */
#define FLIGHT 40u	 /* the third one's */
#define GOAL (FLIGHT * 7 / 10)
#define MORE_THAN_ENOUGH (200 * MSS)

static struct peer open_far(int v6, unsigned offer, uint64_t rtt_us,
			    uint32_t len)
{
	struct peer p = peer_new(v6);

	p.mss = MSS;
	p.offer = offer;
	peer_complete_far(&p, rtt_us);
	core_write(&p, len);
	return p;
}

static uint32_t at(uint32_t segment)
{
	return 1 + segment * MSS;
}

/* An ACK for each segment of so many, each as the one before has been heard;
 * returns what came of it, in segments. */
static uint32_t ack_each(struct peer *p, uint32_t from, uint32_t n)
{
	uint32_t sent = 0;

	for (uint32_t i = 1; i <= n; i++) {
		say(p, ACK, 1, at(from + i), 0);
		sent += hear_all(p) / MSS;
	}
	return sent;
}

/* With FLIGHT segments under way, of which ACKED is the first, out of `len`
 * bytes. */
static struct peer in_slow_start(int v6, unsigned offer, uint32_t len)
{
	struct peer p = open_far(v6, offer, NEAR_RTT, len);

	ck_assert_uint_eq(hear_all(&p), FIRST_WINDOW * MSS);
	sim_run(NEAR_RTT);
	ck_assert_uint_eq(ack_each(&p, 0, 10), 20);
	sim_run(NEAR_RTT);
	ck_assert_uint_eq(ack_each(&p, 10, 20), FLIGHT);
	sim_run(NEAR_RTT);
	return p;
}

/* Segments [first, end) of the flight have arrived. */
static uint32_t sack(struct peer *p, uint32_t first, uint32_t end)
{
	const uint32_t edges[] = {at(ACKED + first), at(ACKED + end)};

	say_sack(p, 1, at(ACKED), 1, edges);
	return hear_all(p) / MSS;
}

/* What goes out for so many that arrive. */
static uint32_t share(uint32_t arrived)
{
	return arrived * GOAL / FLIGHT;
}

START_TEST(sent_follows_what_arrives_while_the_window_shrinks)
{
	struct peer p = in_slow_start(_i, OFFER_USUAL, MORE_THAN_ENOUGH);
	uint32_t sent = 0;

	sack(&p, 1, 3);
	for (uint32_t i = 4; i <= FLIGHT; i++) {
		uint32_t now = sack(&p, 1, i), due = share(i - 3);

		ck_assert_uint_le(now, 1);
		sent += now;
		ck_assert_uint_ge(sent + 1, due);
		ck_assert_uint_le(sent, due + 1);
	}
}
END_TEST

START_TEST(what_is_in_flight_after_it_is_the_new_window)
{
	struct peer p = in_slow_start(_i, OFFER_USUAL, MORE_THAN_ENOUGH);
	uint32_t sent = 0;

	for (uint32_t i = 2; i <= FLIGHT; i++)
		sent += sack(&p, 1, i);
	sim_run(NEAR_RTT);
	say(&p, ACK, 1, at(ACKED + FLIGHT), 0);
	sent += hear_all(&p) / MSS;
	/* one of them filled the gap */
	ck_assert_uint_ge(sent - 1, GOAL - 1);
	ck_assert_uint_le(sent - 1, GOAL + 1);
}
END_TEST

/* The first 24 of the flight are lost: what is left is below the goal. */
START_TEST(loss_in_a_lump_does_not_let_out_a_burst)
{
	struct peer p = in_slow_start(_i, OFFER_USUAL, MORE_THAN_ENOUGH);
	uint32_t sent = 0;

	for (uint32_t i = 25; i <= FLIGHT; i++) {
		uint32_t now = sack(&p, 24, i);

		ck_assert_uint_le(now, 2);
		sent += now;
		ck_assert_uint_le(sent, i - 24);
		ck_assert_uint_ge(sent + 1, i - 24);
	}
}
END_TEST

START_TEST(ack_that_moves_on_lets_out_a_segment_more)
{
	struct peer p = in_slow_start(_i, OFFER_USUAL, MORE_THAN_ENOUGH);
	uint32_t acked = ACKED;

	for (uint32_t i = 25; i <= FLIGHT; i++)
		sack(&p, 24, i);
	sim_run(NEAR_RTT);
	for (int i = 0; i < 4; i++) {
		const uint32_t edges[] = {at(ACKED + 24), at(ACKED + FLIGHT)};

		say_sack(&p, 1, at(++acked), 1, edges);
		ck_assert_uint_eq(hear_all(&p), 2 * MSS);
	}
}
END_TEST

START_TEST(peer_without_sack_is_counted_by_its_acks)
{
	struct peer p =
		in_slow_start(_i, OFFER_MSS | OFFER_SCALE, MORE_THAN_ENOUGH);
	uint32_t sent = 0;

	say(&p, ACK, 1, at(ACKED), 0);
	say(&p, ACK, 1, at(ACKED), 0);
	hear_all(&p);
	for (uint32_t arrived = 1; arrived < FLIGHT - 3; arrived++) {
		uint32_t now;

		say(&p, ACK, 1, at(ACKED), 0);
		now = hear_all(&p) / MSS;
		ck_assert_uint_le(now, 1);
		sent += now;
		ck_assert_uint_ge(sent + 1, share(arrived));
		ck_assert_uint_le(sent, share(arrived) + 1);
	}
}
END_TEST

/* Where segments change places, none is lost before the timer says so: then
 * all of them at once. */
START_TEST(timer_that_finds_losses_lets_out_no_burst)
{
	struct peer p = in_slow_start(_i, OFFER_USUAL, MORE_THAN_ENOUGH);
	const uint32_t edges[] = {at(ACKED + 34), at(ACKED + 36)};

	sack(&p, 1, 2);
	say(&p, ACK, 1, at(ACKED + 2), 0);
	sim_run(NEAR_RTT / 8);
	say_sack(&p, 1, at(ACKED + 2), 1, edges);
	hear_all(&p);
	ck_assert_uint_eq(hear_within(&p, NEAR_RTT, NULL)->seq, at(ACKED + 2));
	sim_run(SIM_MS);
	hear_nothing(&p);
}
END_TEST

/* Every second packet is lost, so that of each train a part is: what arrived of
 * them lets out as much, although no train did as a whole. */
START_TEST(parts_of_trains_that_arrive_count)
{
	struct weir_link_conf conf = sim_link_conf();
	uint32_t from = 2 * ACKED + FIRST_WINDOW, sent = 0;
	struct peer p;

	conf.offloads = WEIR_LINK_CSUM | WEIR_LINK_TSO;
	relink(&conf);
	p = in_slow_start(_i, OFFER_USUAL, from * MSS);
	ack_each(&p, ACKED, FLIGHT);
	for (uint32_t i = 0; i < FLIGHT; i += 4)
		core_write(&p, 4 * MSS);
	ck_assert_uint_eq(hear_all(&p), FLIGHT * MSS);
	sim_run(NEAR_RTT);
	for (uint32_t i = 1; i < FLIGHT; i += 2) {
		const uint32_t edges[] = {at(from + i), at(from + i + 1)};

		say_sack(&p, 1, at(from), 1, edges);
		sent += hear_all(&p) / MSS;
	}
	ck_assert_uint_ge(sent, FLIGHT / 2 - 8);
	ck_assert_uint_le(sent, FLIGHT / 2);
}
END_TEST

/* ---- the end of slow start ---- */

#define ROUNDS_OF_CARE 5
#define LONGER (RTT + RTT / 8 + SIM_MS)
#define MANY 4096 /* segments */

/* A peer so far away that acknowledges each segment. */
struct rounds {
	struct peer p;
	uint32_t heard, acked; /* segments */
	uint64_t heard_us[MANY];
};

static void hear_and_answer(struct rounds *r, uint64_t rtt_us)
{
	uint32_t came = hear_all(&r->p) / MSS;

	for (; came; came--)
		r->heard_us[r->heard++ % MANY] = sim.now_us;
	while (r->acked < r->heard &&
	       r->heard_us[r->acked % MANY] + rtt_us <= sim.now_us)
		say(&r->p, ACK, 1, at(++r->acked), 0);
}

/* Returns how much it hears in the time of one, in segments. */
static uint32_t round_trip(struct rounds *r, uint64_t rtt_us)
{
	uint32_t before = r->heard;

	for (uint64_t end_us = sim.now_us + rtt_us; sim.now_us < end_us;) {
		core_fill(&r->p);
		sim_run(SIM_MS / 4);
		hear_and_answer(r, rtt_us);
	}
	return r->heard - before;
}

static struct rounds begun(int v6)
{
	struct rounds r = {
		.p = open_far(v6, OFFER_USUAL, RTT, MORE_THAN_ENOUGH)};

	for (int i = 0; i < 3; i++)
		round_trip(&r, RTT);
	return r;
}

START_TEST(longer_round_trip_slows_the_growth)
{
	struct rounds r = begun(_i);
	uint32_t before, now;

	round_trip(&r, LONGER);
	before = round_trip(&r, LONGER);
	for (int i = 0; i < 2; i++, before = now) {
		now = round_trip(&r, LONGER);
		ck_assert_uint_ge(now, before * 9 / 8);
		ck_assert_uint_le(now, before * 11 / 8);
	}
}
END_TEST

START_TEST(five_careful_rounds_end_slow_start)
{
	struct rounds r = begun(_i);
	uint32_t before = 0, now;

	for (int i = 0; i < ROUNDS_OF_CARE + 2; i++)
		before = round_trip(&r, LONGER);
	/* Not even a shorter round trip takes it back now. */
	for (int i = 0; i < 4; i++, before = now) {
		now = round_trip(&r, RTT);
		ck_assert_uint_le(now, before + before / 10);
	}
}
END_TEST

START_TEST(queue_that_goes_on_to_fill_stops_the_growth)
{
	struct rounds r = begun(_i);
	uint32_t before;

	round_trip(&r, LONGER);
	round_trip(&r, LONGER + RTT / 2);
	before = round_trip(&r, LONGER + RTT / 2);
	ck_assert_uint_le(round_trip(&r, LONGER + RTT / 2), before + 2);
}
END_TEST

START_TEST(jitter_does_not_end_slow_start)
{
	struct rounds r = begun(_i);
	uint32_t before, now;

	round_trip(&r, LONGER);
	round_trip(&r, LONGER);
	round_trip(&r, RTT);
	before = round_trip(&r, RTT);
	now = round_trip(&r, RTT);
	ck_assert_uint_ge(now, 2 * before - 2);
}
END_TEST

START_TEST(less_than_an_eighth_more_is_no_queue)
{
	struct rounds r = begun(_i);
	uint32_t before, now;

	before = round_trip(&r, LONGER - 2 * SIM_MS);
	for (int i = 0; i < 3; i++, before = now) {
		now = round_trip(&r, LONGER - 2 * SIM_MS);
		ck_assert_uint_ge(now, 2 * before - 2);
	}
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		sent_follows_what_arrives_while_the_window_shrinks,
		what_is_in_flight_after_it_is_the_new_window,
		loss_in_a_lump_does_not_let_out_a_burst,
		ack_that_moves_on_lets_out_a_segment_more,
		peer_without_sack_is_counted_by_its_acks,
		timer_that_finds_losses_lets_out_no_burst,
		parts_of_trains_that_arrive_count,
		longer_round_trip_slows_the_growth,
		queue_that_goes_on_to_fill_stops_the_growth,
		five_careful_rounds_end_slow_start,
		jitter_does_not_end_slow_start,
		less_than_an_eighth_more_is_no_queue,
	};

	return BEHAVE_CUBIC_MAIN("cubic", tests);
}
