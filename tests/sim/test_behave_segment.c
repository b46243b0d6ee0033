/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_segment.c - segments that an honest peer does not send, or sends
 * late: forged, old, beyond the window. Each test runs over IPv4 and IPv6. */
#include "behave.h"

#include <errno.h>

#define FIRST_WINDOW (256u * 1024)
#define CHALLENGES_AT_ONCE 5
#define CHALLENGES_IN_5_S 10

static int challenges(struct peer *p)
{
	int n = 0;

	for (struct heard *h = hear(p); h->any; h = hear(p)) {
		ck_assert_int_eq(h->flags, ACK);
		ck_assert_uint_eq(h->len, 0);
		n++;
	}
	return n;
}

START_TEST(data_kept_for_later_ends_at_the_window)
{
	struct peer p = peer_open(_i);
	uint32_t at = 1;

	say(&p, ACK, FIRST_WINDOW - 999, 1, 2000);
	ck_assert_int_eq(hear(&p)->sacks, 0);
	for (; at + 1000 < FIRST_WINDOW; at += 1000)
		say(&p, ACK, at, 1, 1000);
	say(&p, ACK, at, 1, FIRST_WINDOW + 1 - at);
	ck_assert_uint_eq(core_read(&p), FIRST_WINDOW);
	ck_assert_int_eq(p.end->failed, 0);
}
END_TEST

START_TEST(fin_kept_for_later_ends_at_the_window)
{
	struct peer p = peer_open(_i);
	uint32_t at = 1;

	say(&p, ACK | FIN, FIRST_WINDOW - 999, 1, 1000);
	for (; at + 1000 < FIRST_WINDOW; at += 1000)
		say(&p, ACK, at, 1, 1000);
	say(&p, ACK, at, 1, FIRST_WINDOW + 1 - at);
	ck_assert_uint_eq(core_read(&p), FIRST_WINDOW);
	ck_assert(!core_eof(&p));
	say(&p, ACK | FIN, FIRST_WINDOW + 1, 1, 0);
	ck_assert(core_eof(&p));
}
END_TEST

