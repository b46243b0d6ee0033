/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two streams and the pump between them. */
#include "core/relay.h"
#include "fake.h"

#define ALL (FAKE_PEEK | FAKE_READ | FAKE_WRITE | FAKE_RESERVE)

struct pair {
	struct fake_end a, b; /* in, out */
	struct relay relay;
};

static struct pair *pair_new(unsigned a, unsigned b)
{
	static struct pair p; /* too big for the stack; a fork a test */

	memset(&p, 0, sizeof p);
	fake_end_init(&p.a, a);
	fake_end_init(&p.b, b);
	p.relay.end[RELAY_IN].ops = &p.a.ops;
	p.relay.end[RELAY_IN].s = &p.a;
	p.relay.end[RELAY_OUT].ops = &p.b.ops;
	p.relay.end[RELAY_OUT].s = &p.b;
	p.relay.hold_bytes = 8;
	return &p;
}

static const struct {
	unsigned reader, writer;
} pairings[] = {
	{FAKE_PEEK, FAKE_WRITE},
	{FAKE_PEEK, FAKE_RESERVE},
	{FAKE_PEEK | FAKE_LEND, FAKE_WRITE | FAKE_KEEP},
	{FAKE_PEEK | FAKE_LEND, FAKE_WRITE},
	{FAKE_PEEK, FAKE_WRITE | FAKE_KEEP},
	{FAKE_READ, FAKE_WRITE},
	{FAKE_READ, FAKE_RESERVE},
	{FAKE_PEEK | FAKE_READ, FAKE_WRITE},
	{FAKE_PEEK | FAKE_READ, FAKE_RESERVE},
	{FAKE_PEEK | FAKE_READ, FAKE_WRITE | FAKE_RESERVE},
};

#define PAIRINGS (int)(sizeof pairings / sizeof pairings[0])

static struct pair *pairing(int i)
{
	return pair_new(pairings[i].reader | FAKE_WRITE,
			pairings[i].writer | FAKE_PEEK);
}

START_TEST(relay_moves_bytes_by_every_pairing)
{
	for (int i = 0; i < PAIRINGS; i++) {
		struct pair *p = pairing(i);

		p->a.view_bytes = 2;
		fake_end_receive(&p->a, "abcdefghijklmnopqrstuvwxyz");
		ck_assert(!relay_pump(&p->relay));
		ck_assert_str_eq(fake_end_sent(&p->b),
				 "abcdefghijklmnopqrstuvwxyz");
		ck_assert_uint_eq(p->relay.end[RELAY_IN].bytes, 26);
		relay_fini(&p->relay);
	}
}
END_TEST

START_TEST(relay_lends_what_can_be_kept)
{
	struct pair *p =
		pair_new(ALL | FAKE_LEND, FAKE_PEEK | FAKE_WRITE | FAKE_KEEP);

	p->a.view_bytes = 2;
	fake_end_receive(&p->a, "abcdef");
	relay_pump(&p->relay);
	ck_assert_str_eq(fake_end_sent(&p->b), "abcdef");
	ck_assert_int_eq(p->b.kept, 2);
	/* Ends from before 1.5 know nothing of it. */
	p->a.ops.size = offsetof(struct weir_stream_ops, peek_loans);
	fake_end_receive(&p->a, "gh");
	relay_pump(&p->relay);
	p->a.ops.size = sizeof p->a.ops;
	p->b.ops.size = offsetof(struct weir_stream_ops, write_loans);
	fake_end_receive(&p->a, "ij");
	relay_pump(&p->relay);
	ck_assert_str_eq(fake_end_sent(&p->b), "abcdefghij");
	ck_assert_int_eq(p->b.kept, 2);
}
END_TEST

START_TEST(relay_moves_both_directions)
{
	struct pair *p = pair_new(ALL, ALL);

	fake_end_receive(&p->a, "question");
	fake_end_receive(&p->b, "answer");
	relay_pump(&p->relay);
	ck_assert_str_eq(fake_end_sent(&p->b), "question");
	ck_assert_str_eq(fake_end_sent(&p->a), "answer");
}
END_TEST

