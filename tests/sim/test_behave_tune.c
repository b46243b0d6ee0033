/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_tune.c - the receive window follows the rate of the sender, and
 * what a wide one lets come at once is answered in time. Each test runs over
 * IPv4 and IPv6. */
#include "behave.h"

#define MSS 1400u
#define RTT_US (50 * SIM_MS)
#define FIRST_WINDOW (256u * 1024)
#define WINDOW_MOST (16u * 1024 * 1024)
#define FIRST_FLIGHT (10 * MSS)
#define SHIFT 8
#define UPDATE_MOST (256u * 1024)
#define ACKED_MOST (1u << 20)
#define LONG_TRAIN 65536u

static uint32_t edge;

static struct peer open_far_away(int v6, unsigned offer)
{
	struct peer p = peer_new(v6);

	p.offer = offer;
	peer_syn(&p);
	peer_accept(&p);
	sim_run(RTT_US);
	say(&p, ACK, 1, 1, 0);
	return p;
}

/* The edge of the window as the newest ACK tells it. */
static uint32_t edge_heard(struct peer *p)
{
	unsigned shift = p->offer & OFFER_SCALE ? SHIFT : 0;

	for (struct heard *h = hear(p); h->any; h = hear(p))
		edge = h->ack + ((uint32_t)h->window << shift);
	return edge;
}

/* A round trip: the peer sends a flight and hears of the window; what it then
 * may have in flight. */
static uint32_t round_trip(struct peer *p, uint32_t flight, bool read)
{
	uint32_t at = p->read + 1;

	for (; flight >= MSS; flight -= MSS) {
		say(p, ACK, at, 1, MSS);
		at += MSS;
		if (read)
			core_read(p);
	}
	sim_run(RTT_US);
	ck_assert_int_ge((int32_t)(edge_heard(p) - at), 0);
	return edge - at;
}

START_TEST(window_keeps_ahead_of_slow_start)
{
	struct peer p = open_far_away(_i, OFFER_USUAL);

	for (uint32_t flight = FIRST_FLIGHT; flight < WINDOW_MOST / 2;
	     flight *= 2)
		ck_assert_uint_ge(round_trip(&p, flight, true), 2 * flight);
}
END_TEST

START_TEST(window_settles_at_twice_a_steady_rate)
{
	struct peer p = open_far_away(_i, OFFER_USUAL);
	uint32_t window = 0;

	for (int i = 0; i < 20; i++)
		window = round_trip(&p, 200 * MSS, true);
	ck_assert_uint_ge(window, 400 * MSS * 3 / 4);
	ck_assert_uint_le(window, 1200 * MSS);
}
END_TEST

START_TEST(window_that_is_not_used_does_not_grow)
{
	struct peer p = open_far_away(_i, OFFER_USUAL);

	for (int i = 0; i < 100; i++)
		ck_assert_uint_le(round_trip(&p, FIRST_FLIGHT, true),
				  FIRST_WINDOW);
}
END_TEST

START_TEST(window_does_not_grow_for_a_reader_that_does_not_read)
{
	struct peer p = open_far_away(_i, OFFER_USUAL);

	ck_assert_uint_le(round_trip(&p, FIRST_FLIGHT, false), FIRST_WINDOW);
	core_read(&p);
	ck_assert_uint_le(round_trip(&p, FIRST_WINDOW - MSS, false), 2 * MSS);
	sim_run(10 * RTT_US);
	core_read(&p);
	ck_assert_uint_le(round_trip(&p, MSS, true), 6 * FIRST_WINDOW);
}
END_TEST

START_TEST(window_grows_where_the_round_trip_is_not_known)
{
	struct peer p = peer_new(_i);
	uint32_t window = FIRST_WINDOW - MSS;

	peer_syn(&p);
	peer_accept(&p);
	sim_run(1500 * SIM_MS); /* the SYN-ACK is repeated */
	hear_all(&p);
	say(&p, ACK, 1, 1, 0);
	for (int i = 0; i < 10; i++)
		window = round_trip(&p, window, true);
	ck_assert_uint_ge(window, WINDOW_MOST / 2);
}
END_TEST

/* The window has grown to some megabytes. */
static struct peer open_wide(int v6)
{
	struct peer p = open_far_away(v6, OFFER_USUAL);
	uint32_t flight = FIRST_FLIGHT;

	while (round_trip(&p, flight, true) < 3 * ACKED_MOST)
		flight *= 2;
	return p;
}

START_TEST(reader_of_256_kb_opens_a_wide_window)
{
	struct peer p = open_wide(_i);
	uint32_t taken = 0;

	round_trip(&p, 2 * UPDATE_MOST, false);
	p.end->stream->consume(p.end->self, MSS);
	hear_all(&p);
	for (; !tun.out && taken < 2 * UPDATE_MOST; taken += MSS)
		p.end->stream->consume(p.end->self, MSS);
	ck_assert_uint_ge(taken, UPDATE_MOST - MSS);
	ck_assert_uint_le(taken, UPDATE_MOST + MSS);
}
END_TEST

START_TEST(sender_of_a_long_burst_hears_of_each_megabyte)
{
	struct peer p = open_wide(_i);
	uint32_t begin = p.read + 1, at = begin, acked;

	p.bursts = true;
	for (; at - begin < 2 * ACKED_MOST; at += MSS)
		say(&p, ACK, at, 1, MSS);
	burst_end();
	acked = hear(&p)->ack - begin;
	ck_assert_uint_ge(acked, ACKED_MOST);
	ck_assert_uint_le(acked, ACKED_MOST + LONG_TRAIN);
}
END_TEST

START_TEST(window_without_scaling_stays)
{
	struct peer p = open_far_away(_i, OFFER_MSS);

	for (int i = 0; i < 20; i++)
		ck_assert_uint_le(round_trip(&p, 40 * MSS, true), 65535);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		window_keeps_ahead_of_slow_start,
		window_settles_at_twice_a_steady_rate,
		window_that_is_not_used_does_not_grow,
		window_does_not_grow_for_a_reader_that_does_not_read,
		window_grows_where_the_round_trip_is_not_known,
		window_without_scaling_stays,
		reader_of_256_kb_opens_a_wide_window,
		sender_of_a_long_burst_hears_of_each_megabyte,
	};

	return BEHAVE_MAIN("behave_tune", tests);
}