START_TEST(ack_of_the_future_is_challenged_and_brings_no_data)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	core_write(&p, 100);
	hear_all(&p);
	say(&p, ACK, 1, 102, 10);
	h = hear(&p);
	ck_assert_int_eq(h->flags, ACK);
	ck_assert_uint_eq(h->seq, 101);
	ck_assert_uint_eq(h->ack, 1);
	ck_assert_uint_eq(core_read(&p), 0);
	say(&p, ACK, 1, 101, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

START_TEST(ack_older_than_any_window_is_challenged_and_brings_no_data)
{
	struct peer p = peer_new(_i);

	p.window = 10; /* times 128 */
	peer_complete(&p);
	core_write(&p, 1000);
	hear_all(&p);
	say(&p, ACK, 1, 1001, 0);
	say(&p, ACK, 1, 1001 - 1281, 10);
	ck_assert_int_eq(challenges(&p), 1);
	ck_assert_uint_eq(core_read(&p), 0);
	say(&p, ACK, 1, 1001 - 1280, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

static void forge_reset(struct peer *p)
{
	say(p, RST, 1000, 0, 0);
}

static void forge_syn(struct peer *p)
{
	say(p, SYN, 5000, 0, 0);
}

static void forge_ack(struct peer *p)
{
	say(p, ACK, 1, 0x40000000, 10);
}

static void repeat_an_old_ack(struct peer *p)
{
	say(p, ACK, 0, 1, 0);
}

static void (*const forgeries[])(struct peer *) = {
	forge_reset, forge_syn, forge_ack, repeat_an_old_ack};
#define FORGERIES (sizeof forgeries / sizeof forgeries[0])

START_TEST(challenges_are_bounded_for_a_connection)
{
	for (size_t f = 0; f < FORGERIES; f++) {
		struct peer p = peer_new(_i);

		p.path.client_port += (uint16_t)f;
		peer_complete(&p);
		for (int i = 0; i < 100; i++)
			forgeries[f](&p);
		ck_assert_int_eq(challenges(&p), CHALLENGES_AT_ONCE);
		for (int i = 0; i < 500; i++) {
			sim_run(10 * SIM_MS - 10);
			forgeries[f](&p);
		}
		ck_assert_int_eq(challenges(&p),
				 CHALLENGES_IN_5_S - CHALLENGES_AT_ONCE - 1);
		ck_assert_int_eq(p.end->failed, 0);
		sim_run(10000 * SIM_MS);
	}
	ck_assert_uint_gt(sim_counter("challenge_acks_spared"), 0);
}
END_TEST

#define MANY 400

START_TEST(challenges_are_bounded_for_the_stack)
{
	uint64_t sent;

	for (uint16_t i = 0; i < MANY; i++) {
		struct peer p = peer_new(_i);

		p.path.client_port = (uint16_t)(1024 + i);
		peer_complete(&p);
		for (int k = 0; k < CHALLENGES_AT_ONCE; k++)
			forge_syn(&p);
		challenges(&p);
	}
	sent = sim_counter("challenge_acks");
	ck_assert_uint_ge(sent, 500);
	ck_assert_uint_le(sent, 1000);
	ck_assert_uint_eq(sim_counter("challenge_acks_spared"),
			  MANY * CHALLENGES_AT_ONCE - sent);
}
END_TEST

/* They ask for an ACK; many connections that are challenged must not be in the
 * way of it. */
START_TEST(keepalives_are_answered_when_the_stack_has_challenged_enough)
{
	struct peer p = peer_open(_i);

	for (uint16_t i = 0; i < MANY; i++) {
		struct peer other = peer_new(_i);

		other.path.client_port = (uint16_t)(1024 + i);
		peer_complete(&other);
		for (int k = 0; k < CHALLENGES_AT_ONCE; k++)
			forge_syn(&other);
		challenges(&other);
	}
	ck_assert_uint_gt(sim_counter("challenge_acks_spared"), 0);
	repeat_an_old_ack(&p);
	ck_assert_int_eq(challenges(&p), 1);
	for (int i = 0; i < 100; i++)
		repeat_an_old_ack(&p);
	ck_assert_int_eq(challenges(&p), CHALLENGES_AT_ONCE - 1);
}
END_TEST

/* RFC 5961, 4: it is challenged, and nothing in it is looked at. */
START_TEST(syn_on_an_open_connection_acknowledges_nothing)
{
	static const uint32_t acks[] = {1001, 3001, 5001};

	for (size_t i = 0; i < sizeof acks / sizeof *acks; i++) {
		struct peer p = peer_new(_i);
		struct heard *h;

		p.path.client_port += (uint16_t)i;
		p.mss = 1000;
		peer_complete(&p);
		core_write(&p, 5000);
		ck_assert_uint_eq(hear_all(&p), 5000);
		say(&p, SYN | ACK, 1000000, acks[i], 0);
		say(&p, SYN | ACK, 1, acks[i], 0);
		ck_assert_int_eq(challenges(&p), 2);
		h = hear_within(&p, 5000 * SIM_MS, NULL);
		ck_assert_uint_ge(h->len, 1);
		say_sack(&p, 1, 1, 1, (const uint32_t[]){1001, 5001});
		do
			h = hear_within(&p, 5000 * SIM_MS, NULL);
		while (h->any && h->seq != 1);
		ck_assert_uint_eq(h->len, 1000);
		say(&p, ACK, 1, 5001, 0);
		hear_all(&p);
		core_write(&p, 5000);
		ck_assert_uint_eq(hear(&p)->seq, 5001);
		hear_all(&p);
		say(&p, RST, 1, 0, 0);
	}
}
END_TEST

START_TEST(old_timestamp_of_a_bare_ack_counts_too)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);

	p.stamp = 2000;
	say(&p, ACK, 1, 1, 100);
	core_write(&p, 100);
	hear_all(&p);
	p.stamp = 1500;
	say(&p, ACK, 101, 101, 0);
	ck_assert_uint_eq(hear(&p)->ack, 101);
	ck_assert_uint_eq(hear_within(&p, 3000 * SIM_MS, NULL)->seq, 1);
}
END_TEST

/* What it says from now on is older than its first 100 bytes. */
static struct peer peer_gone_back(int i)
{
	struct peer p = peer_open_with(i, OFFER_ALL);

	p.stamp = 2000;
	say(&p, ACK, 1, 1, 100);
	hear_all(&p);
	p.stamp = 1500;
	return p;
}

START_TEST(old_timestamp_of_a_fin_counts_too)
{
	struct peer p = peer_gone_back(_i);

	core_read(&p);
	say(&p, ACK | FIN, 101, 1, 0);
	ck_assert(!core_eof(&p));
}
END_TEST

/* RFC 7323, 5.3: no bound may leave a peer without that ACK. */
START_TEST(data_with_an_old_timestamp_is_answered_each_time)
{
	struct peer p = peer_gone_back(_i);

	for (int i = 0; i < 2 * CHALLENGES_IN_5_S; i++) {
		say(&p, ACK, 101, 1, 100);
		ck_assert_uint_eq(hear(&p)->ack, 101);
	}
}
END_TEST

START_TEST(old_timestamp_of_a_reset_does_not_matter)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);

	p.stamp = 2000;
	say(&p, ACK, 1, 1, 100);
	p.stamp = 1500;
	say(&p, RST, 101, 0, 0);
	ck_assert_int_eq(p.end->failed, ECONNRESET);
}
END_TEST

