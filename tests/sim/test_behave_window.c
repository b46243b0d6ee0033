/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_window.c - the stack as a sender into the peer's window: closed,
 * small, scaled, opening again; and its own keepalive. Each test runs over
 * IPv4 and IPv6. */
#include "behave.h"

#include <errno.h>

#define MSS 1000u
#define FIRST_PROBE_MOST (5000 * SIM_MS)
#define PROBE_GAP_MOST (130000 * SIM_MS)

static struct peer open_window(int v6, unsigned offer, uint16_t window)
{
	struct peer p = peer_new(v6);

	p.mss = MSS;
	p.offer = offer;
	p.window = window;
	peer_complete(&p);
	return p;
}

/* The peer takes 1000 bytes and closes its window; 5000 more wait. */
static struct peer open_closed(int v6)
{
	struct peer p = open_window(v6, OFFER_MSS | OFFER_SACK, 65535);

	core_write(&p, MSS);
	hear_all(&p);
	p.window = 0;
	say(&p, ACK, 1, 1001, 0);
	core_write(&p, 5 * MSS);
	hear_nothing(&p);
	return p;
}

START_TEST(window_is_never_exceeded)
{
	struct peer p = open_window(_i, OFFER_MSS | OFFER_SACK, 3000);

	core_write(&p, 10 * MSS);
	ck_assert_uint_eq(hear_all(&p), 3000);
	say(&p, ACK, 1, 3001, 0);
	ck_assert_uint_eq(hear_all(&p), 3000);
}
END_TEST

START_TEST(scaled_window_is_never_exceeded)
{
	struct peer p = open_window(_i, OFFER_USUAL, 24);

	core_write(&p, 10 * MSS);
	ck_assert_uint_le(hear_all(&p), 24 << 7);
	p.window = 32;
	say(&p, ACK, 1, 3001, 0);
	ck_assert_uint_le(hear_all(&p), 32 << 7);
}
END_TEST

START_TEST(shift_of_more_than_14_is_14)
{
	struct peer p = peer_new(_i);

	p.scale = 200;
	p.window = 1;
	peer_complete(&p);
	core_write(&p, 60000);
	ck_assert_uint_le(hear_all(&p), 1 << 14);
}
END_TEST

START_TEST(part_of_the_window_opens_with_each_ack)
{
	struct peer p = open_window(_i, OFFER_MSS | OFFER_SACK, 4000);

	core_write(&p, 10 * MSS);
	ck_assert_uint_eq(hear_all(&p), 4000);
	p.window = 3000;
	say(&p, ACK, 1, 1001, 0); /* the edge stays */
	hear_nothing(&p);
	p.window = 4000;
	say(&p, ACK, 1, 2001, 0);
	ck_assert_uint_eq(hear_all(&p), 2000);
}
END_TEST

START_TEST(closed_window_is_probed_with_at_most_a_byte)
{
	struct peer p = open_closed(_i);
	struct heard *h = hear_within(&p, FIRST_PROBE_MOST, NULL);

	ck_assert(h->any);
	ck_assert_uint_le(h->len, 1);
}
END_TEST

START_TEST(window_update_frees_what_waits_at_once)
{
	struct peer p = open_closed(_i);

	p.window = 65535;
	say(&p, ACK, 1, 1001, 0);
	ck_assert_uint_eq(hear_all(&p), 5 * MSS);
}
END_TEST

START_TEST(answered_probes_come_ever_slower)
{
	struct peer p = open_closed(_i);
	uint64_t before_us = 0, after_us;

	for (int i = 0; i < 6; i++) {
		ck_assert(hear_within(&p, PROBE_GAP_MOST, &after_us)->any);
		ck_assert_uint_ge(after_us + SIM_MS, before_us);
		before_us = after_us;
		say(&p, ACK, 1, 1001, 0);
	}
	ck_assert_uint_ge(before_us, 10000 * SIM_MS);
}
END_TEST

START_TEST(answered_probes_go_on_for_hours)
{
	struct peer p = open_closed(_i);

	for (uint64_t begun_us = sim.now_us;
	     sim.now_us - begun_us < 7200000 * SIM_MS;) {
		ck_assert(hear_within(&p, PROBE_GAP_MOST, NULL)->any);
		say(&p, ACK, 1, 1001, 0);
	}
	ck_assert_int_eq(p.end->failed, 0);
	p.window = 65535;
	say(&p, ACK, 1, 1001, 0);
	ck_assert_uint_eq(hear_all(&p), 5 * MSS);
}
END_TEST

