/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_timeout.c - how long the stack waits for an ACK: the timeout
 * (RFC 6298), and the window in which a segment is merely late (RFC 8985). The
 * round trip is 50 ms and a segment 1000 bytes. Each test runs over IPv4 and
 * IPv6, with CUBIC and BBR. */
#include "behave.h"

#define MSS FAR_MSS
#define RTT FAR_RTT
#define PACED (45 * SIM_MS) /* in which a flight may be spread */
#define RTO_LEAST (200 * SIM_MS)
#define RTO_MOST (RTO_LEAST + 2 * RTT)
#define CALM_EPISODES 16

static uint32_t at(uint32_t segment)
{
	return 1 + segment * MSS;
}

static void sack(struct peer *p, uint32_t ack, uint32_t first, uint32_t end)
{
	const uint32_t edges[] = {at(first), at(end)};

	say_sack(p, 1, at(ack), 1, edges);
}

/* Of ten segments the first two are missing, and on their way again. */
static struct peer with_two_holes(int v6)
{
	struct peer p = peer_open_far(v6, OFFER_USUAL, 0);

	peer_flight(&p, 10, PACED);
	sack(&p, 0, 2, 10);
	sim_run(RTT / 2);
	ck_assert_uint_eq(hear_all(&p), 2 * MSS);
	return p;
}

START_TEST(progress_restarts_the_timeout)
{
	struct peer p = with_two_holes(_i);
	uint64_t after_us;

	sim_run(RTO_LEAST - RTT);
	sack(&p, 1, 2, 10);
	ck_assert_uint_eq(hear_within(&p, RTO_MOST, &after_us)->seq, at(1));
	ck_assert_uint_ge(after_us, RTO_LEAST);
}
END_TEST

START_TEST(what_is_no_progress_does_not_put_off_the_timeout)
{
	struct peer p = with_two_holes(_i);
	uint64_t begun_us = sim.now_us;

	while (!hear(&p)->any) {
		ck_assert_uint_le(sim.now_us - begun_us, RTO_MOST);
		p.window++;
		sack(&p, 0, 2, 10);
		sim_run(RTT / 2);
	}
}
END_TEST

START_TEST(what_is_no_progress_does_not_end_the_doubling)
{
	struct peer p = with_two_holes(_i);
	uint64_t after_us = 0;

	for (int i = 0; i < 3; i++) {
		ck_assert(hear_within(&p, 4 * RTO_MOST, &after_us)->any);
		hear_all(&p);
		p.window++;
		sack(&p, 0, 2, 10);
	}
	ck_assert_uint_ge(after_us, 4 * RTO_LEAST);
}
END_TEST

/* The rest of the flight is on its way again, and none of it arrived. */
START_TEST(timeout_of_an_episode_does_not_wait_for_a_probe)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint64_t after_us;

	peer_flight(&p, 10, PACED);
	sack(&p, 0, 1, 7);
	sim_run(RTT);
	say(&p, ACK, 1, at(7), 0);
	sim_run(RTT / 2);
	ck_assert_uint_ge(hear_all(&p), 2 * MSS);
	ck_assert(hear_within(&p, 10 * RTT, &after_us)->any);
	ck_assert_uint_ge(after_us + RTT / 2, RTO_LEAST);
	ck_assert_uint_le(after_us + RTT / 2, RTO_MOST);
}
END_TEST

/* None of what goes out arrives (RFC 8985, 7.2). */
START_TEST(sends_do_not_put_off_the_probe_beyond_the_timeout)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint64_t begun_us = sim.now_us;
	uint32_t end = 1;
	struct heard *h;

	for (;;) {
		h = hear_within(&p, 30 * SIM_MS, NULL);
		if (h->any && h->seq != end)
			break;
		if (h->any)
			end = h->seq + h->len;
		else
			core_write(&p, MSS);
	}
	ck_assert_uint_eq(h->seq + h->len, end);
	ck_assert_uint_ge(sim.now_us - begun_us, RTO_LEAST);
	ck_assert_uint_le(sim.now_us - begun_us, RTO_MOST);
}
END_TEST

