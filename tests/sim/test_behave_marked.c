/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_marked.c - how CUBIC answers a peer that echoes marks (RFC 3168,
 * 6.1.2). The round trip is 50 ms and a segment 1000 bytes. Each test runs over
 * IPv4 and IPv6. */
#include "behave.h"

#define MSS 1000u
#define RTT SIM_MS /* nothing is paced */

static struct peer open_far(int v6)
{
	struct peer p = peer_new(v6);

	p.mss = MSS;
	p.asks = ECE | CWR;
	peer_complete_far(&p, RTT);
	return p;
}

static uint32_t at(uint32_t segment)
{
	return 1 + segment * MSS;
}

/* What goes out, in segments; how many of them say CWR, and which. */
struct answer {
	uint32_t sent, cwr, cwr_seq;
};

static void note(struct peer *p, struct answer *a)
{
	struct heard *h;

	while ((h = hear(p))->any) {
		if (h->flags & CWR) {
			a->cwr++;
			a->cwr_seq = h->seq;
			ck_assert_int_eq(h->ecn, ECT0);
		}
		a->sent += h->len / MSS;
	}
}

/* So many arrive and are acknowledged one by one, each time with ECE. */
static struct answer echoes(struct peer *p, uint32_t from, uint32_t n)
{
	struct answer a = {0};

	for (uint32_t i = 1; i <= n; i++) {
		say(p, ACK | ECE, 1, at(from + i), 0);
		note(p, &a);
	}
	note(p, &a);
	return a;
}

static struct peer with_a_flight(int v6)
{
	struct peer p = open_far(v6);

	core_write(&p, 100 * MSS);
	ck_assert_uint_eq(hear_all(&p), 10 * MSS);
	sim_run(RTT);
	return p;
}

START_TEST(echo_shrinks_the_window_once_a_round_trip)
{
	struct peer p = with_a_flight(_i);
	struct answer a = echoes(&p, 0, 10);

	ck_assert_uint_eq(a.sent, 7);
	ck_assert_uint_eq(a.cwr, 1);
	ck_assert_uint_eq(a.cwr_seq, at(10));
	sim_run(RTT);
	a = echoes(&p, 10, 7); /* the first of these has said CWR */
	ck_assert_uint_ge(a.sent, 4);
	ck_assert_uint_le(a.sent, 5);
	ck_assert_uint_eq(a.cwr, 1);
	ck_assert_uint_eq(a.cwr_seq, at(17));
}
END_TEST

START_TEST(window_shrinks_as_arrivals_go)
{
	struct peer p = with_a_flight(_i);
	uint32_t sent = 0;

	for (uint32_t i = 1; i <= 10; i++) {
		say(&p, ACK | ECE, 1, at(i), 0);
		sent += hear_all(&p) / MSS;
		ck_assert_uint_ge(sent + 1, i * 7 / 10);
		ck_assert_uint_le(sent, i * 7 / 10 + 1);
	}
}
END_TEST

START_TEST(loss_in_the_same_round_trip_shrinks_it_no_further)
{
	struct peer p = with_a_flight(_i);
	const uint32_t edges[] = {at(6), at(10)};
	struct answer a = {0};

	for (uint32_t i = 1; i <= 5; i++) {
		say(&p, ACK | ECE, 1, at(i), 0);
		note(&p, &a);
	}
	say_sack(&p, 1, at(5), 1, edges);
	note(&p, &a);
	sim_run(RTT);
	say(&p, ACK, 1, at(10), 0);
	note(&p, &a);
	ck_assert_uint_ge(a.sent - 1, 6); /* one filled the gap */
	ck_assert_uint_le(a.sent - 1, 8);
}
END_TEST

START_TEST(loss_is_told_of_by_cwr_in_the_next_new_data)
{
	struct peer p = with_a_flight(_i);
	const uint32_t edges[] = {at(1), at(10)};
	struct answer a = {0};

	say_sack(&p, 1, at(0), 1, edges);
	note(&p, &a);
	sim_run(RTT);
	say(&p, ACK, 1, at(10), 0);
	note(&p, &a);
	ck_assert_uint_eq(a.cwr, 1);
	ck_assert_uint_eq(a.cwr_seq, at(10));
}
END_TEST

START_TEST(echo_of_all_there_was_leaves_the_lesser_window)
{
	struct peer p = open_far(_i);
	struct answer a = {0};

	core_write(&p, 10 * MSS);
	hear_all(&p);
	sim_run(RTT);
	say(&p, ACK | ECE, 1, at(10), 0);
	core_write(&p, 20 * MSS);
	note(&p, &a);
	ck_assert_uint_eq(a.sent, 7);
	ck_assert_uint_eq(a.cwr, 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		echo_shrinks_the_window_once_a_round_trip,
		window_shrinks_as_arrivals_go,
		loss_in_the_same_round_trip_shrinks_it_no_further,
		loss_is_told_of_by_cwr_in_the_next_new_data,
		echo_of_all_there_was_leaves_the_lesser_window,
	};

	return BEHAVE_CUBIC_MAIN("marked", tests);
}
