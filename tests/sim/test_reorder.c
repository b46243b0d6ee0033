/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_reorder.c - what comes ahead of a hole: it is kept in ranges, told of
 * in SACK blocks, and read once the hole is filled. Each test runs over IPv4
 * and IPv6. */
#include "behave.h"

#define UNIT 100u
#define SEVERAL_TRAINS 200000u /* bytes */
#define FIRST_WINDOW (256u * 1024)
#define RANGES_MOST 2048u
#define ROUNDS 60
#define PIECES 200u

/* Bytes [UNIT * i + 1, UNIT * (i + n) + 1) */
static void say_units(struct peer *p, uint32_t i, uint32_t n)
{
	say(p, ACK, UNIT * i + 1, 1, UNIT * n);
}

static void expect_block(const struct heard *h, int i, uint32_t from,
			 uint32_t to)
{
	ck_assert_int_gt(h->sacks, i);
	ck_assert_uint_eq(h->left[i], UNIT * from + 1);
	ck_assert_uint_eq(h->right[i], UNIT * to + 1);
}

static struct heard *hear_last(struct peer *p)
{
	static struct heard last;
	struct heard *h;

	last.any = false;
	while ((h = hear(p))->any)
		last = *h;
	ck_assert(last.any);
	return &last;
}

START_TEST(range_that_changed_last_is_named_first)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say_units(&p, 2, 1);
	say_units(&p, 5, 1);
	say_units(&p, 8, 1);
	say_units(&p, 3, 1);
	h = hear_last(&p);
	ck_assert_int_eq(h->sacks, 3);
	expect_block(h, 0, 2, 4);
	expect_block(h, 1, 8, 9);
	expect_block(h, 2, 5, 6);
}
END_TEST

START_TEST(four_blocks_at_most_three_beside_timestamps)
{
	struct peer p = peer_open(_i), q = peer_new(_i);

	for (uint32_t i = 1; i < 7; i++)
		say_units(&p, 2 * i, 1);
	ck_assert_int_eq(hear_last(&p)->sacks, 4);
	q.path.client_port++;
	q.offer = OFFER_ALL;
	peer_complete(&q);
	for (uint32_t i = 1; i < 7; i++)
		say_units(&q, 2 * i, 1);
	ck_assert_int_eq(hear_last(&q)->sacks, 3);
}
END_TEST

START_TEST(block_that_is_acknowledged_is_named_no_more)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say_units(&p, 1, 1);
	say_units(&p, 3, 1);
	say_units(&p, 0, 1);
	h = hear_last(&p);
	ck_assert_uint_eq(h->ack, 2 * UNIT + 1);
	ck_assert_int_eq(h->sacks, 1);
	expect_block(h, 0, 3, 4);
	say_units(&p, 2, 1);
	h = hear_last(&p);
	ck_assert_uint_eq(h->ack, 4 * UNIT + 1);
	ck_assert_int_eq(h->sacks, 0);
	ck_assert_uint_eq(core_read(&p), 4 * UNIT);
}
END_TEST

START_TEST(part_of_a_hole_is_acknowledged_at_once)
{
	struct peer p = peer_open(_i);

	core_write(&p, 10);
	hear_all(&p);
	for (uint32_t i = 0; i < 40; i++) /* past the first quick ACKs */
		say(&p, ACK, 1000 * i + 1, 11, 1000);
	sim_run(1000 * SIM_MS);
	core_read(&p);
	hear_all(&p);
	say(&p, ACK, 40301, 11, 100);
	ck_assert_uint_eq(hear_last(&p)->ack, 40001);
	say(&p, ACK, 40001, 11, 100);
	ck_assert_uint_eq(hear_last(&p)->ack, 40101);
}
END_TEST

START_TEST(late_segment_whose_copy_came_first_is_told_of)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);
	struct heard *h;

	p.stamp = 2000;
	say_units(&p, 0, 2);
	hear_all(&p);
	p.stamp = 1500;
	say_units(&p, 0, 1);
	h = hear_last(&p);
	ck_assert_int_eq(h->sacks, 1);
	expect_block(h, 0, 0, 1);
}
END_TEST

START_TEST(repeated_bytes_lead_the_blocks_once)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say_units(&p, 0, 1);
	say_units(&p, 2, 2);
	say_units(&p, 0, 1);
	h = hear_last(&p);
	expect_block(h, 0, 0, 1);
	expect_block(h, 1, 2, 4);
	say_units(&p, 3, 1); /* within a range */
	h = hear_last(&p);
	expect_block(h, 0, 3, 4);
	expect_block(h, 1, 2, 4);
	say_units(&p, 6, 1);
	h = hear_last(&p);
	expect_block(h, 0, 6, 7);
	expect_block(h, 1, 2, 4);
	ck_assert_int_eq(h->sacks, 2);
}
END_TEST