/* The first of two segments comes to nothing, or seems so; returns how much
 * longer than a round trip it was waited for. */
static uint64_t episode(struct peer *p, uint32_t *base, bool in_vain)
{
	uint64_t sent_us, waited_us;

	core_write(p, 2 * MSS);
	ck_assert_uint_eq(hear_within(p, RTT, NULL)->seq, at(*base));
	sent_us = sim.now_us;
	ck_assert_uint_eq(hear_within(p, RTT, NULL)->seq, at(*base + 1));
	sim_run(RTT);
	sack(p, *base, *base + 1, *base + 2);
	ck_assert_uint_eq(hear_within(p, 2 * RTT, NULL)->seq, at(*base));
	waited_us = sim.now_us - sent_us;
	sim_run(RTT);
	if (in_vain)
		sack(p, *base + 2, *base, *base + 1);
	else
		say(p, ACK, 1, at(*base + 2), 0);
	hear_all(p);
	*base += 2;
	return waited_us - RTT;
}

/* Three quarters of a round trip, then one; but what lies between the two
 * segments when it is more. */
START_TEST(reorder_window_is_narrow_again_after_16_calm_episodes)
{
	struct peer p = peer_open_far(_i, OFFER_USUAL, 0);
	uint32_t base = 0;

	ck_assert_uint_lt(episode(&p, &base, true), RTT * 5 / 8);
	for (int i = 0; i < 4; i++)
		episode(&p, &base, true);
	for (int i = 0; i <= CALM_EPISODES; i++)
		ck_assert_uint_gt(episode(&p, &base, false), RTT * 5 / 8);
	ck_assert_uint_lt(episode(&p, &base, false), RTT * 5 / 8);
}
END_TEST

/* Of four segments the first comes to nothing, and so does its copy. Returns
 * how long that one was waited for. */
static uint64_t timeout_after(int v6, uint64_t rtt_us)
{
	struct peer p = peer_new(v6);
	uint64_t after_us;

	p.mss = MSS;
	peer_complete_far(&p, rtt_us);
	core_write(&p, 4 * MSS);
	for (uint32_t i = 0; i < 4; i++)
		ck_assert_uint_eq(hear_within(&p, RTT, NULL)->seq, at(i));
	sim_run(rtt_us);
	sack(&p, 0, 1, 4);
	ck_assert_uint_eq(hear(&p)->seq, at(0));
	ck_assert_uint_eq(
		hear_within(&p, 10 * rtt_us + RTO_MOST, &after_us)->seq, at(0));
	return after_us;
}

/* What it varies by is half the first round trip, and a quarter less with the
 * second of that length. */
START_TEST(timeout_is_a_round_trip_and_four_times_what_it_varies_by)
{
	uint64_t after_us = timeout_after(_i, 8 * RTT);

	ck_assert_uint_ge(after_us, 8 * RTT + 4 * 3 * RTT);
	ck_assert_uint_le(after_us, 8 * RTT + 4 * 3 * RTT + RTT);
}
END_TEST

START_TEST(timeout_is_a_round_trip_and_200_ms_at_least)
{
	uint64_t after_us = timeout_after(_i, RTT);

	ck_assert_uint_ge(after_us, RTT + RTO_LEAST);
	ck_assert_uint_le(after_us, RTT + RTO_LEAST + RTT / 4);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		timeout_is_a_round_trip_and_four_times_what_it_varies_by,
		timeout_is_a_round_trip_and_200_ms_at_least,
		progress_restarts_the_timeout,
		what_is_no_progress_does_not_put_off_the_timeout,
		what_is_no_progress_does_not_end_the_doubling,
		timeout_of_an_episode_does_not_wait_for_a_probe,
		sends_do_not_put_off_the_probe_beyond_the_timeout,
		reorder_window_is_narrow_again_after_16_calm_episodes,
	};

	return BEHAVE_MAIN("behave_timeout", tests);
}