START_TEST(relay_stops_reading_when_the_peer_is_full)
{
	for (int i = 0; i < PAIRINGS; i++) {
		struct pair *p = pairing(i);
		bool holds = pairings[i].reader == FAKE_READ &&
			     pairings[i].writer == FAKE_WRITE;

		p->b.room = 4;
		fake_end_receive(&p->a, "abcdefghijklmnopqrst");
		ck_assert(!relay_pump(&p->relay));
		ck_assert_str_eq(fake_end_sent(&p->b), "abcd");
		ck_assert_uint_eq(p->a.in_off, holds ? 8 : 4);
		relay_pump(&p->relay);
		ck_assert_uint_eq(p->a.in_off, holds ? 8 : 4);
		relay_fini(&p->relay);
	}
}
END_TEST

START_TEST(relay_loses_nothing_through_a_peer_of_one_byte)
{
	for (int i = 0; i < PAIRINGS; i++) {
		struct pair *p = pairing(i);

		p->a.in_eof = true;
		fake_end_receive(&p->a, "abcdefghijklmnopqrst");
		for (int n = 0; n < 24; n++) {
			p->b.room = 1;
			relay_pump(&p->relay);
			if (p->b.out_len < 20)
				ck_assert_int_eq(p->b.finishes, 0);
		}
		ck_assert_str_eq(fake_end_sent(&p->b), "abcdefghijklmnopqrst");
		ck_assert_int_eq(p->b.finishes, 1);
		relay_fini(&p->relay);
	}
}
END_TEST

static int reserve_two_bytes(void *s, struct iovec *room, int max)
{
	struct fake_end *e = s;

	(void)max;
	e->reserved = e->room < 2 ? e->room : 2;
	room[0] = (struct iovec){e->out + e->out_len, e->reserved};
	return e->reserved ? 1 : 0;
}

/* It is not full, so it will say nothing of its own. */
START_TEST(relay_goes_on_with_a_peer_that_offers_its_room_in_pieces)
{
	for (int i = 0; i < PAIRINGS; i++) {
		struct pair *p = pairing(i);

		if (p->b.ops.reserve)
			p->b.ops.reserve = reserve_two_bytes;
		fake_end_receive(&p->a, "abcdefg");
		relay_pump(&p->relay);
		ck_assert_str_eq(fake_end_sent(&p->b), "abcdefg");
		relay_fini(&p->relay);
	}
}
END_TEST

START_TEST(relay_finishes_the_peer_after_the_last_byte)
{
	for (int i = 0; i < PAIRINGS; i++) {
		struct pair *p = pairing(i);

		p->a.in_eof = true;
		p->b.room = 4;
		fake_end_receive(&p->a, "abcdef");
		relay_pump(&p->relay);
		ck_assert_int_eq(p->b.finishes, 0);
		p->b.room = 4;
		relay_pump(&p->relay);
		relay_pump(&p->relay);
		ck_assert_str_eq(fake_end_sent(&p->b), "abcdef");
		ck_assert_int_eq(p->b.finishes, 1);
		relay_fini(&p->relay);
	}
}
END_TEST

START_TEST(relay_keeps_the_other_direction_of_a_half_closed_stream)
{
	struct pair *p = pair_new(ALL, ALL);

	p->a.in_eof = true;
	relay_pump(&p->relay);
	ck_assert_int_eq(p->b.finishes, 1);
	ck_assert_int_eq(p->a.finishes, 0);
	ck_assert(!relay_done(&p->relay));
	fake_end_receive(&p->b, "the rest");
	p->b.in_eof = true;
	relay_pump(&p->relay);
	ck_assert_str_eq(fake_end_sent(&p->a), "the rest");
	ck_assert_int_eq(p->a.finishes, 1);
	ck_assert(relay_done(&p->relay));
}
END_TEST

START_TEST(relay_holds_no_more_than_its_bound)
{
	struct pair *p =
		pair_new(FAKE_READ | FAKE_WRITE, FAKE_PEEK | FAKE_WRITE);

	p->b.room = 0;
	fake_end_receive(&p->a, "abcdefghijklmnopqrst");
	relay_pump(&p->relay);
	ck_assert_uint_eq(p->a.in_off, 8);
	relay_fini(&p->relay);
}
END_TEST

