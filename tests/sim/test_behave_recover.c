/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_recover.c - how the stack takes back what it wrongly held for
 * lost, and finds what no ACK tells of. The round trip is 50 ms and a segment
 * 1000 bytes. Each test runs over IPv4 and IPv6, with CUBIC and BBR. */
#include "behave.h"

#define MSS FAR_MSS
#define RTT FAR_RTT
#define PACED (45 * SIM_MS) /* in which a flight may be spread */

static uint32_t at(const struct peer *p, uint32_t segment)
{
	return 1 + segment * peer_segment(p);
}

/* It would arrive now. */
static void flight(struct peer *p, uint32_t segments)
{
	peer_flight(p, segments, PACED);
}

static void sack(struct peer *p, uint32_t ack, uint32_t first, uint32_t end)
{
	const uint32_t edges[] = {at(p, first), at(p, end)};

	say_sack(p, 1, at(p, ack), 1, edges);
}

static void is_resent(struct peer *p, uint32_t segment)
{
	struct heard *h = hear_within(p, 1000 * SIM_MS, NULL);

	ck_assert(h->any);
	ck_assert_uint_eq(h->seq, at(p, segment));
}

static void stays_quiet(struct peer *p)
{
	sim_run(5000 * SIM_MS);
	hear_nothing(p);
}

START_TEST(late_segment_is_lost_without_a_further_ack)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint64_t after_us;

	flight(&p, 10);
	sack(&p, 0, 1, 3);
	hear_nothing(&p);
	ck_assert(hear_within(&p, RTT, &after_us)->any);
	ck_assert_uint_le(after_us, RTT / 2);
	say(&p, ACK, 1, at(&p, 10), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(tail_is_lost_where_what_was_resent_after_it_arrives)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint64_t after_us;

	flight(&p, 10);
	sack(&p, 0, 1, 7);
	is_resent(&p, 0);
	sim_run(RTT);
	say(&p, ACK, 1, at(&p, 7), 0);
	ck_assert_uint_eq(hear_within(&p, RTT, &after_us)->seq, at(&p, 7));
	ck_assert_uint_le(after_us, RTT / 2);
	hear_all(&p);
	say(&p, ACK, 1, at(&p, 10), 0);
	stays_quiet(&p);
}
END_TEST

/* Resent, and the peer says that it had it already. */
static void resend_in_vain(struct peer *p, uint32_t base)
{
	flight(p, 10);
	sack(p, base, base + 1, base + 10);
	is_resent(p, base);
	sim_run(RTT);
	sack(p, base + 10, base, base + 1);
	hear_all(p);
}

START_TEST(resending_in_vain_widens_the_reorder_window)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint64_t first_us, later_us;

	resend_in_vain(&p, 0);
	flight(&p, 10);
	sack(&p, 10, 11, 20);
	ck_assert(hear_within(&p, 10 * RTT, &first_us)->any);
	sim_run(RTT);
	sack(&p, 20, 10, 11);
	hear_all(&p);
	flight(&p, 10);
	sack(&p, 20, 21, 30);
	ck_assert(hear_within(&p, 10 * RTT, &later_us)->any);
	ck_assert_uint_gt(later_us, first_us + RTT / 8);
	say(&p, ACK, 1, at(&p, 30), 0);
	stays_quiet(&p);
}
END_TEST

/* How much goes out at once when there is much to say. */
static uint32_t window_now(struct peer *p)
{
	core_write(p, 100 * MSS);
	sim_run(RTT);
	return hear_all(p);
}

START_TEST(window_is_given_back_where_all_was_resent_in_vain)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	resend_in_vain(&p, 0);
	ck_assert_uint_ge(window_now(&p), 10 * MSS);
}
END_TEST

/* Of the first two of ten segments copies have come. */
static struct peer with_two_copies(int v6)
{
	struct peer p = peer_open_far(v6, OFFER_USUAL, 0);

	flight(&p, 10);
	sack(&p, 0, 2, 10);
	is_resent(&p, 0);
	is_resent(&p, 1);
	sim_run(RTT);
	return p;
}

