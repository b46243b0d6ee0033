/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_ecn.c - congestion that routers mark (RFC 3168): who asks for it
 * is answered, and marks are echoed. The round trip is 50 ms and a segment
 * 1000 bytes. Each test runs over IPv4 and IPv6, with CUBIC and BBR; of the two
 * only CUBIC lets its own packets be marked. */
#include "behave.h"
#include "cut.h"

#include <stdlib.h>

#define MSS 1000u
#define RTT (50 * SIM_MS)
#define PACED (20 * SIM_MS) /* in which a flight may be spread */
#define ASKS (ECE | CWR)

static uint8_t ours(void) /* the field of new data */
{
	return sim_congestion == SIM_CUBIC ? ECT0 : 0;
}

static struct peer asking(int v6, uint8_t asks)
{
	struct peer p = peer_new(v6);

	p.mss = MSS;
	p.asks = asks;
	return p;
}

static struct heard *answer_to_syn(struct peer *p)
{
	peer_syn(p);
	ck_assert_int_eq(p->end->stream->accept(p->end->self), 0);
	return hear(p);
}

static struct peer open_far(int v6)
{
	struct peer p = asking(v6, ASKS);

	peer_complete_far(&p, RTT);
	return p;
}

static uint32_t at(uint32_t segment)
{
	return 1 + segment * MSS;
}

/* ---- the handshake ---- */

START_TEST(who_asks_is_answered)
{
	struct peer p = asking(_i, ASKS);
	struct heard *h = answer_to_syn(&p);

	ck_assert_int_eq(h->flags, SYN | ACK | ECE);
	ck_assert_int_eq(h->ecn, 0);
}
END_TEST

START_TEST(who_does_not_ask_gets_none)
{
	static const uint8_t asks[] = {0, ECE, CWR};

	for (size_t i = 0; i < sizeof asks; i++) {
		struct peer p = asking(_i, asks[i]);

		p.path.client_port = (uint16_t)(50000 + i);
		ck_assert_int_eq(answer_to_syn(&p)->flags, SYN | ACK);
		say(&p, ACK, 1, 1, 0);
		core_write(&p, MSS);
		ck_assert_int_eq(hear(&p)->ecn, 0);
		p.ecn = CE;
		say(&p, ACK, 1, at(1), MSS);
		ck_assert_int_eq(hear_within(&p, RTT, NULL)->flags, ACK);
	}
}
END_TEST

START_TEST(marked_syn_asks_for_nothing)
{
	struct peer p = asking(_i, ASKS);

	p.ecn = ECT0;
	ck_assert_int_eq(answer_to_syn(&p)->flags, SYN | ACK);
}
END_TEST

START_TEST(repeated_syn_that_does_not_ask_takes_it_back)
{
	struct peer p = asking(_i, ASKS);

	peer_syn(&p);
	p.asks = 0;
	sim_run(1000 * SIM_MS);
	peer_syn(&p);
	ck_assert_int_eq(p.end->stream->accept(p.end->self), 0);
	ck_assert_int_eq(hear(&p)->flags, SYN | ACK);
}
END_TEST

START_TEST(answer_sent_again_says_the_same)
{
	struct peer p = asking(_i, ASKS);
	struct heard *h;

	answer_to_syn(&p);
	h = hear_within(&p, 2000 * SIM_MS, NULL);
	ck_assert_int_eq(h->flags, SYN | ACK | ECE);
	ck_assert_int_eq(h->ecn, 0);
}
END_TEST

/* ---- what may be marked ---- */

START_TEST(new_data_may_be_marked)
{
	struct peer p = open_far(_i);
	struct heard *h;

	core_write(&p, 5 * MSS);
	for (uint32_t i = 0; i < 5; i++) {
		h = hear_within(&p, PACED, NULL);
		ck_assert_uint_eq(h->seq, at(i));
		ck_assert_int_eq(h->ecn, ours());
		ck_assert_int_eq(h->flags & ~PSH, ACK);
	}
}
END_TEST

START_TEST(bare_ack_and_fin_may_not_be_marked)
{
	struct peer p = open_far(_i);

	core_write(&p, MSS);
	hear_all(&p);
	say(&p, ACK, 1, at(1), 2 * MSS);
	ck_assert_int_eq(hear_within(&p, RTT, NULL)->ecn, 0);
	core_finish(&p);
	ck_assert_int_eq(hear(&p)->ecn, 0);
}
END_TEST