START_TEST(timestamps_of_a_month_ago_prove_nothing)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);

	p.stamp = 2000;
	say(&p, ACK, 1, 1, 100);
	hear_all(&p);
	sim_run(30ull * 86400 * 1000 * SIM_MS);
	p.stamp = 1500;
	say(&p, ACK, 101, 1, 100);
	ck_assert_uint_eq(core_read(&p), 200);
}
END_TEST

static void window_is_open(struct peer *p, uint32_t seq)
{
	core_write(p, 500);
	ck_assert_uint_eq(hear(p)->len, 500);
	p->window = 65535;
	say(p, ACK, seq, p->written + 1, 0);
}

/* Older by what it acknowledges, and by where it is. */
START_TEST(late_segments_do_not_close_the_window)
{
	struct peer p = peer_open(_i);

	core_write(&p, 2000);
	hear_all(&p);
	say(&p, ACK, 1, 2001, 0);
	p.window = 0;
	say(&p, ACK, 1, 1001, 0);
	window_is_open(&p, 1);
	say(&p, ACK, 1, p.written + 1, 100);
	say(&p, ACK, 101, p.written + 1, 100);
	hear_all(&p);
	p.window = 0;
	say(&p, ACK, 1, p.written + 1, 100);
	hear_all(&p);
	window_is_open(&p, 201);
}
END_TEST

START_TEST(acks_are_not_answered_while_the_window_is_closed)
{
	struct peer p = peer_open(_i);
	uint32_t at = 1;

	for (; at + 1000 < FIRST_WINDOW; at += 1000)
		say(&p, ACK, at, 1, 1000);
	say(&p, ACK, at, 1, FIRST_WINDOW + 1 - at);
	hear_all(&p);
	for (int i = 0; i < 10; i++)
		say(&p, ACK, FIRST_WINDOW + 1, 1, 0);
	hear_nothing(&p);
	say(&p, ACK, FIRST_WINDOW + 1, 1, 1);
	ck_assert_uint_eq(hear(&p)->window, 0);
	ck_assert_uint_eq(core_read(&p), FIRST_WINDOW);
}
END_TEST

START_TEST(window_that_closes_and_nothing_else_is_believed)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	p.window = 0;
	say(&p, ACK, 1, 1, 0);
	core_write(&p, 5000);
	hear_nothing(&p);
	h = hear_within(&p, 5000 * SIM_MS, NULL);
	ck_assert_uint_le(h->len, 1);
	p.window = 65535;
	say(&p, ACK, 1, 1, 0);
	ck_assert_uint_eq(hear_all(&p), 5000);
}
END_TEST

START_TEST(probe_may_have_been_all_there_was)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	p.window = 0;
	say(&p, ACK, 1, 1, 0);
	core_write(&p, 1);
	h = hear_within(&p, 5000 * SIM_MS, NULL);
	ck_assert_uint_eq(h->len, 1);
	say(&p, ACK, 1, 2, 0);
	sim_run(10000 * SIM_MS);
	hear_nothing(&p);
	p.window = 65535;
	say(&p, ACK, 1, 2, 0);
	core_write(&p, 10);
	ck_assert_uint_eq(hear(&p)->seq, 2);
}
END_TEST

