/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_close.c - how connections end in an orderly way, behaviour by
 * behaviour: FIN in every order, lost or repeated, and what comes after it.
 * Each test runs over IPv4 and IPv6. */
#include "behave.h"

#define TIME_WAIT_MOST (10000 * SIM_MS)

START_TEST(both_may_finish_at_once)
{
	struct peer p = peer_open(_i);

	reach_closing(&p);
	ck_assert(core_eof(&p));
	say(&p, ACK, 2, 2, 0);
	hear_nothing(&p);
	sim_close(p.end, 0);
	ck_assert_uint_eq(sim_counter("connections"), 1);
	sim_run(TIME_WAIT_MOST);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(fin_may_carry_data)
{
	struct peer p = peer_open(_i);

	say(&p, FIN | ACK | PSH, 1, 1, 300);
	ck_assert_uint_eq(hear_within(&p, ANSWER_US, NULL)->ack, 302);
	ck_assert_uint_eq(core_read(&p), 300);
	ck_assert(core_eof(&p));
}
END_TEST

START_TEST(fin_acknowledged_with_a_fin_needs_no_fin_wait_2)
{
	struct peer p = peer_open(_i);

	reach_fin_wait_1(&p);
	say(&p, FIN | ACK, 1, 2, 0);
	ck_assert_uint_eq(hear(&p)->ack, 2);
	ck_assert(core_eof(&p));
	sim_close(p.end, 0);
	sim_run(TIME_WAIT_MOST);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(fin_before_its_data_waits)
{
	struct peer p = peer_open(_i);

	say(&p, FIN | ACK, 101, 1, 0);
	ck_assert_uint_eq(hear(&p)->ack, 1);
	ck_assert(!core_eof(&p));
	say(&p, ACK, 1, 1, 100);
	ck_assert_uint_eq(hear_within(&p, ANSWER_US, NULL)->ack, 102);
	ck_assert_uint_eq(core_read(&p), 100);
	ck_assert(core_eof(&p));
}
END_TEST

START_TEST(fin_with_data_before_earlier_data_waits)
{
	struct peer p = peer_open(_i);

	say(&p, FIN | ACK, 101, 1, 50);
	ck_assert_uint_eq(hear(&p)->ack, 1);
	say(&p, ACK, 1, 1, 100);
	ck_assert_uint_eq(hear_within(&p, ANSWER_US, NULL)->ack, 152);
	ck_assert_uint_eq(core_read(&p), 150);
	ck_assert(core_eof(&p));
}
END_TEST

START_TEST(repeated_fin_is_acknowledged_again)
{
	struct peer p = peer_open(_i);

	reach_close_wait(&p);
	say(&p, FIN | ACK, 1, 1, 0);
	ck_assert_uint_eq(hear(&p)->ack, 2);
	ck_assert(core_eof(&p));
}
END_TEST

START_TEST(repeated_fin_in_time_wait_is_acknowledged_again)
{
	struct peer p = peer_open(_i);

	reach_time_wait(&p);
	say(&p, FIN | ACK, 1, 2, 0);
	ck_assert_uint_eq(hear(&p)->ack, 2);
}
END_TEST

START_TEST(lost_fin_is_sent_again)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	reach_fin_wait_1(&p);
	h = hear_within(&p, 2000 * SIM_MS, NULL);
	ck_assert(h->flags & FIN);
	ck_assert_uint_eq(h->seq, 1);
}
END_TEST

START_TEST(lost_fin_of_last_ack_is_sent_again)
{
	struct peer p = peer_open(_i);

	reach_last_ack(&p);
	ck_assert(hear_within(&p, 2000 * SIM_MS, NULL)->flags & FIN);
	say(&p, ACK, 2, 2, 0);
	sim_close(p.end, 0);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(data_arrives_in_fin_wait_1_and_2)
{
	struct peer p = peer_open(_i);

	reach_fin_wait_1(&p);
	say(&p, ACK, 1, 1, 100);
	ck_assert_uint_eq(core_read(&p), 100);
	say(&p, ACK, 101, 2, 100);
	say(&p, ACK, 201, 2, 100);
	ck_assert_uint_eq(core_read(&p), 200);
	ck_assert(!core_eof(&p));
}
END_TEST

START_TEST(data_is_sent_in_close_wait)
{
	struct peer p = peer_open(_i);

	reach_close_wait(&p);
	core_write(&p, 3000);
	ck_assert_uint_eq(hear_all(&p), 3000);
	say(&p, ACK, 2, 3001, 0);
	core_write(&p, 100);
	ck_assert_uint_eq(hear(&p)->seq, 3001);
}
END_TEST

START_TEST(data_behind_a_fin_is_not_taken)
{
	struct peer p = peer_open(_i);

	reach_close_wait(&p);
	say(&p, ACK, 2, 1, 100);
	ck_assert_uint_eq(core_read(&p), 0);
	ck_assert(core_eof(&p));
	ck_assert_int_eq(p.end->failed, 0);
}
END_TEST

START_TEST(data_after_an_orderly_close_is_reset)
{
	struct peer p = peer_open(_i);

	sim_close(p.end, 0);
	ck_assert(hear(&p)->flags & FIN);
	say(&p, ACK, 1, 2, 1000);
	ck_assert(hear(&p)->flags & RST);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(fin_after_an_orderly_close_is_acknowledged)
{
	struct peer p = peer_open(_i);

	sim_close(p.end, 0);
	ck_assert(hear(&p)->flags & FIN);
	say(&p, FIN | ACK, 1, 2, 0);
	ck_assert_uint_eq(hear(&p)->ack, 2);
	sim_run(TIME_WAIT_MOST);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(unread_data_does_not_turn_an_orderly_close_into_a_reset)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, ACK, 1, 1, 500);
	hear_all(&p);
	sim_close(p.end, 0);
	h = hear(&p);
	ck_assert_int_eq(h->flags & (FIN | RST), FIN);
}
END_TEST

/* It has more to say, and waits for room that nobody will make. */
START_TEST(window_that_unread_data_closed_is_open_after_the_close)
{
	struct peer p = peer_open_with(_i, OFFER_MSS);
	uint32_t at = 1;
	struct heard *h;

	reach_fin_wait_2(&p);
	for (; at + 1000 <= UINT16_MAX; at += 1000)
		say(&p, ACK, at, 2, 1000);
	say(&p, ACK, at, 2, UINT16_MAX - at + 1);
	hear_all(&p);
	say(&p, ACK, UINT16_MAX, 2, 0); /* a probe */
	ck_assert_uint_eq(hear(&p)->window, 0);
	sim_close(p.end, 0);
	h = hear(&p);
	ck_assert_int_eq(h->flags & (ACK | RST), ACK);
	ck_assert_uint_ge(h->window, p.mss);
	say(&p, ACK, 1 + UINT16_MAX, 2, 1000);
	ck_assert(hear(&p)->flags & RST);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(peer_that_never_finishes_is_reset_after_a_minute)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	sim_close(p.end, 0);
	ck_assert(hear(&p)->flags & FIN);
	say(&p, ACK, 1, 2, 0);
	sim_run(50000 * SIM_MS);
	hear_nothing(&p);
	h = hear_within(&p, 20000 * SIM_MS, NULL);
	ck_assert(h->flags & RST);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(newer_syn_reopens_in_time_wait)
{
	struct peer p = peer_open(_i);
	uint32_t isn;

	reach_time_wait(&p);
	sim_close(p.end, 0);
	isn = p.irs;
	sim_run(100 * SIM_MS);
	p.end = NULL;
	p.read = p.written = 0;
	p.iss += 50000;
	peer_complete(&p);
	ck_assert_uint_ne(isn, p.irs);
	say(&p, ACK, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

/* The clock of sequence numbers has hardly moved, the old connection has sent
 * more than it counts. */
START_TEST(reopened_connection_begins_above_the_old_ones_numbers)
{
	struct peer p = peer_open(_i);
	uint32_t last;

	core_write(&p, 60000);
	for (uint32_t at = 1; at < 60001;) {
		struct heard *h = hear_within(&p, 100 * SIM_MS, NULL);

		ck_assert(h->any);
		at = h->seq + h->len;
		say(&p, ACK, 1, at, 0);
	}
	core_finish(&p);
	hear_all(&p);
	say(&p, ACK | FIN, 1, 60002, 0);
	last = p.irs + 60002;
	sim_close(p.end, 0);
	hear_all(&p);
	p.end = NULL;
	p.iss += 50000;
	peer_syn(&p);
	peer_accept(&p);
	ck_assert_int_gt((int32_t)(p.irs - last), 0);
}
END_TEST

static void reopen_with(struct peer *p, uint32_t iss, uint32_t stamp)
{
	reach_time_wait(p);
	sim_close(p->end, 0);
	p->end = NULL;
	p->read = p->written = 0;
	p->iss += iss;
	p->stamp = stamp;
	p->echo = 0;
}

START_TEST(newer_timestamp_reopens_in_time_wait_whatever_the_number)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);

	reopen_with(&p, 0u - 50000, p.stamp + 1);
	peer_complete(&p);
	say(&p, ACK, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

START_TEST(older_timestamp_does_not_reopen_in_time_wait)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);
	uint8_t options[12] = {1, 1, 8, 10};

	reopen_with(&p, 50000, p.stamp - 1);
	options[6] = (uint8_t)(p.stamp >> 8);
	options[7] = (uint8_t)p.stamp;
	say_options(&p, SYN, 0, 0, 0, options, sizeof options);
	ck_assert_ptr_null(sim.ends);
}
END_TEST

START_TEST(older_syn_does_not_reopen_in_time_wait)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	reach_time_wait(&p);
	sim_close(p.end, 0);
	say(&p, SYN, 0u - 50000, 0, 0);
	h = hear(&p);
	ck_assert_int_eq(h->flags, ACK);
	ck_assert_uint_eq(h->ack, 2);
	ck_assert_ptr_null(sim.ends);
}
END_TEST

/* It half-closed first and takes its time for the rest; lwIP hears of no more
 * progress once the core has let go. */
START_TEST(slow_reader_gets_what_was_written_before_the_close)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	p.window = 0;
	reach_close_wait(&p);
	core_write(&p, 500);
	sim_close(p.end, 0);
	sim_run(45000 * SIM_MS);
	hear_all(&p);
	p.window = 65535;
	say(&p, ACK, 2, 1, 0);
	h = hear(&p);
	ck_assert_int_eq(h->flags & (FIN | RST), FIN);
	ck_assert_uint_eq(h->len, 500);
	say(&p, ACK, 2, 502, 0);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

/* Its minute begins anew with each piece. */
START_TEST(reader_that_goes_on_taking_gets_the_rest)
{
	struct peer p = peer_new(_i);
	uint32_t got = 1;

	p.offer = OFFER_MSS;
	p.window = 100;
	peer_complete(&p);
	reach_close_wait(&p);
	core_write(&p, 500);
	sim_close(p.end, 0);
	while (got < 501) {
		struct heard *h = hear_within(&p, 10000 * SIM_MS, NULL);

		ck_assert(h->any);
		ck_assert_int_eq(h->flags & RST, 0);
		if (h->seq + h->len > got)
			got = h->seq + h->len;
		sim_run(40000 * SIM_MS);
		hear_all(&p);
		say(&p, ACK, 2, got, 0);
	}
	ck_assert_uint_eq(got, 501);
}
END_TEST

START_TEST(reader_that_never_takes_the_rest_is_reset)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	p.window = 0;
	reach_close_wait(&p);
	core_write(&p, 500);
	sim_close(p.end, 0);
	for (int i = 0; i < 5; i++) { /* it answers */
		sim_run(10000 * SIM_MS);
		hear_all(&p);
		say(&p, ACK, 2, 1, 0);
	}
	do
		h = hear_within(&p, 15000 * SIM_MS, NULL);
	while (h->any && !(h->flags & RST));
	ck_assert(h->any);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(keepalive_does_not_shorten_a_close)
{
	struct weir_link_conf conf = sim_link_conf();
	struct heard *h;
	struct peer p;

	conf.keepalive = true;
	relink(&conf);
	p = peer_open(_i);
	sim_close(p.end, 0);
	ck_assert(hear(&p)->flags & FIN);
	say(&p, ACK, 1, 2, 0);
	sim_run(50000 * SIM_MS);
	hear_nothing(&p);
	ck_assert_uint_eq(sim_counter("connections"), 1);
	h = hear_within(&p, 20000 * SIM_MS, NULL);
	ck_assert(h->flags & RST);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		both_may_finish_at_once,
		fin_may_carry_data,
		fin_acknowledged_with_a_fin_needs_no_fin_wait_2,
		fin_before_its_data_waits,
		fin_with_data_before_earlier_data_waits,
		repeated_fin_is_acknowledged_again,
		repeated_fin_in_time_wait_is_acknowledged_again,
		lost_fin_is_sent_again,
		lost_fin_of_last_ack_is_sent_again,
		data_arrives_in_fin_wait_1_and_2,
		data_is_sent_in_close_wait,
		data_behind_a_fin_is_not_taken,
		data_after_an_orderly_close_is_reset,
		fin_after_an_orderly_close_is_acknowledged,
		unread_data_does_not_turn_an_orderly_close_into_a_reset,
		window_that_unread_data_closed_is_open_after_the_close,
		peer_that_never_finishes_is_reset_after_a_minute,
		newer_syn_reopens_in_time_wait,
		reopened_connection_begins_above_the_old_ones_numbers,
		newer_timestamp_reopens_in_time_wait_whatever_the_number,
		older_timestamp_does_not_reopen_in_time_wait,
		older_syn_does_not_reopen_in_time_wait,
		slow_reader_gets_what_was_written_before_the_close,
		reader_that_goes_on_taking_gets_the_rest,
		reader_that_never_takes_the_rest_is_reset,
		keepalive_does_not_shorten_a_close,
	};

	return BEHAVE_MAIN("behave_close", tests);
}