/* That of the second is told of while the first is missing still. */
START_TEST(copy_that_came_beyond_a_hole_is_known_for_one)
{
	struct peer p = with_two_copies(_i);

	say_sack(&p, 1, at(&p, 0), 2,
		 (uint32_t[]){at(&p, 1), at(&p, 2), at(&p, 1), at(&p, 10)});
	sack(&p, 10, 0, 1);
	ck_assert_uint_ge(window_now(&p), 10 * MSS);
}
END_TEST

START_TEST(window_stays_where_not_all_was_resent_in_vain)
{
	struct peer p = with_two_copies(_i);

	sack(&p, 10, 1, 2);
	if (sim_congestion == SIM_CUBIC) /* BBR's does not shrink for two */
		ck_assert_uint_lt(window_now(&p), 10 * MSS);
}
END_TEST

/* So late that the copy may have been there and back: only the stamp tells. */
START_TEST(late_segment_is_told_from_its_copy_by_its_timestamp)
{
	struct peer p = peer_open_far(_i, OFFER_ALL, 0);
	uint32_t first;

	core_write(&p, 10 * peer_segment(&p));
	first = hear_within(&p, PACED, NULL)->stamp;
	sim_run(PACED + RTT);
	hear_all(&p);
	sack(&p, 0, 1, 10);
	is_resent(&p, 0);
	sim_run(RTT);
	p.echo = first;
	say(&p, ACK, 1, at(&p, 10), 0);
	flight(&p, 10);
	sack(&p, 10, 11, 14);
	hear_nothing(&p); /* it is given time: segments change places here */
	say(&p, ACK, 1, at(&p, 20), 0);
	ck_assert_uint_ge(window_now(&p), 10 * peer_segment(&p));
}
END_TEST

/* The second begins before the peer has said that the first was none. */
START_TEST(two_episodes_in_vain_are_taken_back_together)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 10);
	sack(&p, 0, 1, 10);
	is_resent(&p, 0);
	sim_run(RTT);
	say(&p, ACK, 1, at(&p, 10), 0);
	flight(&p, 5);
	sack(&p, 10, 11, 15);
	is_resent(&p, 10);
	sack(&p, 10, 0, 1);
	sim_run(RTT);
	sack(&p, 15, 10, 11);
	hear_all(&p);
	ck_assert_uint_ge(window_now(&p), 10 * MSS);
}
END_TEST

/* Write all it takes: returns how much comes within the time. */
static uint32_t full_flight(struct peer *p, uint32_t *sent, uint64_t us)
{
	uint32_t came;

	core_fill(p);
	sim_run(us);
	came = hear_all(p);
	*sent += came;
	return came;
}

/* Most of the train was there already; the peer says so, a piece at a time. */
START_TEST(train_sent_again_does_not_widen_the_reorder_window)
{
	struct weir_link_conf conf = sim_link_conf();
	struct peer p;

	conf.offloads = WEIR_LINK_CSUM | WEIR_LINK_TSO;
	relink(&conf);
	p = peer_open_far(_i, OFFER_USUAL, 0);
	flight(&p, 10);
	say(&p, ACK, 1, at(&p, 10), 0);
	flight(&p, 10);
	flight(&p, 10);
	sack(&p, 14, 15, 30);
	ck_assert(hear_within(&p, RTT, NULL)->any);
	sim_run(PACED);
	hear_all(&p);
	sim_run(RTT);
	sack(&p, 30, 15, 16);
	sack(&p, 30, 16, 17);
	hear_all(&p);
	flight(&p, 10);
	sack(&p, 30, 34, 40);
	ck_assert(hear_within(&p, RTT / 10, NULL)->any);
}
END_TEST

START_TEST(loss_that_a_burst_tells_of_is_resent_before_anything_new)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint32_t sent;

	core_write(&p, 30 * MSS);
	sim_run(RTT);
	sent = hear_all(&p);
	ck_assert_uint_ge(sent, 10 * MSS);
	ck_assert_uint_lt(sent, 30 * MSS);
	p.bursts = true;
	say(&p, ACK, 1, at(&p, 4), 0);
	sack(&p, 4, 5, 10);
	burst_end();
	is_resent(&p, 4);
}
END_TEST