START_TEST(lost_probes_are_survived)
{
	struct peer p = open_closed(_i);

	sim_run(60000 * SIM_MS);
	ck_assert_uint_gt(sim_counter("connections"), 0);
	hear_all(&p);
	ck_assert_int_eq(p.end->failed, 0);
	p.window = 65535;
	say(&p, ACK, 1, 1001, 0);
	ck_assert_uint_eq(hear_all(&p), 5 * MSS);
}
END_TEST

START_TEST(lost_window_update_is_found_by_a_probe)
{
	struct peer p = open_closed(_i);

	sim_run(5000 * SIM_MS);
	hear_all(&p);
	p.window = 65535; /* nobody is told */
	hear_nothing(&p);
	ck_assert(hear_within(&p, PROBE_GAP_MOST, NULL)->any);
	say(&p, ACK, 1, 1001, 0);
	ck_assert_uint_eq(hear_all(&p), 5 * MSS);
}
END_TEST

START_TEST(probe_byte_that_is_taken_is_counted)
{
	struct peer p = open_closed(_i);
	struct heard *h = hear_within(&p, FIRST_PROBE_MOST, NULL);
	uint32_t next = h->seq + h->len;

	p.window = 65535;
	say(&p, ACK, 1, next, 0);
	sim_run(3000 * SIM_MS);
	hear_all(&p);
	say(&p, ACK, 1, 6001, 0);
	sim_run(5000 * SIM_MS);
	hear_all(&p);
	core_write(&p, 10);
	ck_assert_uint_eq(hear(&p)->seq, 6001);
}
END_TEST

START_TEST(byte_by_byte_windows_are_used_after_a_probe_was_taken)
{
	struct peer p = open_closed(_i);
	uint32_t got = 1001;

	p.window = 1;
	for (int i = 0; i < 10; i++) {
		struct heard *h = hear_within(&p, PROBE_GAP_MOST, NULL);

		ck_assert(h->any && h->seq + h->len >= got);
		got = h->seq + h->len;
		say(&p, ACK, 1, got, 0);
	}
	ck_assert_uint_ge(got, 1005);
}
END_TEST

START_TEST(dead_peer_with_a_closed_window_is_given_up)
{
	struct peer p = open_closed(_i);

	sim_run(3600000 * SIM_MS);
	ck_assert_int_eq(p.end->failed, ETIMEDOUT);
}
END_TEST

START_TEST(silly_window_is_not_filled_at_once)
{
	struct peer p = open_closed(_i);

	p.window = 100;
	say(&p, ACK, 1, 1001, 0);
	hear_nothing(&p);
	p.window = 10000;
	say(&p, ACK, 1, 1001, 0);
	ck_assert_uint_eq(hear_all(&p), 5 * MSS);
}
END_TEST

START_TEST(silly_window_is_used_in_the_end)
{
	struct peer p = open_closed(_i);
	struct heard *h;

	p.window = 100;
	say(&p, ACK, 1, 1001, 0);
	h = hear_within(&p, PROBE_GAP_MOST, NULL);
	ck_assert(h->any);
	ck_assert_uint_le(h->len, 100);
	ck_assert_uint_ge(h->len, 1);
}
END_TEST

/* An MSS is agreed on by the SYNs; later ones must not touch what is cut. */
START_TEST(mss_option_of_a_later_segment_changes_nothing)
{
	static const uint8_t tiny[] = {1, 1, 1, 1, 2, 4, 0, 1};
	struct peer p = open_closed(_i);
	uint32_t got = 1000;

	p.window = 100;
	say_options(&p, ACK, 1, 1001, 0, tiny, sizeof tiny);
	for (int i = 0; i < 3; i++) {
		struct heard *h = hear_within(&p, PROBE_GAP_MOST, NULL);

		ck_assert_uint_eq(h->seq, 1 + got);
		ck_assert_uint_eq(h->len, 100);
		got += h->len;
		say_options(&p, ACK, 1, 1 + got, 0, tiny, sizeof tiny);
	}
	p.window = 65535;
	say_options(&p, ACK, 1, 1 + got, 0, tiny, sizeof tiny);
	ck_assert_uint_eq(hear_all(&p), 6 * MSS - got);
	say_options(&p, ACK, 1, 6001, 0, tiny, sizeof tiny);
	core_write(&p, MSS);
	ck_assert_uint_eq(hear(&p)->len, MSS);
}
END_TEST

