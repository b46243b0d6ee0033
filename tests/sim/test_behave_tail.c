/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_tail.c - how CUBIC answers the loss of a tail that the probe
 * repaired (RFC 8985, 7.4). Each test runs over IPv4 and IPv6. */
#include "behave.h"

#define MSS 1000u
#define RTT SIM_MS /* nothing is paced */
#define FIRST 10u  /* segments of the first window, the last of which is late */
#define GROWN 19u  /* the window after nine of them */
#define SHRUNK (GROWN * 7 / 10)
#define PLENTY (100 * MSS)

static uint32_t at(uint32_t segment)
{
	return 1 + segment * MSS;
}

/* The tail is on its way again, and its ACK would come now. */
static struct peer with_a_probe(int v6, unsigned offer)
{
	struct peer p = peer_new(v6);
	struct heard *h;

	p.mss = MSS;
	p.offer = offer;
	peer_complete_far(&p, RTT);
	core_write(&p, FIRST * MSS);
	ck_assert_uint_eq(hear_all(&p), FIRST * MSS);
	sim_run(RTT);
	say(&p, ACK, 1, at(FIRST - 1), 0);
	h = hear_within(&p, 100 * SIM_MS, NULL);
	ck_assert(h->any);
	ck_assert_uint_eq(h->seq, at(FIRST - 1));
	sim_run(RTT);
	return p;
}

/* A whole window goes out and is acknowledged; returns how much may go then. */
static uint32_t next_window(struct peer *p)
{
	core_write(p, GROWN * MSS);
	ck_assert_uint_eq(hear_all(p), GROWN * MSS);
	sim_run(RTT);
	for (uint32_t i = 1; i <= GROWN; i++)
		say(p, ACK, 1, at(FIRST + i), 0);
	core_write(p, 100 * MSS);
	return hear_all(p) / MSS;
}

/* Nobody knows of it before something beyond the probe is acknowledged. */
START_TEST(loss_that_the_probe_repaired_shrinks_the_window)
{
	struct peer p = with_a_probe(_i, OFFER_USUAL);

	say(&p, ACK, 1, at(FIRST), 0);
	ck_assert_uint_eq(next_window(&p), SHRUNK);
}
END_TEST

START_TEST(loss_that_the_probe_repaired_shrinks_it_once)
{
	struct peer p = with_a_probe(_i, OFFER_USUAL);
	uint32_t window;

	say(&p, ACK, 1, at(FIRST), 0);
	window = next_window(&p);
	sim_run(RTT);
	say(&p, ACK, 1, at(FIRST + GROWN + window), 0);
	ck_assert_uint_ge(hear_all(&p) / MSS, window);
}
END_TEST

/* The first copy was late, and the second comes to a peer that has it. */
START_TEST(tail_that_came_twice_was_not_lost)
{
	const uint32_t twice[] = {at(FIRST - 1), at(FIRST)};
	struct peer p = with_a_probe(_i, OFFER_USUAL);

	say(&p, ACK, 1, at(FIRST), 0);
	say_sack(&p, 1, at(FIRST), 1, twice);
	ck_assert_uint_gt(next_window(&p), GROWN);
}
END_TEST

static void tail_is_acknowledged_twice(int v6, unsigned offer)
{
	struct peer p = with_a_probe(v6, offer);

	say(&p, ACK, 1, at(FIRST), 0);
	say(&p, ACK, 1, at(FIRST), 0);
	ck_assert_uint_gt(next_window(&p), GROWN);
}

START_TEST(peer_without_dsack_says_by_its_ack_that_the_tail_came_twice)
{
	tail_is_acknowledged_twice(_i, OFFER_USUAL);
}
END_TEST

START_TEST(peer_without_sack_does_so_too)
{
	tail_is_acknowledged_twice(_i, OFFER_MSS | OFFER_SCALE);
}
END_TEST

/* The window has shrunk for that already. */
START_TEST(loss_that_the_probe_finds_counts_once)
{
	const uint32_t tail[] = {at(FIRST - 1), at(FIRST)};
	struct peer p = peer_new(_i);
	uint32_t window;

	p.mss = MSS;
	peer_complete_far(&p, RTT);
	core_write(&p, FIRST * MSS);
	ck_assert_uint_eq(hear_all(&p), FIRST * MSS);
	ck_assert(hear_within(&p, 100 * SIM_MS, NULL)->any);
	sim_run(RTT);
	say_sack(&p, 1, at(0), 1, tail);
	while (hear_within(&p, RTT, NULL)->any)
		;
	say(&p, ACK, 1, at(FIRST), 0);
	core_write(&p, 100 * MSS);
	window = hear_all(&p) / MSS;
	ck_assert_uint_le(window, FIRST * 7 / 10);
	ck_assert_uint_ge(window, FIRST * 7 / 10 - 1);
	sim_run(RTT);
	say(&p, ACK, 1, at(FIRST + window), 0);
	ck_assert_uint_ge(hear_all(&p) / MSS, window);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		loss_that_the_probe_repaired_shrinks_the_window,
		loss_that_the_probe_repaired_shrinks_it_once,
		tail_that_came_twice_was_not_lost,
		peer_without_dsack_says_by_its_ack_that_the_tail_came_twice,
		peer_without_sack_does_so_too,
		loss_that_the_probe_finds_counts_once,
	};

	return BEHAVE_CUBIC_MAIN("tail", tests);
}
