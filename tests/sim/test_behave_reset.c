/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_reset.c - RST in every state, behaviour by behaviour, and the
 * answer to those, and to SYNs, that may be forged (RFC 5961). Each test runs
 * over IPv4 and IPv6. */
#include "behave.h"

#include <errno.h>

#define MANY 3000
#define SHORT_OF_MEMORY (6ull << 20)
#define FAR_BYTES 100000u /* more than goes out at once */

static void is_reset(struct peer *p, uint32_t seq)
{
	say(p, RST, seq, 0, 0);
	hear_nothing(p);
	ck_assert_int_eq(p->end->failed, ECONNRESET);
	sim_close(p->end, ECONNRESET);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}

static void stay(struct peer *p)
{
	(void)p;
}

START_TEST(rst_ends_every_state_but_time_wait)
{
	/* `seq`: what the stack expects next. */
	static const struct {
		void (*reach)(struct peer *);
		uint32_t seq;
	} states[] = {
		{stay, 1},
		{reach_fin_wait_1, 1},
		{reach_fin_wait_2, 1},
		{reach_close_wait, 2},
		{reach_closing, 2},
		{reach_last_ack, 2},
	};

	for (size_t i = 0; i < sizeof states / sizeof *states; i++) {
		struct peer p = peer_open(_i);

		states[i].reach(&p);
		is_reset(&p, states[i].seq);
	}
}
END_TEST

START_TEST(rst_in_time_wait_is_ignored)
{
	struct peer p = peer_open(_i);

	reach_time_wait(&p);
	say(&p, RST, 2, 0, 0);
	hear_nothing(&p);
	ck_assert_int_eq(p.end->failed, 0);
	ck_assert_uint_eq(sim_counter("connections"), 1);
}
END_TEST

START_TEST(rst_elsewhere_in_the_window_is_challenged)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, RST, 1000, 0, 0);
	h = hear(&p);
	ck_assert_int_eq(h->flags, ACK);
	ck_assert_uint_eq(h->ack, 1);
	ck_assert_uint_eq(h->seq, 1);
	ck_assert_int_eq(p.end->failed, 0);
	is_reset(&p, 1); /* the answer to the challenge */
}
END_TEST

START_TEST(challenges_are_not_saved_up)
{
	struct peer p = peer_open(_i);

	for (uint64_t sent = 0; sent <= 5; sent += 5) {
		ck_assert_uint_eq(sim_counter("challenge_acks"), sent);
		for (int i = 0; i < 100; i++)
			say(&p, RST, 1000, 0, 0);
		ck_assert_uint_eq(sim_counter("challenge_acks"), sent + 5);
		sim_run(100000 * SIM_MS);
	}
	hear_all(&p);
	ck_assert_int_eq(p.end->failed, 0);
}
END_TEST

START_TEST(rst_outside_the_window_is_dropped)
{
	struct peer p = peer_open(_i);

	say(&p, RST, 0x40000000, 0, 0);
	say(&p, RST, 0, 0, 0);
	hear_nothing(&p);
	ck_assert_int_eq(p.end->failed, 0);
}
END_TEST

START_TEST(syn_in_the_window_is_challenged)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, SYN, 500, 0, 0);
	h = hear(&p);
	ck_assert_int_eq(h->flags, ACK);
	ck_assert_uint_eq(h->ack, 1);
	ck_assert_int_eq(p.end->failed, 0);
}
END_TEST

START_TEST(syn_outside_the_window_is_challenged)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	say(&p, SYN, 0x40000000, 0, 0);
	h = hear(&p);
	ck_assert_int_eq(h->flags, ACK);
	ck_assert_uint_eq(h->ack, 1);
	ck_assert_ptr_null(sim.ends->next);
}
END_TEST

START_TEST(rebooted_peer_resets_what_is_challenged)
{
	struct peer p = peer_open(_i);

	say(&p, SYN, 0x40000000, 0, 0);
	ck_assert_uint_eq(hear(&p)->ack, 1);
	is_reset(&p, 1);
}
END_TEST

START_TEST(resets_of_strangers_are_bounded)
{
	struct peer p = peer_new(_i);
	uint64_t before = tun.packets;

	say(&p, ACK, 5000, 7000, 10);
	ck_assert_int_eq(hear(&p)->flags, RST);
	for (int i = 0; i < MANY; i++)
		say(&p, ACK, 5000, 7000, 10);
	ck_assert_uint_le(tun.packets - before, MANY / 2);
}
END_TEST

START_TEST(abort_resets_at_the_next_byte)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	core_write(&p, 100);
	hear_all(&p);
	sim_close(p.end, ECONNABORTED);
	h = hear(&p);
	ck_assert(h->flags & RST);
	ck_assert_uint_eq(h->seq, 101);
	say(&p, ACK, 1, 101, 10); /* it did not hear */
	h = hear(&p);
	ck_assert(h->flags & RST);
	ck_assert_uint_eq(h->seq, 101);
}
END_TEST

