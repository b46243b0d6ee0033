/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_behave_flight.c - what the stack notes of a flight, against what a walk
 * over all of it finds, while a peer says whatever it likes. The random numbers
 * are the same each time. Each test runs over IPv4 and IPv6, with CUBIC and
 * BBR. */
#include "behave.h"

#include "conn.h"
#include "scoreboard.h"

#define MSS 100u
#define RTT (50 * SIM_MS)
#define WINDOW (1u << 20)
#define SEGMENTS_MOST 3000u
#define STEPS 3000
#define SEND_MOST 40u
#define BLOCKS_MOST 4

/* What the peer has said. */
struct truth {
	struct peer p;
	struct conn *c;
	uint32_t acked, sent;		   /* bytes */
	bool reneged;			   /* since nothing was in flight */
	bool has[STEPS * SEND_MOST * MSS]; /* the segment that begins there */
};

static struct truth truth;
static uint32_t random_state;

static uint32_t below(uint32_t n)
{
	random_state = random_state * 1664525u + 1013904223u;
	return n ? (random_state >> 8) % n : 0;
}

static struct tcp_seg *first(void)
{
	return truth.c->pcb->unacked;
}

static uint32_t in_flight(void)
{
	uint32_t n = 0;

	for (const struct tcp_seg *s = first(); s; s = s->next)
		n++;
	return n;
}

static struct tcp_seg *number(uint32_t n)
{
	struct tcp_seg *s = first();

	while (n--)
		s = s->next;
	return s;
}

/* Relative, from 1 on. */
static uint32_t begin_of(const struct tcp_seg *seg)
{
	return seg_begin(seg) - truth.p.irs;
}

