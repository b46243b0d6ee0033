/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_receive.c - what the stack does with what it is sent, behaviour
 * by behaviour: order, repetition, windows, ACKs and timestamps. Each test
 * runs over IPv4 and IPv6. */
#include "behave.h"

#define MSS 1000u
#define DELAYED_ACK (40 * SIM_MS)
#define FIRST_WINDOW (256u * 1024)

/* Past the first bytes, which are acknowledged at once. */
static uint32_t warm_up(struct peer *p)
{
	uint32_t at = 1;

	for (int i = 0; i < 100; i++, at += MSS) {
		say(p, ACK, at, 1, MSS);
		core_read(p);
	}
	sim_run(1000 * SIM_MS);
	hear_all(p);
	return at;
}

START_TEST(segment_out_of_order_is_kept_and_told_of)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, ACK, 101, 1, 100);
	h = hear(&p);
	ck_assert_uint_eq(h->ack, 1);
	ck_assert_int_eq(h->sacks, 1);
	ck_assert_uint_eq(h->left[0], 101);
	ck_assert_uint_eq(h->right[0], 201);
	ck_assert_uint_eq(core_read(&p), 0);
	say(&p, ACK, 1, 1, 100);
	h = hear(&p);
	ck_assert_uint_eq(h->ack, 201);
	ck_assert_int_eq(h->sacks, 0);
	ck_assert_uint_eq(core_read(&p), 200);
}
END_TEST

START_TEST(each_hole_has_its_sack_block_newest_first)
{
	struct peer p = peer_open(_i);
	struct heard *h = NULL;

	for (uint32_t i = 1; i <= 3; i++) {
		say(&p, ACK, 200 * i + 1, 1, 100);
		h = hear(&p);
	}
	ck_assert_int_eq(h->sacks, 3);
	ck_assert_uint_eq(h->left[0], 601);
	ck_assert_uint_eq(h->left[1], 401);
	ck_assert_uint_eq(h->left[2], 201);
	ck_assert_uint_eq(h->right[2], 301);
}
END_TEST

START_TEST(filled_hole_joins_its_sack_blocks)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, ACK, 201, 1, 100);
	say(&p, ACK, 401, 1, 100);
	say(&p, ACK, 301, 1, 100);
	hear(&p);
	hear(&p);
	h = hear(&p);
	ck_assert_int_eq(h->sacks, 1);
	ck_assert_uint_eq(h->left[0], 201);
	ck_assert_uint_eq(h->right[0], 501);
}
END_TEST

START_TEST(many_holes_fill_in_any_order)
{
	static const uint32_t order[] = {7, 3, 9, 1, 5, 8, 2, 6, 4, 0};
	struct peer p = peer_open(_i);

	for (int i = 0; i < 10; i++)
		say(&p, ACK, order[i] * 100 + 1, 1, 100);
	ck_assert_uint_eq(core_read(&p), 1000);
}
END_TEST

START_TEST(duplicate_segment_is_acknowledged_and_not_read_twice)
{
	struct peer p = peer_open(_i);

	say(&p, ACK, 1, 1, 100);
	hear_all(&p);
	say(&p, ACK, 1, 1, 100);
	ck_assert_uint_eq(hear(&p)->ack, 101);
	ck_assert_uint_eq(core_read(&p), 100);
}
END_TEST

START_TEST(new_part_of_an_overlapping_segment_is_taken)
{
	struct peer p = peer_open(_i);

	say(&p, ACK, 1, 1, 100);
	say(&p, ACK, 51, 1, 100);
	ck_assert_uint_eq(core_read(&p), 150);
	say(&p, ACK, 1, 1, 500);
	ck_assert_uint_eq(core_read(&p), 350);
}
END_TEST

START_TEST(segments_that_overlap_out_of_order_fit_together)
{
	struct peer p = peer_open(_i);

	say(&p, ACK, 151, 1, 100);
	say(&p, ACK, 101, 1, 100);
	say(&p, ACK, 201, 1, 100);
	ck_assert_uint_eq(core_read(&p), 0);
	say(&p, ACK, 1, 1, 120);
	ck_assert_uint_eq(core_read(&p), 300);
}
END_TEST

