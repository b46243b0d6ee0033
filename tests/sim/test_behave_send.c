/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_send.c - how the stack repairs loss, behaviour by behaviour:
 * SACK, RACK, the probe of the tail, the timeout. The round trip is 50 ms and
 * a segment 1000 bytes. Each test runs over IPv4 and IPv6. */
#include "behave.h"

#include <errno.h>

#define MSS FAR_MSS
#define RTT FAR_RTT
#define PACED (20 * SIM_MS) /* in which a flight may be spread */
#define RTO_LEAST (200 * SIM_MS)
#define RTO_MOST (60000 * SIM_MS)

/* It would arrive now. */
static void flight(struct peer *p, uint32_t segments)
{
	peer_flight(p, segments, PACED);
}

static uint32_t at(uint32_t segment)
{
	return 1 + segment * MSS;
}

/* The peer has segments [first, end) and all below `ack`. */
static void sack(struct peer *p, uint32_t ack, uint32_t first, uint32_t end)
{
	const uint32_t edges[] = {at(first), at(end)};

	say_sack(p, 1, at(ack), 1, edges);
}

static void stays_quiet(struct peer *p)
{
	sim_run(5000 * SIM_MS);
	hear_nothing(p);
}

/* A segment is heard, one of many, in a second. */
static void is_resent(struct peer *p, uint32_t segment)
{
	struct heard *h = hear_within(p, 1000 * SIM_MS, NULL);

	ck_assert(h->any);
	ck_assert_uint_eq(h->seq, at(segment));
	ck_assert_uint_eq(h->len, MSS);
}

START_TEST(hole_is_filled_once)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 10);
	sack(&p, 0, 1, 2);
	sack(&p, 0, 1, 3);
	hear_nothing(&p);
	for (uint32_t end = 4; end <= 10; end++)
		sack(&p, 0, 1, end);
	is_resent(&p, 0);
	sim_run(RTT);
	hear_nothing(&p);
	say(&p, ACK, 1, at(10), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(every_hole_is_filled_and_nothing_else)
{
	const uint32_t edges[] = {at(1), at(3), at(4), at(6), at(7), at(10)};
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 10);
	say_sack(&p, 1, at(0), 3, edges);
	is_resent(&p, 0);
	is_resent(&p, 3);
	is_resent(&p, 6);
	hear_nothing(&p);
	sim_run(RTT - PACED);
	say(&p, ACK, 1, at(10), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(partial_ack_goes_on_to_the_next_hole)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 10);
	sack(&p, 0, 1, 4);
	is_resent(&p, 0);
	sim_run(RTT);
	sack(&p, 4, 5, 10);
	is_resent(&p, 4);
	hear_nothing(&p);
	say(&p, ACK, 1, at(10), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(repair_that_is_lost_is_repeated)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 10);
	sack(&p, 0, 1, 10);
	is_resent(&p, 0);
	is_resent(&p, 0);
	say(&p, ACK, 1, at(10), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(slight_reordering_is_not_a_loss)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 10);
	sack(&p, 0, 1, 2);
	sack(&p, 0, 1, 3);
	say(&p, ACK, 1, at(3), 0);
	hear_nothing(&p);
	say(&p, ACK, 1, at(10), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(known_reordering_is_given_time)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 10);
	sack(&p, 0, 1, 3);
	say(&p, ACK, 1, at(10), 0); /* it was only late */
	flight(&p, 10);
	sack(&p, 10, 11, 14);
	hear_nothing(&p);
	sim_run(RTT / 50);
	hear_nothing(&p);
	say(&p, ACK, 1, at(20), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(loss_is_repaired_where_reordering_is_known)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 10);
	sack(&p, 0, 1, 3);
	say(&p, ACK, 1, at(10), 0);
	flight(&p, 10);
	sack(&p, 10, 11, 20);
	is_resent(&p, 10);
	say(&p, ACK, 1, at(20), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(spurious_repair_is_undone)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 10);
	sack(&p, 0, 1, 5);
	is_resent(&p, 0);
	/* Sooner than the repair can have been there and back. */
	sim_run(RTT / 10);
	say(&p, ACK, 1, at(10), 0);
	flight(&p, 10);
	say(&p, ACK, 1, at(20), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(dsack_is_taken_in_calm)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 5);
	sack(&p, 5, 0, 1);
	stays_quiet(&p);
	flight(&p, 5);
	say(&p, ACK, 1, at(10), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(senseless_sack_blocks_are_ignored)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 5);
	sack(&p, 0, 50, 60); /* never sent */
	sack(&p, 0, 4, 2);   /* backwards */
	sack(&p, 0, 3, 3);   /* empty */
	hear_nothing(&p);
	say(&p, ACK, 1, at(5), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(sack_of_a_part_of_a_segment_does_not_count)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	const uint32_t edges[] = {at(1) + 100, at(2) - 100};

	flight(&p, 2);
	say_sack(&p, 1, at(0), 1, edges);
	is_resent(&p, 1); /* the probe */
	say(&p, ACK, 1, at(2), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(lost_tail_is_probed_before_the_timeout)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint64_t begun_us = sim.now_us;

	flight(&p, 5);
	is_resent(&p, 4);
	ck_assert_uint_ge(sim.now_us - begun_us, 2 * RTT);
	ck_assert_uint_le(sim.now_us - begun_us, RTO_LEAST);
	say(&p, ACK, 1, at(5), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(probe_of_the_tail_finds_what_is_lost_before_it)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 5);
	is_resent(&p, 4);
	sim_run(RTT);
	sack(&p, 1, 4, 5);
	is_resent(&p, 1);
	is_resent(&p, 2); /* as many as have arrived */
	sim_run(RTT);
	sack(&p, 2, 4, 5);
	is_resent(&p, 3);
	say(&p, ACK, 1, at(5), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(delayed_ack_of_the_peer_causes_no_probe)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	for (uint32_t i = 0; i < 5; i++) {
		flight(&p, 1);
		sim_run(40 * SIM_MS);
		hear_nothing(&p);
		say(&p, ACK, 1, at(i + 1), 0);
	}
	stays_quiet(&p);
}
END_TEST

START_TEST(timeout_is_at_least_200_ms_and_doubles_up_to_a_minute)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint64_t after_us, before_us = 0;
	int timeouts = 0;

	flight(&p, 1);
	is_resent(&p, 0); /* the probe */
	while (hear_within(&p, 2 * RTO_MOST, &after_us)->any) {
		if (p.end->failed)
			break;
		ck_assert_uint_ge(after_us, RTO_LEAST);
		ck_assert_uint_le(after_us, RTO_MOST + 100 * SIM_MS);
		if (before_us && after_us < RTO_MOST) {
			ck_assert_uint_ge(after_us, before_us * 19 / 10);
			ck_assert_uint_le(after_us, before_us * 21 / 10);
		}
		before_us = after_us;
		timeouts++;
		hear_all(&p); /* it comes in pieces while a black hole is
				 looked for */
	}
	ck_assert_int_ge(timeouts, 8);
	ck_assert_uint_ge(before_us, RTO_MOST - 100 * SIM_MS);
	ck_assert_int_eq(p.end->failed, ETIMEDOUT);
}
END_TEST

START_TEST(answer_ends_the_doubling)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 1);
	sim_run(20000 * SIM_MS);
	hear_all(&p);
	say(&p, ACK, 1, at(1), 0);
	stays_quiet(&p);
	flight(&p, 1);
	is_resent(&p, 1);
}
END_TEST

