/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_open.c - the handshake, behaviour by behaviour: options, a SYN
 * that is held, and what disturbs either. Each test runs over IPv4 and IPv6. */
#include "behave.h"

#include <errno.h>

#define RTO_FIRST (1000 * SIM_MS)

static struct heard *syn_ack(struct peer *p)
{
	peer_syn(p);
	ck_assert_int_eq(p->end->stream->accept(p->end->self), 0);
	return hear(p);
}

START_TEST(every_option_offered_is_taken_up)
{
	struct peer p = peer_new(_i);
	struct heard *h;

	p.offer = OFFER_ALL;
	h = syn_ack(&p);
	ck_assert_int_eq(h->flags, SYN | ACK);
	ck_assert_int_eq(h->mss, _i ? 1440 : 1460);
	ck_assert_int_eq(h->scale, 8);
	ck_assert(h->sack_allowed && h->stamps);
	ck_assert_uint_eq(h->echo, 1000);
}
END_TEST

START_TEST(plain_syn_gets_only_an_mss)
{
	struct peer p = peer_new(_i);
	struct heard *h;

	p.offer = 0;
	h = syn_ack(&p);
	ck_assert_int_eq(h->mss, _i ? 1440 : 1460);
	ck_assert_int_eq(h->scale, SCALE_NONE);
	ck_assert(!h->sack_allowed && !h->stamps);
}
END_TEST

START_TEST(timestamps_need_an_offer)
{
	struct peer p = peer_open(_i);

	core_write(&p, 10);
	ck_assert(!hear(&p)->stamps);
}
END_TEST

START_TEST(timestamps_agreed_are_in_every_segment)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);

	core_write(&p, 10);
	ck_assert(hear(&p)->stamps);
	p.stamp++;
	say(&p, ACK, 1, 11, 10);
	ck_assert(hear_within(&p, 50 * SIM_MS, NULL)->stamps);
}
END_TEST

START_TEST(sack_needs_permission)
{
	struct peer p = peer_open_with(_i, OFFER_MSS | OFFER_SCALE);
	struct heard *h;

	say(&p, ACK, 101, 1, 100);
	h = hear(&p);
	ck_assert(h->any);
	ck_assert_uint_eq(h->ack, 1);
	ck_assert_int_eq(h->sacks, 0);
}
END_TEST

START_TEST(window_is_scaled_from_the_handshakes_last_ack_on)
{
	struct peer p = peer_new(_i);

	p.window = 1000;
	peer_syn(&p);
	peer_accept(&p);
	p.window = 10; /* times 128 */
	say(&p, ACK, 1, 1, 0);
	core_write(&p, 5000);
	ck_assert_uint_le(hear_all(&p), 1280);
}
END_TEST

START_TEST(window_is_not_scaled_where_one_side_does_not)
{
	struct peer p = peer_new(_i);

	p.offer = OFFER_MSS | OFFER_SACK;
	p.window = 1000;
	peer_complete(&p);
	core_write(&p, 5000);
	ck_assert_uint_le(hear_all(&p), 1000);
}
END_TEST

START_TEST(unknown_options_are_stepped_over)
{
	static const uint8_t options[] = {254, 6, 'w', 'e', 'i', 'r', 30,
					  4,   0, 0,   1,   1,	 4,   2,
					  2,   4, 2,   0,   0,	 0};
	struct peer p = peer_new(_i);
	struct heard *h;

	say_options(&p, SYN, 0, 0, 0, options, sizeof options);
	p.end = sim.ends;
	ck_assert_ptr_nonnull(p.end);
	p.end->stream->accept(p.end->self);
	h = hear(&p);
	ck_assert_int_eq(h->flags, SYN | ACK);
	ck_assert(h->sack_allowed);
	say(&p, ACK, 1, 1, 0);
	core_write(&p, 2000);
	ck_assert_uint_le(hear(&p)->len, 512);
}
END_TEST

START_TEST(absent_mss_means_536)
{
	struct peer p = peer_open_with(_i, 0);

	core_write(&p, 3000);
	ck_assert_uint_eq(hear(&p)->len, 536);
}
END_TEST

START_TEST(mss_is_bounded_by_the_mtu)
{
	struct peer p = peer_new(_i);

	p.mss = 9000;
	peer_complete(&p);
	core_write(&p, 10000);
	ck_assert_uint_eq(hear(&p)->len, _i ? 1440 : 1460);
}
END_TEST