/* It had bytes in flight when the window closed, and they were not taken. */
START_TEST(window_closed_over_bytes_in_flight_is_asked_for_hours)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	core_write(&p, 5000);
	hear_all(&p);
	p.window = 0;
	for (uint64_t begun_us = sim.now_us;
	     sim.now_us - begun_us < 7200000 * SIM_MS;) {
		say(&p, ACK, 1, 1, 0);
		h = hear_within(&p, 65000 * SIM_MS, NULL);
		ck_assert(h->any);
		hear_all(&p);
	}
	ck_assert_int_eq(p.end->failed, 0);
	p.window = 65535;
	say(&p, ACK, 1, 1001, 0);
	for (int i = 0; i < 100; i++) {
		h = hear_within(&p, 1000 * SIM_MS, NULL);
		if (h->any)
			say(&p, ACK, 1, h->seq + h->len, 0);
	}
	core_write(&p, 10);
	ck_assert_uint_eq(hear(&p)->seq, 5001);
}
END_TEST

START_TEST(silent_peer_with_a_window_closed_over_bytes_is_given_up)
{
	struct peer p = peer_open(_i);

	core_write(&p, 5000);
	hear_all(&p);
	p.window = 0;
	say(&p, ACK, 1, 1, 0);
	sim_run(3600000 * SIM_MS);
	ck_assert_int_eq(p.end->failed, ETIMEDOUT);
}
END_TEST

/* 3000 bytes that did not arrive are sent again, though a byte at `seq` says
 * that they did. */
static void is_not_taken(int v6, uint32_t seq)
{
	struct peer p = peer_open(v6);

	core_write(&p, 3000);
	hear_all(&p);
	say(&p, ACK, seq, 3001, 1);
	hear_all(&p);
	sim_run(20000 * SIM_MS);
	ck_assert_uint_ge(hear_all(&p), 1000);
}

START_TEST(ack_of_data_ahead_of_the_window_is_not_taken)
{
	is_not_taken(_i, 0x40000000);
}
END_TEST

START_TEST(ack_of_data_older_than_any_window_is_not_taken)
{
	is_not_taken(_i, 0xc0000000);
}
END_TEST

/* Once windows were told with bytes that are ahead, those that come with what
 * is in order count again. */
START_TEST(window_of_data_ahead_is_not_the_last_word)
{
	struct peer p = peer_open(_i);
	uint32_t got = 3001;
	struct heard *h;

	core_write(&p, 3000);
	hear_all(&p);
	p.window = 0;
	say(&p, ACK, 5000, 1, 1);
	hear_all(&p);
	p.window = 65535;
	say(&p, ACK, 1, got, 0);
	core_write(&p, 100000);
	while ((h = hear_within(&p, 1000 * SIM_MS, NULL))->any) {
		if (h->seq + h->len > got)
			got = h->seq + h->len;
		say(&p, ACK, 1, got, 0);
	}
	ck_assert_uint_eq(got, 103001);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		data_kept_for_later_ends_at_the_window,
		fin_kept_for_later_ends_at_the_window,
		ack_of_the_future_is_challenged_and_brings_no_data,
		ack_older_than_any_window_is_challenged_and_brings_no_data,
		ack_of_data_ahead_of_the_window_is_not_taken,
		ack_of_data_older_than_any_window_is_not_taken,
		window_of_data_ahead_is_not_the_last_word,
		challenges_are_bounded_for_a_connection,
		challenges_are_bounded_for_the_stack,
		keepalives_are_answered_when_the_stack_has_challenged_enough,
		syn_on_an_open_connection_acknowledges_nothing,
		old_timestamp_of_a_bare_ack_counts_too,
		old_timestamp_of_a_fin_counts_too,
		data_with_an_old_timestamp_is_answered_each_time,
		old_timestamp_of_a_reset_does_not_matter,
		timestamps_of_a_month_ago_prove_nothing,
		late_segments_do_not_close_the_window,
		acks_are_not_answered_while_the_window_is_closed,
		window_that_closes_and_nothing_else_is_believed,
		probe_may_have_been_all_there_was,
		window_closed_over_bytes_in_flight_is_asked_for_hours,
		silent_peer_with_a_window_closed_over_bytes_is_given_up,
	};

	return BEHAVE_MAIN("behave_segment", tests);
}