START_TEST(large_segment_replaces_small_ones_out_of_order)
{
	struct peer p = peer_open(_i);

	say(&p, ACK, 201, 1, 50);
	say(&p, ACK, 301, 1, 50);
	say(&p, ACK, 101, 1, 400);
	say(&p, ACK, 1, 1, 100);
	ck_assert_uint_eq(core_read(&p), 500);
}
END_TEST

START_TEST(segment_beyond_the_window_is_acknowledged_and_dropped)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, ACK, FIRST_WINDOW + 1000, 1, 100);
	h = hear(&p);
	ck_assert_uint_eq(h->ack, 1);
	ck_assert_int_eq(h->sacks, 0);
}
END_TEST

START_TEST(old_ack_changes_nothing)
{
	struct peer p = peer_open(_i);

	core_write(&p, 100);
	hear_all(&p);
	say(&p, ACK, 1, 101, 0);
	say(&p, ACK, 1, 51, 0);
	sim_run(5000 * SIM_MS);
	hear_nothing(&p);
	core_write(&p, 10);
	ck_assert_uint_eq(hear(&p)->seq, 101);
}
END_TEST

START_TEST(ack_of_what_was_never_sent_changes_nothing)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	core_write(&p, 100);
	hear_all(&p);
	say(&p, ACK, 1, 5000, 0);
	while ((h = hear(&p))->any) {
		ck_assert_int_eq(h->flags, ACK);
		ck_assert_uint_eq(h->seq, 101);
	}
	h = hear_within(&p, 3000 * SIM_MS, NULL);
	ck_assert_uint_eq(h->seq, 1);
	ck_assert_uint_eq(h->len, 100);
}
END_TEST

START_TEST(first_segments_are_acknowledged_at_once)
{
	struct peer p = peer_open(_i);

	say(&p, ACK, 1, 1, 1460);
	ck_assert_uint_eq(hear(&p)->ack, 1461);
}
END_TEST

START_TEST(small_question_is_acknowledged_with_its_answer)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, ACK | PSH, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
	hear_nothing(&p); /* although the window could grow */
	core_write(&p, 20);
	h = hear(&p);
	ck_assert_uint_eq(h->ack, 11);
	ck_assert_uint_eq(h->len, 20);
	say(&p, ACK, 11, 21, 0);
	sim_run(1000 * SIM_MS);
	hear_nothing(&p);
}
END_TEST

/* A sender that holds back what is less than a packet (RFC 896) waits. */
START_TEST(small_question_without_an_answer_is_soon_acknowledged)
{
	struct peer p = peer_open(_i);

	say(&p, ACK | PSH, 1, 1, 10);
	ck_assert_uint_eq(hear_within(&p, ANSWER_US, NULL)->ack, 11);
}
END_TEST

START_TEST(fin_is_acknowledged_with_the_fin_that_answers_it)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, FIN | ACK, 1, 1, 0);
	hear_nothing(&p);
	ck_assert(core_eof(&p));
	core_finish(&p);
	h = hear(&p);
	ck_assert_int_eq(h->flags, FIN | ACK);
	ck_assert_uint_eq(h->ack, 2);
	hear_nothing(&p);
}
END_TEST

START_TEST(lone_segment_is_acknowledged_after_a_delay)
{
	struct peer p = peer_open(_i);
	uint32_t at = warm_up(&p);
	uint64_t after_us;

	say(&p, ACK, at, 1, 10);
	hear_nothing(&p);
	ck_assert_uint_eq(hear_within(&p, 500 * SIM_MS, &after_us)->ack,
			  at + 10);
	ck_assert_uint_ge(after_us, 10 * SIM_MS);
	ck_assert_uint_le(after_us, DELAYED_ACK + 5 * SIM_MS);
}
END_TEST