START_TEST(smaller_mtu_makes_a_smaller_mss)
{
	struct weir_link_conf conf = sim_link_conf();
	struct peer p = peer_new(_i);
	struct heard *h;

	conf.mtu_bytes = 1280;
	relink(&conf);
	h = syn_ack(&p);
	ck_assert_int_eq(h->mss, _i ? 1220 : 1240);
	say(&p, ACK, 1, 1, 0);
	core_write(&p, 10000);
	ck_assert_uint_eq(hear(&p)->len, _i ? 1220 : 1240);
}
END_TEST

START_TEST(timestamps_take_their_room_in_the_segment)
{
	struct peer p = peer_open_with(_i, OFFER_ALL);

	core_write(&p, 10000);
	ck_assert_uint_eq(hear(&p)->len, _i ? 1428 : 1448);
}
END_TEST

START_TEST(data_in_a_syn_waits_to_be_sent_again)
{
	struct peer p = peer_new(_i);

	say(&p, SYN, 0, 0, 20);
	p.end = sim.ends;
	ck_assert_ptr_nonnull(p.end);
	peer_accept(&p);
	say(&p, ACK, 1, 1, 20);
	ck_assert_uint_eq(core_read(&p), 20);
}
END_TEST

START_TEST(repeated_syn_is_held_once)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	for (int i = 0; i < 5; i++) {
		sim_run(1000 * SIM_MS);
		peer_syn(&p);
	}
	ck_assert_ptr_null(sim.ends->next);
	hear_nothing(&p);
	peer_accept(&p);
	hear_nothing(&p);
}
END_TEST

START_TEST(ack_without_a_syn_ack_is_ignored_while_held)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	say(&p, ACK, 1, 12345, 10);
	hear_nothing(&p);
	ck_assert_int_eq(p.end->failed, 0);
	peer_accept(&p);
	say(&p, ACK, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

START_TEST(rst_while_held_ends_it_without_an_answer)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	say(&p, RST, 1, 0, 0);
	ck_assert_int_eq(p.end->failed, ECONNRESET);
	ck_assert_uint_eq(sim_counter("half_open"), 0);
	sim_close(p.end, ECONNRESET);
	hear_nothing(&p);
	ck_assert_uint_eq(sim_counter("connections"), 0);
	p.end = NULL;
	peer_syn(&p); /* another try */
	peer_accept(&p);
}
END_TEST

START_TEST(rst_of_another_place_leaves_a_held_syn_alone)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	say(&p, RST, 0, 0, 0);
	say(&p, RST, 2, 0, 0);
	ck_assert_int_eq(p.end->failed, 0);
	hear_nothing(&p);
	peer_accept(&p);
}
END_TEST

START_TEST(held_syn_expires_in_silence)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	sim_run(89000 * SIM_MS);
	ck_assert_int_eq(p.end->failed, 0);
	sim_run(2000 * SIM_MS);
	ck_assert_int_eq(p.end->failed, ETIMEDOUT);
	hear_nothing(&p);
}
END_TEST

START_TEST(what_was_written_while_held_follows_the_handshake)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	core_write(&p, 100);
	peer_accept(&p);
	hear_nothing(&p);
	say(&p, ACK, 1, 1, 0);
	ck_assert_uint_eq(hear(&p)->len, 100);
}
END_TEST