START_TEST(segment_over_many_ranges_takes_their_place)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	for (uint32_t i = 1; i < 20; i += 2)
		say_units(&p, i, 1);
	say(&p, ACK, UNIT / 2 + 1, 1, 15 * UNIT);
	h = hear_last(&p);
	ck_assert_uint_eq(h->left[0], UNIT / 2 + 1);
	ck_assert_uint_eq(h->right[0], 16 * UNIT + 1);
	say(&p, ACK, 1, 1, UNIT);
	ck_assert_uint_eq(hear_last(&p)->ack, 16 * UNIT + 1);
	ck_assert_uint_eq(core_read(&p), 16 * UNIT);
}
END_TEST

START_TEST(segment_in_order_may_reach_into_ranges)
{
	struct peer p = peer_open(_i);

	say_units(&p, 2, 1);
	say_units(&p, 4, 3);
	say(&p, ACK, 1, 1, 5 * UNIT + 30); /* over one, into the next */
	ck_assert_uint_eq(hear_last(&p)->ack, 7 * UNIT + 1);
	ck_assert_uint_eq(core_read(&p), 7 * UNIT);
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
}
END_TEST

START_TEST(any_overlap_gives_every_byte_once)
{
	for (int round = 0; round < ROUNDS; round++) {
		struct peer p = peer_new(_i);
		uint32_t total = PIECES * UNIT, at = 0;

		p.path.client_port = (uint16_t)(2000 + round);
		peer_complete(&p);
		for (uint32_t i = 0; i < PIECES; i++) {
			uint32_t from = (uint32_t)(sim_random() * total);
			uint32_t len = 1 + (uint32_t)(sim_random() * 900);

			if (from + len > total)
				len = total - from;
			say(&p, ACK, from + 1, 1, len);
			core_read(&p);
			hear_all(&p);
		}
		for (; at < total; at += 700)
			say(&p, ACK, at + 1, 1,
			    total - at < 700 ? total - at : 700);
		core_read(&p);
		ck_assert_uint_eq(p.read, total);
		ck_assert_uint_eq(hear_last(&p)->ack, total + 1);
		ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
	}
}
END_TEST

START_TEST(early_fin_has_its_place_and_its_block)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, FIN | ACK, 3 * UNIT + 1, 1, 0);
	h = hear_last(&p);
	ck_assert_uint_eq(h->left[0], 3 * UNIT + 1);
	ck_assert_uint_eq(h->right[0], 3 * UNIT + 2);
	say_units(&p, 2, 1);
	h = hear_last(&p);
	ck_assert_int_eq(h->sacks, 1);
	ck_assert_uint_eq(h->left[0], 2 * UNIT + 1);
	ck_assert_uint_eq(h->right[0], 3 * UNIT + 2);
	say_units(&p, 4, 1); /* nothing can be behind it */
	say_units(&p, 0, 2);
	ck_assert_uint_eq(hear_last(&p)->ack, 3 * UNIT + 2);
	ck_assert_uint_eq(core_read(&p), 3 * UNIT);
	ck_assert(core_eof(&p));
}
END_TEST

START_TEST(early_fin_may_come_again_in_order)
{
	struct peer p = peer_open(_i);

	say(&p, FIN | ACK, UNIT + 1, 1, UNIT);
	say(&p, FIN | ACK, 1, 1, 2 * UNIT);
	ck_assert_uint_eq(hear_last(&p)->ack, 2 * UNIT + 2);
	ck_assert_uint_eq(core_read(&p), 2 * UNIT);
	ck_assert(core_eof(&p));
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
}
END_TEST

START_TEST(early_fin_ends_each_closing_state)
{
	struct peer p = peer_open(_i);

	reach_fin_wait_2(&p);
	say(&p, FIN | ACK, UNIT + 1, 2, 0);
	say(&p, ACK, 1, 2, UNIT);
	ck_assert_uint_eq(hear_last(&p)->ack, UNIT + 2);
	ck_assert_uint_eq(core_read(&p), UNIT);
	ck_assert(core_eof(&p));
	sim_close(p.end, 0);
	sim_run(10000 * SIM_MS);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(nothing_beyond_the_window_is_kept)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, ACK, FIRST_WINDOW - UNIT + 2, 1, UNIT); /* one byte over */
	h = hear_last(&p);
	ck_assert_int_eq(h->sacks, 0);
	say(&p, ACK, FIRST_WINDOW + 1, 1, UNIT);
	ck_assert_int_eq(hear_last(&p)->sacks, 0);
	say(&p, FIN | ACK, FIRST_WINDOW - UNIT + 1, 1, UNIT);
	ck_assert_int_eq(hear_last(&p)->sacks, 0);
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
	say(&p, ACK, FIRST_WINDOW - UNIT + 1, 1, UNIT);
	ck_assert_int_eq(hear_last(&p)->sacks, 1);
}
END_TEST