START_TEST(core_may_write_on_while_a_gap_is_filled)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint32_t sent = 0, came;

	for (int i = 0; full_flight(&p, &sent, RTT / 10) < 200 * MSS; i++) {
		ck_assert_int_lt(i, 100);
		say(&p, ACK, 1, 1 + sent, 0);
	}
	say(&p, ACK, 1, 1 + sent, 0);
	came = full_flight(&p, &sent, RTT / 10);
	p.end->events = 0;
	say_sack(&p, 1, 1 + sent - came, 1,
		 (const uint32_t[]){1 + sent - came + MSS, 1 + sent});
	ck_assert(p.end->events & WEIR_WRITABLE);
}
END_TEST

START_TEST(small_window_at_the_start_is_not_the_rate_of_the_path)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint16_t window = p.window;
	uint32_t sent = 0, came = 0;

	p.window = (uint16_t)(8 * MSS >> p.scale);
	say(&p, ACK, 1, 1, 0);
	for (int i = 0; i < 8; i++) {
		came = full_flight(&p, &sent, RTT * 3 / 10);
		sim_run(RTT);
		say(&p, ACK, 1, 1 + sent, 0);
	}
	ck_assert_uint_le(came, 8 * MSS);
	p.window = window;
	for (int i = 0; i < 8; i++) {
		came = full_flight(&p, &sent, PACED);
		sim_run(RTT);
		say(&p, ACK, 1, 1 + sent, 0);
	}
	ck_assert_uint_gt(came, 50 * MSS);
}
END_TEST

START_TEST(reneging_is_survived)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint32_t got = 5;

	flight(&p, 10);
	sack(&p, 0, 5, 10);
	for (uint32_t i = 0; i < 5; i++)
		is_resent(&p, i);
	say(&p, ACK, 1, at(&p, 5), 0); /* and forgets the rest */
	while (got < 10) {
		struct heard *h = hear_within(&p, 5000 * SIM_MS, NULL);

		ck_assert(h->any);
		if (h->seq == at(&p, got))
			say(&p, ACK, 1, at(&p, ++got), 0);
	}
	stays_quiet(&p);
}
END_TEST

/* Nothing for so long that the timeout comes. Returns the stamp from before. */
static uint32_t flight_times_out(struct peer *p)
{
	uint32_t early;

	flight(p, 10);
	early = p->echo;
	is_resent(p, 9); /* the probe */
	is_resent(p, 0);
	return early;
}

/* Everything was only late. */
static void wait_for_the_timeout(struct peer *p)
{
	uint32_t early = flight_times_out(p);

	sim_run(RTT); /* longer than a round trip: only the stamp tells */
	p->echo = early;
}

START_TEST(spurious_timeout_is_seen_by_its_timestamp)
{
	struct peer p = peer_open_far(_i, OFFER_ALL, 0);

	wait_for_the_timeout(&p);
	say(&p, ACK, 1, at(&p, 2), 0);
	sim_run(PACED);
	hear_nothing(&p); /* the eight others are on their way */
	say(&p, ACK, 1, at(&p, 10), 0);
	ck_assert_uint_ge(window_now(&p), 10 * peer_segment(&p));
}
END_TEST

START_TEST(true_timeout_is_not_taken_back)
{
	struct peer p = peer_open_far(_i, OFFER_ALL, 0);
	uint32_t early = flight_times_out(&p);

	ck_assert_uint_ne(p.echo, early);
	sim_run(RTT);
	say(&p, ACK, 1, at(&p, 1), 0);
	is_resent(&p, 1);
	hear_all(&p);
	say(&p, ACK, 1, at(&p, 10), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(quick_ack_does_not_make_a_timeout_spurious)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint64_t after_us;

	flight_times_out(&p);
	sim_run(RTT / 2); /* the path has become shorter */
	say(&p, ACK, 1, at(&p, 1), 0);
	ck_assert_uint_eq(hear_within(&p, RTT, &after_us)->seq, at(&p, 1));
	ck_assert_uint_le(after_us, PACED);
}
END_TEST

/* The probe's copy of the tail counts as lost with all the others. */
START_TEST(what_went_out_twice_before_a_timeout_tells_no_round_trip)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint64_t after_us;

	flight_times_out(&p);
	say(&p, ACK, 1, at(&p, 10), 0);
	hear_all(&p);
	core_write(&p, 2 * MSS);
	sim_run(PACED);
	hear_all(&p);
	ck_assert(hear_within(&p, 1000 * SIM_MS, &after_us)->any);
	/* The next probe comes two round trips after the last segment: nothing
	 * was learnt of the 300 ms since the flight, nor of the 250 since the
	 * probe, which may all have been waiting for what the timeout sent. */
	ck_assert_uint_le(after_us, 2 * RTT - PACED + 10 * SIM_MS);
}
END_TEST