START_TEST(peer_with_a_small_buffer_is_served)
{
	struct peer p = open_window(_i, OFFER_MSS | OFFER_SACK, 500);
	uint32_t got = 0;

	core_write(&p, 5000);
	for (int i = 0; i < 100 && got < 5000; i++) {
		struct heard *h = hear_within(&p, 5000 * SIM_MS, NULL);

		ck_assert(h->any);
		ck_assert_uint_le(h->len, 500);
		got = h->seq + h->len - 1;
		say(&p, ACK, 1, 1 + got, 0);
	}
	ck_assert_uint_eq(got, 5000);
}
END_TEST

/* Of so few bytes lwIP would leave none to a segment beside its options. */
START_TEST(peer_with_hardly_any_buffer_is_served)
{
	static const uint16_t windows[] = {1, 2, 24, 25, 100};
	struct heard *h;

	for (size_t i = 0; i < sizeof windows / sizeof *windows; i++) {
		struct peer p = peer_new(_i);
		uint32_t got = 0, before;

		p.path.client_port += (uint16_t)i;
		p.offer = OFFER_MSS | OFFER_SACK | OFFER_STAMPS;
		p.window = windows[i];
		peer_complete(&p);
		core_write(&p, 5000);
		for (int k = 0; k < 20; k++) {
			h = hear_within(&p, PROBE_GAP_MOST, NULL);
			ck_assert_uint_eq(h->seq, 1 + got);
			ck_assert_uint_ge(h->len, 1);
			ck_assert_uint_le(h->len, windows[i]);
			before = got;
			got += h->len + hear_all(&p);
			ck_assert_uint_le(got - before, windows[i]);
			say(&p, ACK, 1, 1 + got, 0);
		}
		hear_all(&p);
		say(&p, RST, 1, 0, 0);
	}
}
END_TEST

START_TEST(reordered_acks_do_not_reopen_an_old_window)
{
	struct peer p = open_window(_i, OFFER_MSS | OFFER_SACK, 4000);

	core_write(&p, 10 * MSS);
	ck_assert_uint_eq(hear_all(&p), 4000);
	p.window = 0;
	say(&p, ACK, 1, 4001, 0);
	p.window = 3000; /* older than that */
	say(&p, ACK, 1, 1001, 0);
	hear_nothing(&p);
}
END_TEST

START_TEST(fin_waits_for_the_bytes_before_it)
{
	struct peer p = open_closed(_i);
	struct heard *h;
	bool fin = false;

	p.end->stream->finish(p.end->self);
	hear_nothing(&p);
	p.window = 65535;
	say(&p, ACK, 1, 1001, 0);
	while ((h = hear(&p))->any) {
		ck_assert(!fin);
		fin = h->flags & FIN;
		if (fin)
			ck_assert_uint_eq(h->seq + h->len, 6001);
	}
	ck_assert(fin);
}
END_TEST

START_TEST(small_writes_are_not_held_back)
{
	struct peer p = open_window(_i, OFFER_USUAL, 65535);

	for (uint32_t i = 0; i < 5; i++) {
		core_write(&p, 10);
		ck_assert_uint_eq(hear(&p)->seq, 1 + 10 * i);
	}
}
END_TEST

START_TEST(no_keepalive_unless_asked_for)
{
	struct peer p = open_window(_i, OFFER_USUAL, 65535);

	sim_run(7300000 * SIM_MS);
	hear_nothing(&p);
	ck_assert_int_eq(p.end->failed, 0);
}
END_TEST