START_TEST(what_is_sent_again_may_not_be_marked)
{
	struct peer p = open_far(_i);
	const uint32_t edges[] = {at(1), at(10)};
	struct heard *h;

	core_write(&p, 10 * MSS);
	sim_run(PACED);
	hear_all(&p);
	sim_run(RTT);
	say_sack(&p, 1, at(0), 1, edges);
	h = hear_within(&p, RTT, NULL);
	ck_assert_uint_eq(h->seq, at(0));
	ck_assert_int_eq(h->ecn, 0);
	h = hear_within(&p, 1000 * SIM_MS, NULL); /* after a timeout */
	ck_assert_uint_eq(h->seq, at(0));
	ck_assert_int_eq(h->ecn, 0);
}
END_TEST

START_TEST(probe_of_the_window_may_not_be_marked)
{
	struct peer p = open_far(_i);
	struct heard *h;

	core_write(&p, MSS);
	hear_all(&p);
	p.window = 0;
	say(&p, ACK, 1, at(1), 0);
	core_write(&p, MSS);
	h = hear_within(&p, 10000 * SIM_MS, NULL);
	ck_assert(h->any);
	ck_assert_int_eq(h->ecn, 0);
}
END_TEST

/* ---- the echo ---- */

START_TEST(mark_is_echoed_at_once)
{
	struct peer p = open_far(_i);

	p.ecn = CE;
	say(&p, ACK, 1, 1, 100);
	ck_assert_int_eq(hear(&p)->flags, ACK | ECE);
}
END_TEST

/* A packet with so much payload, read at once. */
static struct heard *ack_of(struct peer *p, uint8_t flags, uint8_t ecn)
{
	p->ecn = ecn;
	say(p, flags, 1 + p->read, 1 + p->written, MSS);
	core_read(p);
	return hear_within(p, RTT, NULL);
}

START_TEST(echo_goes_on_until_the_peer_says_cwr)
{
	struct peer p = open_far(_i);

	ck_assert_int_eq(ack_of(&p, ACK, ECT0)->flags, ACK);
	ck_assert_int_eq(ack_of(&p, ACK, CE)->flags, ACK | ECE);
	ck_assert_int_eq(ack_of(&p, ACK, ECT0)->flags, ACK | ECE);
	ck_assert_int_eq(ack_of(&p, ACK, ECT1)->flags, ACK | ECE);
	ck_assert_int_eq(ack_of(&p, ACK | CWR, ECT0)->flags, ACK);
	ck_assert_int_eq(ack_of(&p, ACK, ECT0)->flags, ACK);
}
END_TEST

START_TEST(mark_on_what_says_cwr_is_a_new_one)
{
	struct peer p = open_far(_i);

	ack_of(&p, ACK, CE);
	ck_assert_int_eq(ack_of(&p, ACK | CWR, CE)->flags, ACK | ECE);
	ck_assert_int_eq(ack_of(&p, ACK, ECT0)->flags, ACK | ECE);
	ck_assert_int_eq(ack_of(&p, ACK | CWR, ECT0)->flags, ACK);
}
END_TEST

START_TEST(data_takes_the_echo_along)
{
	struct peer p = open_far(_i);

	ack_of(&p, ACK, CE);
	core_write(&p, 2 * MSS);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(hear_within(&p, PACED, NULL)->flags & ~PSH,
				 ACK | ECE);
	ack_of(&p, ACK | CWR, ECT0);
	hear_all(&p);
	core_write(&p, MSS);
	ck_assert_int_eq(hear_within(&p, PACED, NULL)->flags & ~PSH, ACK);
}
END_TEST

START_TEST(mark_beyond_a_hole_is_echoed)
{
	struct peer p = open_far(_i);

	p.ecn = CE;
	say(&p, ACK, at(1), 1, MSS);
	ck_assert_int_eq(hear(&p)->flags, ACK | ECE);
	p.ecn = ECT0;
	say(&p, ACK | CWR, at(2), 1, MSS);
	ck_assert_int_eq(hear(&p)->flags, ACK);
}
END_TEST

START_TEST(mark_on_what_is_old_or_empty_means_nothing)
{
	struct peer p = open_far(_i);

	ack_of(&p, ACK, ECT0);
	p.ecn = CE;
	say(&p, ACK, 1, 1, MSS); /* again */
	ck_assert_int_eq(hear(&p)->flags, ACK);
	say(&p, ACK, at(1), 1, 0);
	ck_assert_int_eq(ack_of(&p, ACK, ECT0)->flags, ACK);
	p.ecn = CE;
	say(&p, ACK, at(2) + (1 << 24), 1, MSS); /* beyond the window */
	ck_assert_int_eq(hear(&p)->flags, ACK);
}
END_TEST

