/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A connection that the stack opens: its SYN, and what may answer it. */
#include "behave.h"

#include <errno.h>
#include <stdlib.h>

#define FIRST_RTO_US (1000 * SIM_MS)
#define NEAR_US (10 * SIM_MS)
#define MANY 3000

/* The stack is to call this peer. Returns what it would abandon. */
static void *call(struct peer *p)
{
	bool v6 = p->path.v6;
	struct weir_addr to = {.kind = v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
			       .port = 443};

	memcpy(to.ip, p->path.client, v6 ? 16 : 4);
	p->end = calloc(1, sizeof *p->end);
	p->end->next = sim.ends;
	sim.ends = p->end;
	return sim.ops->open(tun.link, p->end, &to, WEIR_NET_TCP);
}

/* Its SYN has been heard. */
static struct peer peer_called(int v6)
{
	struct peer p = {
		.path = v6 ? path6(443, "fd09::1", 0)
			   : path4(443, "10.9.0.1", 0),
		.iss = 0xffffff00u,
		.window = 65535,
		.mss = 1460,
		.offer = OFFER_MSS,
	};
	const uint8_t *port;

	ck_assert_ptr_nonnull(call(&p));
	ck_assert_ptr_nonnull(tun.out);
	port = tun.out->data + (v6 ? 40 : 20);
	p.path.server_port = (uint16_t)(port[0] << 8 | port[1]);
	ck_assert_int_eq(hear(&p)->flags, SYN);
	return p;
}

/* All of them: MSS, window scale, SACK, timestamps. */
static const uint8_t offers[] = {2, 4, 0, 100, 1, 3, 3, 7,   1, 1, 4, 2,
				 1, 1, 8, 10,  0, 0, 3, 232, 0, 0, 0, 0};
static const uint8_t mss_only[] = {2, 4, 5, 0xb4};

static void answer(struct peer *p)
{
	say_options(p, SYN | ACK, 0, 1, 0, mss_only, sizeof mss_only);
	ck_assert_int_eq(hear_within(p, ANSWER_US, NULL)->flags, ACK);
	ck_assert(p->end->ready);
	say(p, ACK, 1, 1, 10);
	ck_assert_uint_eq(core_read(p), 10);
}

START_TEST(unanswered_syn_is_repeated_ever_slower)
{
	struct peer p = peer_called(_i);
	uint64_t after_us, expected_us = FIRST_RTO_US;

	for (int i = 0; i < 4; i++, expected_us *= 2) {
		struct heard *h = hear_within(&p, 2 * expected_us, &after_us);

		ck_assert_int_eq(h->flags, SYN);
		ck_assert_uint_ge(after_us, expected_us);
		ck_assert_uint_le(after_us, expected_us + NEAR_US);
	}
	answer(&p);
}
END_TEST

/* RFC 9293, 3.5.2: who answers from an old connection is reset, and the SYN
 * goes once more. */
START_TEST(wrong_answer_is_reset_and_the_syn_goes_again)
{
	struct peer p = peer_called(_i);
	struct heard *h;

	say(&p, ACK, 5000, 7000, 0);
	h = hear(&p);
	ck_assert(h->flags & RST);
	ck_assert_uint_eq(h->seq, 7000);
	ck_assert_int_eq(hear(&p)->flags, SYN);
	answer(&p);
}
END_TEST

START_TEST(silence_after_a_wrong_answer_is_met_with_syns)
{
	struct peer p = peer_called(_i);

	for (int i = 0; i < 3; i++)
		say(&p, ACK, 5000, 7000, 0);
	hear_all(&p);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(hear_within(&p, 8 * FIRST_RTO_US, NULL)->flags,
				 SYN);
	answer(&p);
}
END_TEST

/* Each may be forged. */
START_TEST(wrong_answers_draw_one_more_syn_in_all)
{
	struct peer p = peer_called(_i);

	for (int i = 0; i < 5; i++) {
		say(&p, ACK, 5000, 7000, 0);
		ck_assert_int_eq(hear(&p)->flags & RST, RST);
		ck_assert_int_eq(hear(&p)->flags, i ? 0 : SYN);
	}
	answer(&p);
}
END_TEST

/* As are those of segments without a connection. */
START_TEST(resets_of_wrong_answers_are_bounded)
{
	struct peer p = peer_called(_i);
	uint64_t before = tun.packets;

	for (int i = 0; i < MANY; i++)
		say(&p, ACK, 5000, 7000, 0);
	ck_assert_uint_le(tun.packets - before, MANY / 2);
	hear_all(&p);
	answer(&p);
}
END_TEST

START_TEST(reset_that_is_no_answer_is_ignored)
{
	struct peer p = peer_called(_i);

	say(&p, RST | ACK, 0, 7000, 0);
	say(&p, RST, 1, 0, 0);
	hear_nothing(&p);
	ck_assert_int_eq(p.end->failed, 0);
	answer(&p);
}
END_TEST