START_TEST(keepalive_asks_for_the_byte_before)
{
	struct weir_link_conf conf = sim_link_conf();
	struct peer p;
	struct heard *h;

	conf.keepalive = true;
	relink(&conf);
	p = open_window(_i, OFFER_USUAL, 65535);
	h = hear_within(&p, 200000 * SIM_MS, NULL);
	ck_assert(h->any);
	ck_assert_uint_eq(h->seq, 0);
	ck_assert_uint_eq(h->len, 0);
	say(&p, ACK, 1, 1, 0);
	core_write(&p, 10);
	ck_assert_uint_eq(hear(&p)->seq, 1);
}
END_TEST

/* RFC 7323, 3.2: a peer may drop what comes without. */
START_TEST(keepalives_carry_the_agreed_timestamps)
{
	struct weir_link_conf conf = sim_link_conf();
	struct peer p;
	struct heard *h;

	conf.keepalive = true;
	relink(&conf);
	p = peer_open_with(_i, OFFER_ALL);
	h = hear_within(&p, 200000 * SIM_MS, NULL);
	ck_assert_int_eq(h->flags, ACK);
	ck_assert_uint_eq(h->seq, 0);
	ck_assert_uint_eq(h->ack, 1);
	ck_assert_uint_eq(h->len, 0);
	ck_assert(h->stamps);
	ck_assert_uint_eq(h->echo, p.stamp);
}
END_TEST

START_TEST(probes_of_the_window_carry_the_agreed_timestamps)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);
	struct heard *h;

	p.window = 0;
	say(&p, ACK, 1, 1, 0);
	core_write(&p, 1000);
	h = hear_within(&p, FIRST_PROBE_MOST, NULL);
	ck_assert_uint_eq(h->seq, 1);
	ck_assert_uint_eq(h->len, 1);
	ck_assert(h->stamps);
	ck_assert_uint_eq(h->echo, p.stamp);
	say(&p, ACK, 1, 2, 0);
	h = hear_within(&p, 2 * FIRST_PROBE_MOST, NULL);
	ck_assert(h->any);
	p.window = 65535;
	say(&p, ACK, 1, 2, 0);
	h = hear(&p);
	ck_assert_uint_eq(h->seq + h->len, 1001);
}
END_TEST

/* The peer acknowledges all it gets; returns how many segments were shorter
 * than a whole one. */
static unsigned short_segments(struct peer *p)
{
	unsigned count = 0;
	struct heard *h;

	while ((h = hear_within(p, 100 * SIM_MS, NULL))->any) {
		count += h->len < MSS;
		say(p, ACK, 1, h->seq + h->len, 0);
	}
	return count;
}

START_TEST(long_write_goes_in_whole_segments)
{
	struct peer p = open_window(_i, OFFER_USUAL, 65535);

	core_write(&p, 200 * MSS + 10);
	ck_assert_uint_eq(short_segments(&p), 1);
	core_write(&p, 30 * MSS + 7);
	ck_assert_uint_eq(short_segments(&p), 1);
	core_write(&p, 150 * MSS);
	ck_assert_uint_eq(short_segments(&p), 0);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		window_is_never_exceeded,
		scaled_window_is_never_exceeded,
		shift_of_more_than_14_is_14,
		part_of_the_window_opens_with_each_ack,
		closed_window_is_probed_with_at_most_a_byte,
		window_update_frees_what_waits_at_once,
		answered_probes_come_ever_slower,
		answered_probes_go_on_for_hours,
		lost_probes_are_survived,
		lost_window_update_is_found_by_a_probe,
		probe_byte_that_is_taken_is_counted,
		byte_by_byte_windows_are_used_after_a_probe_was_taken,
		dead_peer_with_a_closed_window_is_given_up,
		silly_window_is_not_filled_at_once,
		silly_window_is_used_in_the_end,
		mss_option_of_a_later_segment_changes_nothing,
		peer_with_a_small_buffer_is_served,
		peer_with_hardly_any_buffer_is_served,
		reordered_acks_do_not_reopen_an_old_window,
		fin_waits_for_the_bytes_before_it,
		small_writes_are_not_held_back,
		long_write_goes_in_whole_segments,
		no_keepalive_unless_asked_for,
		keepalive_asks_for_the_byte_before,
		keepalives_carry_the_agreed_timestamps,
		probes_of_the_window_carry_the_agreed_timestamps,
	};

	return BEHAVE_MAIN("behave_window", tests);
}