/* libcheck writes a note each assertion: that is too dear for each segment. */
#define must(what)                                                             \
	do {                                                                   \
		if (!(what))                                                   \
			ck_abort_msg("%s", #what);                             \
	} while (0)

/* Every group counts what is in it. */
static void check_groups(struct flight *f, const struct tcp_seg *s)
{
	for (struct group *g = flight_first(f); g < flight_end(f); g++) {
		unsigned segments = 0, open = 0, waiting = 0;

		must(g->first == s);
		must(TCP_SEQ_LEQ(g->begin, seg_begin(s)));
		for (; s != group_end(f, g); s = s->next) {
			segments++;
			open += !(s->flags & SEGMENT_SACKED);
			waiting += seg_waits(s);
		}
		must(segments);
		must(g->segments == segments);
		must(g->open == open);
		must(g->waiting == waiting);
	}
	must(!s && !f->tail->next);
}

/* The open ones are linked as they were sent, and those before the first that
 * may yet be late wait to go again. */
static uint32_t check_order(const struct flight *f)
{
	const struct tcp_seg *before = NULL, *s = f->oldest;
	bool judged = true;
	uint32_t n = 0;

	for (; s; before = s, s = note_of(s)->newer, n++) {
		judged &= s != f->unjudged;
		must(note_of(s)->older == before);
		must((s->flags & SEGMENT_SACKED) == 0);
		if (before && !truth.reneged)
			must(note_of(s)->sent_us >= note_of(before)->sent_us);
		if (judged)
			must(seg_waits(s));
	}
	must(f->newest == before);
	return n;
}

/* Nothing is held for arrived that was not said to be, nor the other way. */
static void check_truth(const struct tcp_seg *s)
{
	for (; s; s = s->next)
		must(!!(s->flags & SEGMENT_SACKED) ==
		     truth.has[begin_of(s) - 1]);
}

static void check_flight(void)
{
	const struct recovery *r = &truth.c->recovery;
	const struct tcp_seg *waiting = NULL;
	uint32_t lost = 0, sacked = 0, open = 0;

	for (const struct tcp_seg *s = first(); s; s = s->next) {
		lost += seg_waits(s) ? s->len : 0;
		sacked += s->flags & SEGMENT_SACKED ? s->len : 0;
		open += !(s->flags & SEGMENT_SACKED);
		if (!waiting && seg_waits(s))
			waiting = s;
	}
	must(r->lost == lost);
	must(r->sacked == sacked);
	must(!r->flight == !first());
	truth.reneged &= !!first();
	if (!first())
		return;
	check_groups(r->flight, first());
	must(check_order(r->flight) == open);
	must(scoreboard_first_waiting(r) == waiting);
	check_truth(first());
}

/* All that fits below the bound goes out at once. */
static void send_some(void)
{
	uint32_t n = 1 + below(SEND_MOST * MSS);

	if (in_flight() > SEGMENTS_MOST)
		return;
	core_write(&truth.p, n);
	truth.sent += n;
}

/* Whole segments from a random one on, or parts of the first and the last. */
static void choose_block(uint32_t *left, uint32_t *right)
{
	uint32_t n = in_flight(), at = 1 + below(n - 1), most = n - at;
	uint32_t len = below(most < 8 || !below(4) ? most : 8);

	*left = begin_of(number(at));
	*right = begin_of(number(at + len)) + number(at + len)->len;
	if (!below(4))
		*left += 1;
	if (!below(4))
		*right -= 1;
}

/* A block as choose_block() has it came. */
static void note_block(const uint32_t edges[2])
{
	for (struct tcp_seg *s = first(); s; s = s->next)
		if (begin_of(s) >= edges[0] && begin_of(s) + s->len <= edges[1])
			truth.has[begin_of(s) - 1] = true;
}

static void sack_some(void)
{
	uint32_t edges[2 * BLOCKS_MOST];
	int blocks = 1 + (int)below(BLOCKS_MOST);

	if (in_flight() < 2)
		return;
	for (int i = 0; i < blocks; i++) {
		choose_block(&edges[2 * i], &edges[2 * i + 1]);
		note_block(&edges[2 * i]);
	}
	say_sack(&truth.p, 1, 1 + truth.acked, blocks, edges);
}

/* A hole is where it stops. */
static void ack_some(void)
{
	uint32_t n = in_flight();
	struct tcp_seg *s = number(below(below(50) ? n / 4 + 1 : n + 1));

	while (s && truth.has[begin_of(s) - 1])
		s = s->next;
	truth.acked = s ? begin_of(s) - 1 : truth.sent;
	say(&truth.p, ACK, 1, 1 + truth.acked, 0);
}

/* Something that came once comes once more. */
static void repeat_some(void)
{
	uint32_t left = 1 + below(truth.acked);
	const uint32_t edges[] = {left, left + MSS};

	if (truth.acked > left + MSS)
		say_sack(&truth.p, 1, 1 + truth.acked, 1, edges);
}

static void wait_some(void)
{
	sim_run(below(20) ? below(RTT) : 20 * RTT);
}

/* It has thrown away what it had, and says so by stopping there; then what it
 * said last comes after all. */
static void renege(void)
{
	struct tcp_seg *s = first();
	uint32_t edges[2];

	while (s && !truth.has[begin_of(s) - 1])
		s = s->next;
	if (!s)
		return;
	truth.acked = begin_of(s) - 1;
	say(&truth.p, ACK, 1, 1 + truth.acked, 0);
	if (in_flight() < 2)
		return;
	choose_block(&edges[0], &edges[1]);
	say_sack(&truth.p, 1, 1 + truth.acked, 1, edges);
	for (int i = 0; i < 60 && truth.c->recovery.sacked; i++)
		sim_run(20 * RTT);
	memset(truth.has, 0, sizeof truth.has);
	truth.reneged = true;
	note_block(edges);
	say_sack(&truth.p, 1, 1 + truth.acked, 1, edges);
}

static void do_something(void)
{
	static void (*const things[])(void) = {
		send_some, send_some, sack_some,   sack_some,
		ack_some,  wait_some, repeat_some,
	};

	if (below(100))
		things[below(sizeof things / sizeof *things)]();
	else
		renege();
}

static void open_wide(int v6)
{
	memset(&truth, 0, sizeof truth);
	truth.p = peer_new(v6);
	truth.p.mss = MSS;
	peer_complete_far(&truth.p, RTT);
	truth.c = truth.p.end->self;
}

START_TEST(what_is_noted_of_a_flight_is_what_a_walk_finds)
{
	struct recovery *r;

	random_state = 1;
	open_wide(_i);
	r = &truth.c->recovery;
	for (int i = 0; i < STEPS; i++) {
		if (r->cc.cwnd < WINDOW)
			r->cc.cwnd = WINDOW;
		r->cc.pacing_rate = 0;
		do_something();
		sim_flush(&tun);
		if (truth.p.end->failed)
			break;
		check_flight();
	}
	ck_assert_int_eq(truth.p.end->failed, 0);
	ck_assert_uint_gt(truth.acked, SEGMENTS_MOST * MSS);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		what_is_noted_of_a_flight_is_what_a_walk_finds,
	};

	return BEHAVE_MAIN("flight", tests);
}