START_TEST(relay_moves_bytes_even_with_a_bound_of_none)
{
	struct pair *p =
		pair_new(FAKE_READ | FAKE_WRITE, FAKE_PEEK | FAKE_WRITE);

	p->relay.hold_bytes = 0;
	fake_end_receive(&p->a, "abcdef");
	relay_pump(&p->relay);
	ck_assert_str_eq(fake_end_sent(&p->b), "abcdef");
	ck_assert_int_eq(p->b.finishes, 0);
	relay_fini(&p->relay);
}
END_TEST

START_TEST(relay_gives_others_a_turn_and_says_that_there_is_more)
{
	struct pair *p = pair_new(ALL & ~(unsigned)FAKE_READ,
				  ALL & ~(unsigned)FAKE_RESERVE);

	p->a.endless = p->b.endless = true;
	ck_assert(relay_pump(&p->relay));
	ck_assert_uint_ge(p->b.written, 1u << 20);
	ck_assert_uint_le(p->b.written, 8u << 20);
}
END_TEST

static int looks;

/* As a plugin may that does not look whether its buffer is empty. */
static int peek_no_bytes(void *s, struct iovec *view, int max)
{
	(void)max;
	ck_assert_int_lt(++looks, 10);
	view[0] = (struct iovec){s, 0};
	return 1;
}

static int peek_loans_no_bytes(void *s, struct iovec *view,
			       struct weir_loan **loan, int max)
{
	loan[0] = NULL;
	return peek_no_bytes(s, view, max);
}

START_TEST(relay_takes_a_view_of_no_bytes_for_nothing)
{
	for (int i = 0; i < PAIRINGS; i++) {
		struct pair *p = pairing(i);

		if (!p->a.ops.peek)
			continue;
		looks = 0;
		p->a.ops.peek = peek_no_bytes;
		if (p->a.ops.peek_loans)
			p->a.ops.peek_loans = peek_loans_no_bytes;
		ck_assert(!relay_pump(&p->relay));
		ck_assert_str_eq(fake_end_sent(&p->b), "");
	}
}
END_TEST

START_TEST(relay_knows_which_ends_it_can_serve)
{
	struct fake_end e;

	fake_end_init(&e, FAKE_PEEK | FAKE_WRITE);
	ck_assert(relay_can(&e.ops));
	fake_end_init(&e, FAKE_READ | FAKE_RESERVE);
	ck_assert(relay_can(&e.ops));
	fake_end_init(&e, FAKE_WRITE);
	ck_assert(!relay_can(&e.ops));
	fake_end_init(&e, FAKE_READ);
	ck_assert(!relay_can(&e.ops));
	fake_end_init(&e, ALL);
	e.ops.close = NULL;
	ck_assert(!relay_can(&e.ops));
	fake_end_init(&e, ALL);
	e.ops.consume = NULL;
	ck_assert(!relay_can(&e.ops));
	fake_end_init(&e, ALL);
	e.ops.commit = NULL;
	ck_assert(!relay_can(&e.ops));
	fake_end_init(&e, (ALL | FAKE_LEND) & ~(unsigned)FAKE_PEEK);
	ck_assert(!relay_can(&e.ops));
}
END_TEST

FAKE_MAIN("relay", relay_moves_bytes_by_every_pairing,
	  relay_lends_what_can_be_kept, relay_moves_both_directions,
	  relay_stops_reading_when_the_peer_is_full,
	  relay_loses_nothing_through_a_peer_of_one_byte,
	  relay_goes_on_with_a_peer_that_offers_its_room_in_pieces,
	  relay_finishes_the_peer_after_the_last_byte,
	  relay_keeps_the_other_direction_of_a_half_closed_stream,
	  relay_holds_no_more_than_its_bound,
	  relay_moves_bytes_even_with_a_bound_of_none,
	  relay_gives_others_a_turn_and_says_that_there_is_more,
	  relay_takes_a_view_of_no_bytes_for_nothing,
	  relay_knows_which_ends_it_can_serve)
