/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_cost.c - what an ACK costs does not grow with what is in flight.
 *
 * The processor's time for some ACKs is compared with that for the same ACKs
 * where little is in flight, in one process: so neither the machine's speed nor
 * its load counts for much. The window is set from outside, and nothing that
 * happens changes it. Each test runs over IPv4 and IPv6. */
#include "behave.h"

#include "conn.h"

#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define MSS 100u
#define RTT (50 * SIM_MS)
#define WINDOW (16u << 20)
#define SEGMENTS_MOST 28000u
#define FEW 400u
#define MANY 8000u
#define ACKS 64u
#define TIMES 3
#define RATIO_MOST 4.0
#define WAITING 200u /* cannot be sent again yet */

/* A flight of so many segments, and what an ACK tells of it. */
struct told {
	struct peer p;
	uint32_t segments, acked;
	uint32_t edges[6]; /* the newest block first */
};

struct story {
	void (*before)(struct told *t);
	void (*ack)(struct told *t, uint32_t i);
};

static void on_ack(struct congestion *cc, const struct ack_sample *s)
{
	(void)cc;
	(void)s;
}

static void on_lost(struct congestion *cc, const struct lost_segment *s)
{
	(void)cc;
	(void)s;
}

static void on_loss(struct congestion *cc)
{
	(void)cc;
}

static void on_timeout(struct congestion *cc, bool again)
{
	(void)cc;
	(void)again;
}

static const struct congestion_ops steady = {
	.on_ack = on_ack,
	.on_lost = on_lost,
	.on_loss = on_loss,
	.on_timeout = on_timeout,
};

static void set_window(struct peer *p, uint32_t bytes)
{
	struct conn *c = p->end->self;

	c->recovery.cc.cwnd = bytes;
}

static uint32_t at(uint32_t segment)
{
	return 1 + segment * MSS;
}

/* One segment more, and the two blocks told before it (RFC 2018, 4). */
static void sack_one(struct told *t, uint32_t segment)
{
	memmove(t->edges + 2, t->edges, 4 * sizeof t->edges[0]);
	t->edges[0] = at(segment);
	t->edges[1] = at(segment + 1);
	say_sack(&t->p, 1, at(t->acked),
		 t->edges[4]   ? 3
		 : t->edges[2] ? 2
			       : 1,
		 t->edges);
}

static struct told tell_of(int v6, uint32_t segments, uint16_t number)
{
	struct told t = {.p = peer_new(v6), .segments = segments};
	struct conn *c;

	t.p.path.client_port = (uint16_t)(t.p.path.client_port + number);
	t.p.mss = MSS;
	peer_complete_far(&t.p, RTT);
	c = t.p.end->self;
	c->recovery.cc.ops = &steady;
	c->recovery.cc.pacing_rate = 0;
	set_window(&t.p, WINDOW);
	core_write(&t.p, segments * MSS);
	ck_assert_uint_eq(hear_all(&t.p), segments * MSS);
	sim_run(RTT);
	return t;
}

static double processor_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* Of all ACKs of the story, the least that it ever took. */
static double cost_us(int v6, const struct story *s, uint32_t segments)
{
	static uint16_t number;
	double least = 0;

	for (int n = 0; n < TIMES; n++) {
		struct told t = tell_of(v6, segments, number++);
		double begun, took;

		if (s->before)
			s->before(&t);
		sim_flush(&tun);
		begun = processor_us();
		for (uint32_t i = 0; i < ACKS; i++)
			s->ack(&t, i);
		took = processor_us() - begun;
		sim_flush(&tun);
		sim_close(t.p.end, ECONNABORTED);
		sim_flush(&tun);
		if (!n || took < least)
			least = took;
	}
	return least;
}

static void costs_the_same(int v6, const struct story *s)
{
	double few = cost_us(v6, s, FEW), many = cost_us(v6, s, MANY);

	if (getenv("WEIR_TEST_FIGURES"))
		printf("%.2f us an ACK with %u in flight, %.2f with %u\n",
		       few / ACKS, FEW, many / ACKS, MANY);
	fflush(stdout);
	ck_assert_double_lt(many / few, RATIO_MOST);
}

static void ack_next(struct told *t, uint32_t i)
{
	(void)i;
	say(&t->p, ACK, 1, at(++t->acked), 0);
}

START_TEST(ack_of_a_long_flight_costs_as_much_as_of_a_short_one)
{
	costs_the_same(_i, &(struct story){.ack = ack_next});
}
END_TEST

/* All that is below is lost at once. */
static void sack_the_last(struct told *t)
{
	sack_one(t, t->segments - 1);
}

static void sack_from_the_end(struct told *t, uint32_t i)
{
	sack_one(t, t->segments - 3 - 2 * i);
}

START_TEST(block_far_from_the_ack_costs_as_much_as_a_near_one)
{
	costs_the_same(_i, &(struct story){.before = sack_the_last,
					   .ack = sack_from_the_end});
}
END_TEST

static void sack_every_second(struct told *t)
{
	for (uint32_t i = 1; i < t->segments - 2 * ACKS; i += 2)
		sack_one(t, i);
}

static void sack_the_second_next(struct told *t, uint32_t i)
{
	sack_one(t, t->segments - 2 * ACKS + 1 + 2 * i);
}

START_TEST(ack_beyond_many_holes_costs_as_much_as_beyond_few)
{
	costs_the_same(_i, &(struct story){.before = sack_every_second,
					   .ack = sack_the_second_next});
}
END_TEST

/* The first came late, all others may. */
static void come_late(struct told *t)
{
	sack_one(t, 2);
	t->acked = 3;
	say(&t->p, ACK, 1, at(t->acked), 0);
	memset(t->edges, 0, sizeof t->edges);
	sack_the_last(t);
	hear_nothing(&t->p);
}

START_TEST(ack_costs_the_same_while_many_may_be_late)
{
	costs_the_same(_i, &(struct story){.before = come_late,
					   .ack = sack_from_the_end});
}
END_TEST

/* All is sent again but for some. */
static void time_out(struct told *t)
{
	set_window(&t->p, (t->segments - WAITING) * MSS);
	sim_run(1000 * SIM_MS);
	ck_assert_uint_ge(hear_all(&t->p), (t->segments - WAITING) * MSS);
}

START_TEST(what_was_sent_again_is_not_searched_for_what_was_not)
{
	costs_the_same(_i,
		       &(struct story){.before = time_out, .ack = ack_next});
}
END_TEST

/* Each takes memory, however small it is. */
START_TEST(flight_has_at_most_28000_segments)
{
	struct told t = tell_of(_i, FEW, 0);
	uint32_t heard;

	core_fill(&t.p);
	heard = FEW * MSS + hear_all(&t.p);
	ck_assert_uint_eq(heard, t.p.written);
	ck_assert_uint_ge(heard, SEGMENTS_MOST * 9 / 10 * MSS);
	ck_assert_uint_le(heard, SEGMENTS_MOST * MSS);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		ack_of_a_long_flight_costs_as_much_as_of_a_short_one,
		block_far_from_the_ack_costs_as_much_as_a_near_one,
		ack_beyond_many_holes_costs_as_much_as_beyond_few,
		ack_costs_the_same_while_many_may_be_late,
		what_was_sent_again_is_not_searched_for_what_was_not,
		flight_has_at_most_28000_segments,
	};

	return BEHAVE_CUBIC_MAIN("cost", tests);
}