START_TEST(second_segment_is_acknowledged_at_once)
{
	struct peer p = peer_open(_i);
	uint32_t at = warm_up(&p);

	say(&p, ACK, at, 1, MSS);
	hear_nothing(&p);
	say(&p, ACK, at + MSS, 1, MSS);
	ck_assert_uint_eq(hear(&p)->ack, at + 2 * MSS);
	hear_nothing(&p);
}
END_TEST

START_TEST(large_segment_counts_as_two)
{
	struct peer p = peer_open(_i);
	uint32_t at = warm_up(&p);

	say(&p, ACK, at, 1, 3000);
	ck_assert_uint_eq(hear(&p)->ack, at + 3000);
}
END_TEST

START_TEST(delayed_ack_rides_on_data)
{
	struct peer p = peer_open(_i);
	uint32_t at = warm_up(&p);
	struct heard *h;

	say(&p, ACK, at, 1, 10);
	core_write(&p, 20);
	h = hear(&p);
	ck_assert_uint_eq(h->len, 20);
	ck_assert_uint_eq(h->ack, at + 10);
	say(&p, ACK, at + 10, 21, 0);
	sim_run(500 * SIM_MS);
	hear_nothing(&p);
}
END_TEST

START_TEST(old_timestamp_is_dropped_and_acknowledged)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);
	struct heard *h;

	p.stamp = 2000;
	say(&p, ACK, 1, 1, 100);
	hear_all(&p);
	p.stamp = 1500;
	say(&p, ACK, 101, 1, 100);
	h = hear(&p);
	ck_assert_uint_eq(h->ack, 101);
	ck_assert_uint_eq(core_read(&p), 100);
	p.stamp = 2000;
	say(&p, ACK, 101, 1, 100);
	ck_assert_uint_eq(core_read(&p), 100);
}
END_TEST

START_TEST(timestamps_may_wrap)
{
	struct peer p = peer_new(_i);

	p.offer = OFFER_ALL;
	p.stamp = 0xfffffff0;
	peer_complete(&p);
	say(&p, ACK, 1, 1, 100);
	p.stamp = 16;
	say(&p, ACK, 101, 1, 100);
	ck_assert_uint_eq(core_read(&p), 200);
}
END_TEST

START_TEST(timestamp_of_the_next_expected_byte_is_echoed)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);

	p.stamp = 1111;
	say(&p, ACK, 1, 1, 100);
	ck_assert_uint_eq(hear_within(&p, ANSWER_US, NULL)->echo, 1111);
	p.stamp = 2222; /* behind a hole: not the one to echo */
	say(&p, ACK, 201, 1, 100);
	ck_assert_uint_eq(hear(&p)->echo, 1111);
}
END_TEST