START_TEST(late_ack_ends_a_timeout)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 5);
	sim_run(600 * SIM_MS);
	ck_assert_uint_gt(hear_all(&p), 0);
	say(&p, ACK, 1, at(5), 0);
	stays_quiet(&p);
	core_write(&p, MSS);
	ck_assert_uint_eq(hear(&p)->seq, at(5));
}
END_TEST

START_TEST(after_a_timeout_all_is_sent_again_bit_by_bit)
{
	struct peer p = peer_open_far(_i, OFFER_MSS, 0);
	uint32_t acked = 0, bytes;

	flight(&p, 10);
	while (acked < 10) {
		struct heard *h = hear_within(&p, 5000 * SIM_MS, NULL);

		ck_assert(h->any);
		if (h->seq != at(acked))
			continue;
		sim_run(RTT);
		bytes = hear_all(&p);
		ck_assert_uint_lt(bytes, 10 * MSS);
		acked += 1 + bytes / MSS;
		if (acked > 10)
			acked = 10;
		say(&p, ACK, 1, at(acked), 0);
	}
	stays_quiet(&p);
}
END_TEST

START_TEST(loss_is_repaired_without_sack)
{
	struct peer p = peer_open_far(_i, OFFER_MSS | OFFER_SCALE, 0);
	struct heard *h;

	flight(&p, 5);
	for (int i = 0; i < 4; i++)
		say(&p, ACK, 1, at(0), 0);
	do
		h = hear_within(&p, 1000 * SIM_MS, NULL);
	while (h->any && h->seq != at(0));
	ck_assert(h->any);
	say(&p, ACK, 1, at(5), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(third_duplicate_ack_stands_in_for_sack)
{
	struct peer p = peer_open_far(_i, OFFER_MSS | OFFER_SCALE, 0);

	flight(&p, 10);
	for (int i = 0; i < 3; i++) /* the first is none */
		say(&p, ACK, 1, at(1), 0);
	hear_nothing(&p);
	say(&p, ACK, 1, at(1), 0);
	ck_assert_uint_eq(hear(&p)->seq, at(1));
	hear_nothing(&p);
	for (int i = 0; i < 5; i++)
		say(&p, ACK, 1, at(1), 0);
	hear_nothing(&p);
	sim_run(RTT);
	say(&p, ACK, 1, at(4), 0);
	is_resent(&p, 4);
	hear_nothing(&p);
	say(&p, ACK, 1, at(10), 0);
	stays_quiet(&p);
}
END_TEST

/* Of ten segments two are lost; what follows goes out meanwhile. */
START_TEST(ack_of_all_before_the_episode_tells_of_no_further_loss)
{
	struct peer p = peer_open_far(_i, OFFER_MSS | OFFER_SCALE, 0);
	uint32_t newest = 0;
	struct heard *h;

	flight(&p, 10);
	for (int i = 0; i < 8; i++)
		say(&p, ACK, 1, at(0), 0);
	sim_run(RTT);
	core_write(&p, 10 * MSS);
	say(&p, ACK, 1, at(4), 0);
	while ((h = hear_within(&p, RTT, NULL))->any)
		newest = h->seq;
	ck_assert_uint_gt(newest, at(9));
	say(&p, ACK, 1, at(10), 0);
	while ((h = hear_within(&p, RTT / 2, NULL))->any)
		ck_assert_uint_gt(h->seq, newest);
}
END_TEST

START_TEST(window_update_is_no_duplicate_ack)
{
	struct peer p = peer_open_far(_i, OFFER_MSS | OFFER_SCALE, 0);

	flight(&p, 5);
	for (int i = 0; i < 4; i++) {
		p.window++;
		say(&p, ACK, 1, at(0), 0);
	}
	hear_nothing(&p);
	say(&p, ACK, 1, at(5), 0);
	stays_quiet(&p);
}
END_TEST

START_TEST(ack_within_a_segment_is_right_too)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);

	flight(&p, 2);
	say(&p, ACK, 1, 501, 0);
	ck_assert(hear_within(&p, 1000 * SIM_MS, NULL)->any);
	say(&p, ACK, 1, at(2), 0);
	stays_quiet(&p);
	core_write(&p, 10);
	ck_assert_uint_eq(hear(&p)->seq, at(2));
}
END_TEST