static uint64_t resent_after(struct peer *p, uint32_t segment)
{
	uint64_t after_us, total_us = 0;
	struct heard *h;

	do {
		h = hear_within(p, 1000 * SIM_MS, &after_us);
		total_us += after_us;
	} while (h->any && h->seq != at(p, segment));
	ck_assert(h->any);
	return total_us;
}

/* The peer has no SACK, and the first of each flight is lost. */
START_TEST(what_waits_behind_a_hole_tells_no_round_trip)
{
	struct peer p = peer_open_far(_i, OFFER_MSS, 0);
	uint32_t first = 0;

	for (int i = 0; i < 5; i++, first += 4) {
		core_write(&p, 4 * MSS);
		hear_all(&p);
		ck_assert_uint_lt(resent_after(&p, first), 600 * SIM_MS);
		sim_run(RTT);
		hear_all(&p);
		say(&p, ACK, 1, at(&p, first + 4), 0);
		sim_run(1000 * SIM_MS);
		hear_all(&p);
	}
}
END_TEST

START_TEST(lost_first_flight_says_nothing_of_the_rate)
{
	struct peer p = peer_open(_i);

	uint32_t got = 1;
	struct heard *h;

	core_write(&p, 10 * MSS);
	hear_all(&p);
	while ((h = hear_within(&p, 500 * SIM_MS, NULL))->seq != got)
		;
	for (; h->any; h = hear_within(&p, PACED, NULL)) {
		if (h->seq != got)
			continue;
		got += h->len;
		say(&p, ACK, 1, got, 0);
	}
	ck_assert_uint_eq(got, 1 + 10 * MSS);
}
END_TEST

/* Nothing is taken for arrived by them; the third ACK repeated tells. */
START_TEST(blocks_of_a_peer_that_offered_none_say_nothing)
{
	struct peer p = peer_open_far(_i, OFFER_MSS, 0);

	flight(&p, 2);
	sack(&p, 0, 1, 2);
	for (int i = 0; i < 5; i++)
		say(&p, ACK, 1, at(&p, 2) - 1, 0);
	hear_within(&p, 5000 * SIM_MS, NULL);
	say(&p, ACK, 1, at(&p, 2), 0);
	stays_quiet(&p);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		late_segment_is_lost_without_a_further_ack,
		tail_is_lost_where_what_was_resent_after_it_arrives,
		resending_in_vain_widens_the_reorder_window,
		window_is_given_back_where_all_was_resent_in_vain,
		copy_that_came_beyond_a_hole_is_known_for_one,
		window_stays_where_not_all_was_resent_in_vain,
		late_segment_is_told_from_its_copy_by_its_timestamp,
		two_episodes_in_vain_are_taken_back_together,
		train_sent_again_does_not_widen_the_reorder_window,
		loss_that_a_burst_tells_of_is_resent_before_anything_new,
		core_may_write_on_while_a_gap_is_filled,
		small_window_at_the_start_is_not_the_rate_of_the_path,
		reneging_is_survived,
		blocks_of_a_peer_that_offered_none_say_nothing,
		spurious_timeout_is_seen_by_its_timestamp,
		true_timeout_is_not_taken_back,
		quick_ack_does_not_make_a_timeout_spurious,
		what_went_out_twice_before_a_timeout_tells_no_round_trip,
		what_waits_behind_a_hole_tells_no_round_trip,
		lost_first_flight_says_nothing_of_the_rate,
	};

	return BEHAVE_MAIN("recover", tests);
}