START_TEST(urgent_data_is_data)
{
	struct peer p = peer_open(_i);

	p.urgent = 5;
	say(&p, ACK | URG | PSH, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
	p.urgent = 60000; /* beyond the segment */
	say(&p, ACK | URG, 11, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

START_TEST(window_closes_by_what_is_not_read)
{
	struct peer p = peer_open(_i);
	uint32_t at = 1, edge = 0;
	struct heard *h;

	for (int i = 0; i < 100; i++, at += MSS) {
		say(&p, ACK, at, 1, MSS);
		while ((h = hear(&p))->any) {
			uint32_t right = h->ack + ((uint32_t)h->window << 8);

			/* it never moves back, but for what scaling cuts */
			ck_assert_uint_ge(right + 256, edge);
			ck_assert_uint_le(right, FIRST_WINDOW + 1);
			edge = right;
		}
	}
	ck_assert_uint_ge(edge + 256, FIRST_WINDOW);
}
END_TEST

/* Fill the window; what comes beyond it is not taken. */
static uint32_t fill(struct peer *p)
{
	uint32_t at = 1;

	for (; at + MSS <= FIRST_WINDOW + 1; at += MSS)
		say(p, ACK, at, 1, MSS);
	say(p, ACK, at, 1, FIRST_WINDOW + 1 - at);
	hear_all(p);
	return FIRST_WINDOW + 1;
}

START_TEST(probe_of_a_closed_window_is_answered_and_not_taken)
{
	struct peer p = peer_open(_i);
	uint32_t at = fill(&p);
	struct heard *h;

	for (int i = 0; i < 3; i++) {
		say(&p, ACK, at, 1, 1);
		h = hear(&p);
		ck_assert(h->any);
		ck_assert_uint_eq(h->ack, at);
		ck_assert_uint_eq(h->window, 0);
	}
	ck_assert_uint_eq(core_read(&p), FIRST_WINDOW);
	h = hear(&p);
	ck_assert_uint_gt(h->window, 0);
	say(&p, ACK, at, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

START_TEST(closed_window_does_not_open_by_a_few_bytes)
{
	struct peer p = peer_open(_i);
	uint32_t taken = MSS;

	fill(&p);
	sim_run(1000 * SIM_MS);
	hear_all(&p);
	p.end->stream->consume(p.end->self, MSS);
	hear_nothing(&p);
	say(&p, ACK, FIRST_WINDOW + 1, 1, 1);
	ck_assert_uint_eq(hear(&p)->window, 0);
	for (; !tun.out && taken < FIRST_WINDOW; taken += MSS)
		p.end->stream->consume(p.end->self, MSS);
	ck_assert_uint_ge(taken, FIRST_WINDOW / 4);
	ck_assert_uint_le(taken, FIRST_WINDOW / 4 + MSS);
}
END_TEST

START_TEST(window_without_scaling_is_64_kb_at_most)
{
	struct peer p = peer_open_with(_i, OFFER_MSS);
	uint32_t at = 1;

	for (; at < 60000; at += MSS)
		say(&p, ACK, at, 1, MSS);
	hear_all(&p);
	for (; at < 80000; at += MSS)
		say(&p, ACK, at, 1, MSS);
	ck_assert_uint_eq(core_read(&p), 65535);
}
END_TEST

START_TEST(keepalive_of_the_peer_is_answered)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, ACK, 1, 1, 100);
	hear_all(&p);
	say(&p, ACK, 100, 1, 0);
	h = hear(&p);
	ck_assert(h->any);
	ck_assert_uint_eq(h->ack, 101);
	ck_assert_uint_eq(core_read(&p), 100);
}
END_TEST

START_TEST(ack_alone_is_not_answered)
{
	struct peer p = peer_open(_i);

	for (int i = 0; i < 10; i++)
		say(&p, ACK, 1, 1, 0);
	sim_run(1000 * SIM_MS);
	hear_nothing(&p);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		segment_out_of_order_is_kept_and_told_of,
		each_hole_has_its_sack_block_newest_first,
		filled_hole_joins_its_sack_blocks,
		many_holes_fill_in_any_order,
		duplicate_segment_is_acknowledged_and_not_read_twice,
		new_part_of_an_overlapping_segment_is_taken,
		segments_that_overlap_out_of_order_fit_together,
		large_segment_replaces_small_ones_out_of_order,
		segment_beyond_the_window_is_acknowledged_and_dropped,
		old_ack_changes_nothing,
		ack_of_what_was_never_sent_changes_nothing,
		first_segments_are_acknowledged_at_once,
		small_question_is_acknowledged_with_its_answer,
		small_question_without_an_answer_is_soon_acknowledged,
		fin_is_acknowledged_with_the_fin_that_answers_it,
		lone_segment_is_acknowledged_after_a_delay,
		second_segment_is_acknowledged_at_once,
		large_segment_counts_as_two,
		delayed_ack_rides_on_data,
		old_timestamp_is_dropped_and_acknowledged,
		timestamps_may_wrap,
		timestamp_of_the_next_expected_byte_is_echoed,
		urgent_data_is_data,
		window_closes_by_what_is_not_read,
		probe_of_a_closed_window_is_answered_and_not_taken,
		closed_window_does_not_open_by_a_few_bytes,
		window_without_scaling_is_64_kb_at_most,
		keepalive_of_the_peer_is_answered,
		ack_alone_is_not_answered,
	};

	return BEHAVE_MAIN("behave_receive", tests);
}