START_TEST(last_segment_of_a_write_is_pushed)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	struct heard *h;

	core_write(&p, 2 * MSS + 10);
	h = hear_within(&p, PACED, NULL);
	ck_assert_int_eq(h->flags & (PSH | ACK), ACK);
	hear_within(&p, PACED, NULL);
	h = hear_within(&p, PACED, NULL);
	ck_assert_uint_eq(h->len, 10);
	ck_assert_int_eq(h->flags, PSH | ACK);
}
END_TEST

/* What comes one by one is no segment each for ever. */
START_TEST(many_small_writes_wait_for_an_ack_and_go_together)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint32_t segments = 0;

	for (int i = 0; i < 1000; i++)
		core_write(&p, 1);
	sim_run(PACED);
	while (hear(&p)->any)
		segments++;
	ck_assert_uint_ge(segments, 32);
	ck_assert_uint_le(segments, 100);
	say(&p, ACK, 1, 1 + segments, 0);
	ck_assert_uint_eq(hear_within(&p, PACED, NULL)->len, 1000 - segments);
	say(&p, ACK, 1, 1001, 0);
	stays_quiet(&p);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		hole_is_filled_once,
		every_hole_is_filled_and_nothing_else,
		partial_ack_goes_on_to_the_next_hole,
		repair_that_is_lost_is_repeated,
		slight_reordering_is_not_a_loss,
		known_reordering_is_given_time,
		loss_is_repaired_where_reordering_is_known,
		spurious_repair_is_undone,
		dsack_is_taken_in_calm,
		senseless_sack_blocks_are_ignored,
		sack_of_a_part_of_a_segment_does_not_count,
		lost_tail_is_probed_before_the_timeout,
		probe_of_the_tail_finds_what_is_lost_before_it,
		delayed_ack_of_the_peer_causes_no_probe,
		timeout_is_at_least_200_ms_and_doubles_up_to_a_minute,
		answer_ends_the_doubling,
		late_ack_ends_a_timeout,
		after_a_timeout_all_is_sent_again_bit_by_bit,
		loss_is_repaired_without_sack,
		third_duplicate_ack_stands_in_for_sack,
		ack_of_all_before_the_episode_tells_of_no_further_loss,
		window_update_is_no_duplicate_ack,
		ack_within_a_segment_is_right_too,
		last_segment_of_a_write_is_pushed,
		many_small_writes_wait_for_an_ack_and_go_together,
	};

	return BEHAVE_MAIN("behave_send", tests);
}