/* RFC 9293, 3.10.7.3: it is no answer, nor is it wrong. */
START_TEST(ack_of_our_syn_without_a_syn_is_dropped)
{
	struct peer p = peer_called(_i);

	say(&p, ACK, 1, 1, 0);
	say(&p, FIN | ACK, 1, 1, 0);
	hear_nothing(&p);
	answer(&p);
}
END_TEST

/* Of what was not the answer nothing was agreed on. */
static void has_agreed_on_nothing(struct peer *p)
{
	struct heard *h;

	hear_all(p);
	answer(p);
	hear_all(p);
	p->window = 2000;
	say(p, ACK, 11, 1, 0);
	core_write(p, 10000);
	h = hear(p);
	ck_assert_uint_eq(h->len, p->path.v6 ? 1440 : 1460);
	ck_assert(!h->stamps);
	hear_nothing(p);
}

START_TEST(options_of_a_wrong_answer_change_nothing)
{
	struct peer p = peer_called(_i);

	say_options(&p, SYN | ACK, 0, 7000, 0, offers, sizeof offers);
	has_agreed_on_nothing(&p);
}
END_TEST

START_TEST(options_of_a_syn_that_crosses_ours_change_nothing)
{
	struct peer p = peer_called(_i);

	say_options(&p, SYN, 0, 0, 0, offers, sizeof offers);
	hear_nothing(&p);
	has_agreed_on_nothing(&p);
}
END_TEST

static void answer_and_lose(struct peer *p, uint64_t *after_us)
{
	answer(p);
	hear_all(p);
	core_write(p, 1000);
	ck_assert_uint_eq(hear(p)->len, 1000);
	ck_assert_uint_eq(hear_within(p, 20 * FIRST_RTO_US, after_us)->len,
			  1000);
}

START_TEST(round_trip_of_our_syn_times_the_first_data)
{
	struct peer p = peer_called(_i);
	uint64_t after_us;

	sim_run(FAR_RTT);
	answer_and_lose(&p, &after_us);
	ck_assert_uint_le(after_us, 5 * FAR_RTT + NEAR_US);
}
END_TEST

START_TEST(data_does_not_wait_as_long_as_the_syns_before_it)
{
	struct peer p = peer_called(_i);
	uint64_t after_us;

	for (int i = 0; i < 3; i++)
		hear_within(&p, 10 * FIRST_RTO_US, NULL);
	answer_and_lose(&p, &after_us);
	ck_assert_uint_le(after_us, 3 * FIRST_RTO_US);
}
END_TEST

/* There is no client there. */
START_TEST(what_ends_a_connection_outward_is_said_of_the_far_side)
{
	struct peer p = peer_called(_i);

	say(&p, RST | ACK, 0, 1, 0);
	ck_assert_int_eq(p.end->failed, ECONNREFUSED);
	ck_assert_str_eq(p.end->why, "refused by the far side");
	p = peer_called(_i);
	answer(&p);
	say(&p, RST, 11, 0, 0);
	ck_assert_int_eq(p.end->failed, ECONNRESET);
	ck_assert_str_eq(p.end->why, "reset by the far side");
	p = peer_called(_i);
	sim_run(200 * FIRST_RTO_US);
	ck_assert_int_eq(p.end->failed, ETIMEDOUT);
	ck_assert_str_eq(p.end->why, "the far side does not answer");
}
END_TEST

START_TEST(no_more_connections_are_opened_than_there_may_be)
{
	struct sim_conf conf = {2, 2, 16u << 20, 1u << 20};
	struct peer p;

	sim_stop();
	sim_start(&conf);
	sim_attach(&tun, NULL);
	for (int i = 0; i < 2; i++)
		p = peer_called(_i);
	ck_assert_ptr_null(call(&p));
	ck_assert_int_eq(p.end->failed, ENOBUFS);
	hear_nothing(&p);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		unanswered_syn_is_repeated_ever_slower,
		wrong_answer_is_reset_and_the_syn_goes_again,
		silence_after_a_wrong_answer_is_met_with_syns,
		wrong_answers_draw_one_more_syn_in_all,
		resets_of_wrong_answers_are_bounded,
		reset_that_is_no_answer_is_ignored,
		ack_of_our_syn_without_a_syn_is_dropped,
		options_of_a_wrong_answer_change_nothing,
		options_of_a_syn_that_crosses_ours_change_nothing,
		round_trip_of_our_syn_times_the_first_data,
		data_does_not_wait_as_long_as_the_syns_before_it,
		what_ends_a_connection_outward_is_said_of_the_far_side,
		no_more_connections_are_opened_than_there_may_be,
	};

	return BEHAVE_MAIN("behave_connect", tests);
}