/* A burst is acknowledged as a whole, with what it said in the end. */
START_TEST(marks_of_a_burst_count)
{
	struct peer p = open_far(_i);

	p.bursts = true;
	p.ecn = ECT0;
	say(&p, ACK, at(0), 1, MSS);
	p.ecn = CE;
	say(&p, ACK, at(1), 1, MSS);
	p.ecn = ECT0;
	say(&p, ACK, at(2), 1, MSS);
	burst_end();
	ck_assert_int_eq(hear(&p)->flags, ACK | ECE);
	hear_nothing(&p);
	say(&p, ACK, at(3), 1, MSS);
	say(&p, ACK | CWR, at(4), 1, MSS);
	say(&p, ACK, at(5), 1, MSS);
	burst_end();
	ck_assert_int_eq(hear(&p)->flags, ACK);
}
END_TEST

START_TEST(mark_on_a_fragment_is_echoed)
{
	static uint8_t whole[PACKET_MOST], payload[MSS];
	struct peer p = open_far(_i);
	struct client c;
	uint32_t len;

	client_init(&c, &tun, p.path);
	c.seq = p.iss + 1;
	c.ack = p.irs + 1;
	len = make_tcp(whole, &c, ACK, payload, MSS) - (_i ? 40 : 20);
	whole[1] |= _i ? ECT0 << 4 : ECT0;
	send_fragment(&tun, whole, 0, 512, true);
	whole[1] |= _i ? CE << 4 : CE;
	send_fragment(&tun, whole, 512, len - 512, false);
	ck_assert_int_eq(hear_within(&p, RTT, NULL)->flags, ACK | ECE);
}
END_TEST

START_TEST(segments_that_say_ece_alike_are_one_train)
{
	struct peer p = open_far(_i);
	struct iovec v[8];

	p.bursts = true;
	for (uint32_t i = 0; i < 4; i++)
		say(&p, i < 3 ? ACK | ECE : ACK, at(i), 1, MSS);
	burst_end();
	ck_assert_int_eq(p.end->stream->peek(p.end->self, v, 8), 2);
	ck_assert_uint_eq(v[0].iov_len, 3 * MSS);
	core_read(&p);
}
END_TEST

START_TEST(first_piece_of_a_train_keeps_cwr)
{
	struct path path = peer_new(_i).path;
	static uint8_t tcp[20 + 2500], train[60 + 2500];
	struct iovec view = {train, 0};
	struct weir_egress whole = {.view = &view, .views = 1};
	uint32_t header = _i ? 60 : 40;

	memset(tcp, 0, sizeof tcp);
	tcp[12] = 5 << 4;
	tcp[13] = ACK | CWR | ECE;
	view.iov_len = make_ip(train, &path, IPPROTO_TCP, tcp, sizeof tcp);
	whole.header_len = (uint16_t)header;
	cut_output(tun.link, &whole, MSS);
	for (int i = 0; i < 3; i++) {
		struct sim_packet *piece = sim_output(&tun);

		ck_assert_int_eq(piece->data[header - 20 + 13],
				 i ? ACK | ECE : ACK | CWR | ECE);
		free(piece);
	}
	ck_assert_ptr_null(sim_output(&tun));
}
END_TEST

START_TEST(echo_is_nothing_to_who_may_not_be_marked)
{
	struct peer p = open_far(_i);
	uint32_t sent = 0;

	if (sim_congestion == SIM_CUBIC)
		return; /* test_behave_marked.c */
	core_write(&p, 100 * MSS);
	sim_run(PACED);
	ck_assert_uint_eq(hear_all(&p), 10 * MSS);
	sim_run(RTT);
	for (uint32_t i = 1; i <= 10; i++)
		say(&p, ACK | ECE, 1, at(i), 0);
	for (struct heard *h; (h = hear_within(&p, PACED, NULL))->any;) {
		ck_assert_int_eq(h->flags & CWR, 0);
		sent += h->len / MSS;
	}
	ck_assert_uint_gt(sent, 10);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		who_asks_is_answered,
		who_does_not_ask_gets_none,
		marked_syn_asks_for_nothing,
		repeated_syn_that_does_not_ask_takes_it_back,
		answer_sent_again_says_the_same,
		new_data_may_be_marked,
		bare_ack_and_fin_may_not_be_marked,
		what_is_sent_again_may_not_be_marked,
		probe_of_the_window_may_not_be_marked,
		mark_is_echoed_at_once,
		echo_goes_on_until_the_peer_says_cwr,
		mark_on_what_says_cwr_is_a_new_one,
		data_takes_the_echo_along,
		mark_beyond_a_hole_is_echoed,
		mark_on_what_is_old_or_empty_means_nothing,
		marks_of_a_burst_count,
		mark_on_a_fragment_is_echoed,
		segments_that_say_ece_alike_are_one_train,
		first_piece_of_a_train_keeps_cwr,
		echo_is_nothing_to_who_may_not_be_marked,
	};

	return BEHAVE_MAIN("ecn", tests);
}