START_TEST(word_of_a_segment_ahead_counts)
{
	struct peer p = peer_open(_i);

	core_write(&p, 50);
	hear_all(&p);
	say(&p, ACK, UNIT + 1, 51, UNIT); /* it acknowledges what we sent */
	hear_all(&p);
	sim_run(5000 * SIM_MS);
	hear_nothing(&p);
}
END_TEST

START_TEST(thousands_of_holes_are_bounded)
{
	struct peer p = peer_open(_i);
	uint32_t n = RANGES_MOST + 500, i;

	for (i = n; i > 0; i--) {
		say(&p, ACK, 20 * i + 1, 1, 10);
		ck_assert(hear(&p)->any);
		hear_all(&p);
	}
	ck_assert_uint_gt(sim_counter("memory_dropped"), 0);
	ck_assert_uint_lt(sim_counter("memory_bytes"), RANGES_MOST * 200);
	for (i = 0; i < n + 1; i++) {
		say(&p, ACK, 20 * i + 1, 1, 20);
		core_read(&p);
		hear_all(&p);
	}
	ck_assert_uint_eq(p.read, 20 * (n + 1));
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
}
END_TEST

START_TEST(memory_goes_with_the_connection)
{
	struct peer p = peer_open(_i);

	for (uint32_t i = 1; i < 500; i++)
		say_units(&p, 2 * i, 1);
	ck_assert_uint_gt(sim_counter("memory_bytes"), 0);
	say(&p, RST, 1, 0, 0);
	ck_assert_uint_eq(sim_counter("memory_bytes"), 0);
}
END_TEST

START_TEST(burst_is_acknowledged_once_but_a_hole_at_once)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	p.bursts = true;
	for (uint32_t i = 0; i < 20; i++)
		say_units(&p, i, 1);
	hear_nothing(&p);
	burst_end();
	ck_assert_uint_eq(hear(&p)->ack, 20 * UNIT + 1);
	hear_nothing(&p);
	say_units(&p, 21, 4);
	say_units(&p, 31, 1);
	say_units(&p, 25, 5);
	say_units(&p, 32, 8);
	burst_end();
	ck_assert_int_eq(hear(&p)->sacks, 1);
	ck_assert_int_eq(hear(&p)->sacks, 2);
	h = hear(&p);
	ck_assert_int_eq(h->sacks, 2);
	expect_block(h, 0, 31, 40);
	expect_block(h, 1, 21, 30);
	hear_nothing(&p);
}
END_TEST

START_TEST(burst_of_several_trains_is_acknowledged_once)
{
	struct peer p = peer_open(_i);

	p.bursts = true;
	for (uint32_t i = 0; i < SEVERAL_TRAINS / UNIT; i++)
		say_units(&p, i, 1);
	hear_nothing(&p);
	burst_end();
	ck_assert_uint_gt(hear(&p)->ack, SEVERAL_TRAINS - UNIT);
	hear_nothing(&p);
}
END_TEST

START_TEST(peer_without_sack_hears_of_each_segment_ahead)
{
	struct peer p = peer_open_with(_i, OFFER_MSS);
	int n = 0;

	p.bursts = true;
	for (uint32_t i = 1; i < 11; i++)
		say(&p, ACK | PSH, UNIT * i + 1, 1, UNIT);
	burst_end();
	for (struct heard *h; (h = hear(&p))->any; n++)
		ck_assert_uint_eq(h->ack, 1);
	ck_assert_int_eq(n, 10);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		range_that_changed_last_is_named_first,
		four_blocks_at_most_three_beside_timestamps,
		block_that_is_acknowledged_is_named_no_more,
		part_of_a_hole_is_acknowledged_at_once,
		late_segment_whose_copy_came_first_is_told_of,
		repeated_bytes_lead_the_blocks_once,
		segment_over_many_ranges_takes_their_place,
		segment_in_order_may_reach_into_ranges,
		any_overlap_gives_every_byte_once,
		early_fin_has_its_place_and_its_block,
		early_fin_may_come_again_in_order,
		early_fin_ends_each_closing_state,
		nothing_beyond_the_window_is_kept,
		word_of_a_segment_ahead_counts,
		thousands_of_holes_are_bounded,
		memory_goes_with_the_connection,
		burst_is_acknowledged_once_but_a_hole_at_once,
		burst_of_several_trains_is_acknowledged_once,
		peer_without_sack_hears_of_each_segment_ahead,
	};

	return BEHAVE_MAIN("reorder", tests);
}