/* A delayed ACK is not sent any more, nor what is to be resent with it. */
START_TEST(abort_while_segments_wait_to_go_again)
{
	struct peer p = peer_open(_i);
	struct heard *h;

	core_write(&p, 10000);
	hear_all(&p);
	sim_run(3000 * SIM_MS);
	hear_all(&p);
	say(&p, ACK | PSH, 1, 1, 10);
	sim_close(p.end, ECONNABORTED);
	h = hear(&p);
	ck_assert(h->flags & RST);
	ck_assert_uint_eq(h->seq, 10001);
	hear_nothing(&p);
}
END_TEST

/* The core has written it: it came before the far side's reset. */
START_TEST(far_side_s_reset_comes_behind_its_last_bytes)
{
	struct peer p = peer_open(_i);
	struct heard *h;
	uint32_t at = 1;

	core_write(&p, FAR_BYTES);
	sim_close(p.end, ECONNRESET);
	while ((h = hear_within(&p, ANSWER_US, NULL))->len) {
		at = h->seq + h->len;
		say(&p, ACK, 1, at, 0);
	}
	ck_assert(h->flags & RST);
	ck_assert(!(h->flags & FIN));
	ck_assert_uint_eq(at, 1 + FAR_BYTES);
	ck_assert_uint_eq(h->seq, at);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(far_side_s_reset_does_not_wait_for_a_peer_that_is_full)
{
	struct peer p = peer_open(_i);
	struct heard *h;
	uint32_t sent;

	core_write(&p, FAR_BYTES);
	sent = hear_all(&p);
	ck_assert_uint_lt(sent, FAR_BYTES);
	sim_close(p.end, ECONNRESET);
	hear_nothing(&p);
	p.window = 0;
	say(&p, ACK, 1, 1 + sent, 0);
	h = hear(&p);
	ck_assert(h->flags & RST);
	ck_assert_uint_eq(h->seq, 1 + sent);
}
END_TEST

/* What the SYN-ACK has agreed to stays, whatever the SYN says now. */
START_TEST(options_of_a_repeated_syn_change_nothing)
{
	struct peer p = peer_new(_i);
	struct heard *h;

	p.offer = OFFER_MSS;
	peer_syn(&p);
	peer_accept(&p);
	p.offer = OFFER_ALL;
	p.mss = 100;
	peer_syn(&p);
	h = hear(&p);
	ck_assert_int_eq(h->flags, SYN | ACK);
	ck_assert_int_eq(h->scale, SCALE_NONE);
	ck_assert(!h->sack_allowed && !h->stamps);
	p.window = 2000;
	say(&p, ACK, 1, 1, 0);
	core_write(&p, 10000);
	h = hear(&p);
	ck_assert_uint_eq(h->len, _i ? 1440 : 1460);
	ck_assert(!h->stamps);
	hear_nothing(&p);
}
END_TEST

START_TEST(options_of_a_repeated_syn_change_nothing_where_memory_is_short)
{
	struct sim_conf conf = {65535, 65535, SHORT_OF_MEMORY, 1 << 20};

	sim_flush(&tun);
	sim_stop();
	sim_start(&conf);
	sim_attach(&tun, NULL);
	for (uint16_t i = 0; i < 100; i++) {
		struct peer p = peer_new(_i);
		uint32_t at = 1;

		p.path.client_port += i;
		p.offer = OFFER_MSS;
		peer_syn(&p);
		peer_accept(&p);
		p.offer = OFFER_USUAL;
		peer_syn(&p);
		ck_assert_int_eq(hear(&p)->scale, SCALE_NONE);
		say(&p, ACK, 1, 1, 0);
		for (int k = 0; k < 100; k++, at += 1000)
			say(&p, ACK, at, 1, 1000);
		hear_all(&p);
	}
}
END_TEST

START_TEST(syn_of_another_kind_does_not_disturb_the_handshake)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	peer_accept(&p);
	say(&p, SYN | ACK, 100, 1, 0);
	ck_assert_int_eq(hear(&p)->flags & ~ECE, ACK);
	say(&p, SYN, 100, 0, 0);
	ck_assert_int_eq(hear(&p)->flags & ~ECE, ACK);
	say(&p, ACK, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
	core_write(&p, 100);
	ck_assert_uint_eq(hear(&p)->len, 100);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		rst_ends_every_state_but_time_wait,
		rst_in_time_wait_is_ignored,
		rst_elsewhere_in_the_window_is_challenged,
		challenges_are_not_saved_up,
		rst_outside_the_window_is_dropped,
		syn_in_the_window_is_challenged,
		syn_outside_the_window_is_challenged,
		rebooted_peer_resets_what_is_challenged,
		resets_of_strangers_are_bounded,
		abort_resets_at_the_next_byte,
		abort_while_segments_wait_to_go_again,
		far_side_s_reset_comes_behind_its_last_bytes,
		far_side_s_reset_does_not_wait_for_a_peer_that_is_full,
		options_of_a_repeated_syn_change_nothing,
		options_of_a_repeated_syn_change_nothing_where_memory_is_short,
		syn_of_another_kind_does_not_disturb_the_handshake,
	};

	return BEHAVE_MAIN("behave_reset", tests);
}