START_TEST(repeated_syn_gets_the_syn_ack_again)
{
	struct peer p = peer_new(_i);
	struct heard *h;
	uint32_t isn;

	peer_syn(&p);
	peer_accept(&p);
	isn = p.irs;
	peer_syn(&p);
	h = hear(&p);
	ck_assert_int_eq(h->flags, SYN | ACK);
	ck_assert_uint_eq(p.irs, isn);
	say(&p, ACK, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

START_TEST(silence_after_a_repeated_syn_is_met_with_syn_acks)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	peer_accept(&p);
	for (int i = 0; i < 3; i++)
		peer_syn(&p);
	hear_all(&p);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(hear_within(&p, 8 * RTO_FIRST, NULL)->flags,
				 SYN | ACK);
	say(&p, ACK, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

START_TEST(unanswered_syn_ack_is_repeated_ever_slower)
{
	struct peer p = peer_new(_i);
	uint64_t after_us, expected_us = RTO_FIRST;

	peer_syn(&p);
	peer_accept(&p);
	for (int i = 0; i < 4; i++, expected_us *= 2) {
		struct heard *h = hear_within(&p, 2 * expected_us, &after_us);

		ck_assert_int_eq(h->flags, SYN | ACK);
		ck_assert_uint_ge(after_us, expected_us);
		ck_assert_uint_le(after_us, expected_us + 10 * SIM_MS);
	}
	say(&p, ACK, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

START_TEST(wrong_ack_in_the_handshake_is_reset_and_harms_nothing)
{
	struct peer p = peer_new(_i);
	struct heard *h;

	peer_syn(&p);
	peer_accept(&p);
	say(&p, ACK, 1, 5000, 0);
	h = hear(&p);
	ck_assert(h->flags & RST);
	ck_assert_uint_eq(h->seq, 5000);
	ck_assert_int_eq(p.end->failed, 0);
	say(&p, ACK, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

START_TEST(data_may_come_with_the_last_ack_of_the_handshake)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	peer_accept(&p);
	say(&p, ACK | PSH, 1, 1, 500);
	ck_assert_uint_eq(core_read(&p), 500);
	ck_assert_uint_eq(hear_within(&p, 50 * SIM_MS, NULL)->ack, 501);
}
END_TEST

START_TEST(fin_may_come_with_the_last_ack_of_the_handshake)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	peer_accept(&p);
	say(&p, ACK | FIN, 1, 1, 5);
	ck_assert_uint_eq(hear_within(&p, ANSWER_US, NULL)->ack, 7);
	ck_assert_uint_eq(core_read(&p), 5);
	ck_assert(core_eof(&p));
}
END_TEST

START_TEST(rst_ends_a_handshake)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	peer_accept(&p);
	say(&p, RST, 1, 0, 0);
	ck_assert_int_eq(p.end->failed, ECONNRESET);
	ck_assert_uint_eq(sim_counter("half_open"), 0);
}
END_TEST

START_TEST(rst_outside_the_window_leaves_a_handshake_alone)
{
	struct peer p = peer_new(_i);

	peer_syn(&p);
	peer_accept(&p);
	say(&p, RST, 0x40000000, 0, 0);
	ck_assert_int_eq(p.end->failed, 0);
	say(&p, ACK, 1, 1, 10);
	ck_assert_uint_eq(core_read(&p), 10);
}
END_TEST

START_TEST(isn_differs_a_connection)
{
	struct peer a = peer_open(_i), b = peer_new(_i), c = peer_new(_i);

	b.path.client_port++;
	peer_complete(&b);
	ck_assert_uint_ne(a.irs, b.irs);
	say(&a, RST, 1, 0, 0);
	sim_close(a.end, ECONNRESET);
	sim_run(1000 * SIM_MS);
	peer_complete(&c);
	ck_assert_uint_ne(a.irs, c.irs);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		every_option_offered_is_taken_up,
		plain_syn_gets_only_an_mss,
		timestamps_need_an_offer,
		timestamps_agreed_are_in_every_segment,
		sack_needs_permission,
		window_is_scaled_from_the_handshakes_last_ack_on,
		window_is_not_scaled_where_one_side_does_not,
		unknown_options_are_stepped_over,
		absent_mss_means_536,
		mss_is_bounded_by_the_mtu,
		smaller_mtu_makes_a_smaller_mss,
		timestamps_take_their_room_in_the_segment,
		data_in_a_syn_waits_to_be_sent_again,
		repeated_syn_is_held_once,
		ack_without_a_syn_ack_is_ignored_while_held,
		rst_while_held_ends_it_without_an_answer,
		rst_of_another_place_leaves_a_held_syn_alone,
		held_syn_expires_in_silence,
		what_was_written_while_held_follows_the_handshake,
		repeated_syn_gets_the_syn_ack_again,
		silence_after_a_repeated_syn_is_met_with_syn_acks,
		unanswered_syn_ack_is_repeated_ever_slower,
		wrong_ack_in_the_handshake_is_reset_and_harms_nothing,
		data_may_come_with_the_last_ack_of_the_handshake,
		fin_may_come_with_the_last_ack_of_the_handshake,
		rst_ends_a_handshake,
		rst_outside_the_window_leaves_a_handshake_alone,
		isn_differs_a_connection,
	};

	return BEHAVE_MAIN("behave_open", tests);
}
