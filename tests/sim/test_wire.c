/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_wire.c - two links of the stack joined by a wire: one opens connections
 * outward, the other accepts them. Delay, loss and reordering lie between;
 * what arrives must be what was sent. */
#include "sim.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/suite.h"

#define MEGABYTE (1u << 20)
#define TRAINS (WEIR_LINK_CSUM | WEIR_LINK_TSO)
#define SECOND (1000 * SIM_MS)

static struct sim_link near_, far_;

/* A stream that is written by the test and read by the test, with a running
 * pattern that tells a byte out of place. */
struct run {
	struct weir_end *from, *to;
	uint32_t sent, got, total;
	bool finished, eof;
};

static uint8_t pattern(uint32_t at)
{
	return (uint8_t)(at * 2654435761u >> 24);
}

static void push(struct run *r)
{
	static uint8_t block[50000];

	while (r->sent < r->total) {
		uint32_t n = r->total - r->sent;
		struct iovec v = {block, n < sizeof block ? n : sizeof block};
		ssize_t taken;

		for (uint32_t i = 0; i < v.iov_len; i++)
			block[i] = pattern(r->sent + i);
		taken = r->from->stream->write(r->from->self, &v, 1);
		ck_assert_int_ge(taken, 0);
		r->sent += (uint32_t)taken;
		if ((size_t)taken < v.iov_len)
			return;
	}
	if (!r->finished)
		r->from->stream->finish(r->from->self);
	r->finished = true;
}

static void pull(struct run *r)
{
	struct iovec v[16];
	int n;

	while ((n = r->to->stream->peek(r->to->self, v, 16)) > 0) {
		size_t total = 0;

		for (int i = 0; i < n; i++) {
			const uint8_t *p = v[i].iov_base;

			for (size_t k = 0; k < v[i].iov_len; k++)
				if (p[k] != pattern(r->got + (uint32_t)k))
					ck_abort_msg("byte %u is wrong",
						     r->got + (uint32_t)k);
			r->got += (uint32_t)v[i].iov_len;
			total += v[i].iov_len;
		}
		r->to->stream->consume(r->to->self, total);
	}
	if (n == WEIR_PEEK_EOF)
		r->eof = true;
}

static struct weir_addr target(bool v6)
{
	struct weir_addr a = {.kind = v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
			      .port = 443};

	inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "2001:db8::9" : "203.0.113.9",
		  a.ip);
	return a;
}

static void wire(uint32_t offloads, uint64_t delay_us)
{
	struct weir_link_conf conf = sim_link_conf();

	sim_start(NULL);
	conf.offloads = offloads;
	sim_attach(&near_, &conf);
	sim_attach(&far_, &conf);
	sim_connect(&near_, &far_, delay_us);
}

static struct weir_end *pending_end(void)
{
	struct weir_end *end = calloc(1, sizeof *end);

	end->next = sim.ends;
	sim.ends = end;
	return end;
}

/* Open from near to far; *accepted is the far side's end. */
static struct weir_end *open_stream(bool v6, struct weir_end **accepted)
{
	struct weir_addr to = target(v6);
	struct weir_end *end = pending_end();

	ck_assert_ptr_nonnull(
		sim.ops->open(near_.link, end, &to, WEIR_NET_TCP));
	for (int i = 0; i < 100 && sim.ends == end; i++)
		sim_run(100 * SIM_MS);
	*accepted = sim.ends;
	ck_assert_ptr_ne(*accepted, end);
	ck_assert_int_eq((*accepted)->info.target.port, 443);
	ck_assert_int_eq((*accepted)->stream->accept((*accepted)->self), 0);
	for (int i = 0; i < 300 && !end->ready; i++)
		sim_run(100 * SIM_MS);
	ck_assert(end->ready);
	return end;
}

static double transfer(bool v6, uint32_t up, uint32_t down, int seconds)
{
	struct weir_end *far_end, *end = open_stream(v6, &far_end);
	struct run a = {.from = end, .to = far_end, .total = up};
	struct run b = {.from = far_end, .to = end, .total = down};
	uint64_t begun_us = sim.now_us;

	for (int i = 0; i < seconds * 1000 && !(a.eof && b.eof); i++) {
		push(&a);
		push(&b);
		sim_run(1 * SIM_MS);
		pull(&a);
		pull(&b);
		ck_assert_int_eq(end->failed, 0);
		ck_assert_int_eq(far_end->failed, 0);
	}
	ck_assert_uint_eq(a.got, up);
	ck_assert_uint_eq(b.got, down);
	ck_assert(a.eof && b.eof);
	sim_close(end, 0);
	sim_close(far_end, 0);
	return (double)(sim.now_us - begun_us) / 1e6;
}

static void all_is_gone(void)
{
	while (sim.ends)
		sim_close(sim.ends, 0);
	sim_run(120000 * SIM_MS);
	ck_assert_uint_eq(sim_counter("connections"), 0);
	sim_stop();
}

static const struct {
	uint32_t offloads;
	uint64_t delay_us;
	double loss, reorder;
	uint32_t up, down; /* bytes */
	int seconds;	   /* most that it may take */
} paths[] = {
	{0, 1 * SIM_MS, 0, 0, 4 * MEGABYTE, 3 * MEGABYTE, 60},
	{TRAINS, 1 * SIM_MS, 0, 0, 8 * MEGABYTE, 8 * MEGABYTE, 60},
	{0, 10 * SIM_MS, 0.01, 0, 2 * MEGABYTE, 2 * MEGABYTE, 200},
	{0, 2 * SIM_MS, 0.2, 0, 200000, 200000, 2000},
	{TRAINS, 2 * SIM_MS, 0.05, 0, 4 * MEGABYTE, 1 * MEGABYTE, 1000},
	{0, 10 * SIM_MS, 0, 0.02, 4 * MEGABYTE, 4 * MEGABYTE, 200},
};
#define PATHS ((int)(sizeof paths / sizeof paths[0]))

START_TEST(both_ways_arrive_whole_over_any_path)
{
	int i = _i / 2;

	wire(paths[i].offloads, paths[i].delay_us);
	near_.loss = far_.loss = paths[i].loss;
	near_.reorder = far_.reorder = paths[i].reorder;
	transfer(_i % 2, paths[i].up, paths[i].down, paths[i].seconds);
	if (paths[i].reorder <= 0)
		ck_assert_int_eq(sim_counter("retransmits") > 0,
				 paths[i].loss > 0);
	all_is_gone();
}
END_TEST

START_TEST(bottleneck_is_filled)
{
	double seconds;

	wire(0, 25 * SIM_MS);
	near_.rate = 12500000; /* 100 Mbit/s */
	near_.queue_us = 25 * SIM_MS;
	seconds = transfer(_i, 32 * MEGABYTE, 1000, 100);
	/* 32 MB at 100 Mbit/s take 2.7 s at best. */
	ck_assert_double_lt(seconds, 5.0);
	all_is_gone();
}
END_TEST

/* Longer and longer: a window that stays closed must not end the connection,
 * and the word that it is open again must arrive though words are lost. */
START_TEST(a_reader_that_stops_and_goes_on)
{
	static const unsigned stops_s[] = {20, 60, 300, 600};
	struct weir_end *far_end, *end;
	uint64_t until_us = 0;
	unsigned stops = 0;
	struct run a;

	sim_congestion = _i / 2 ? SIM_BBR : SIM_CUBIC;
	wire(0, 5 * SIM_MS);
	near_.loss = far_.loss = 0.05;
	end = open_stream(_i % 2, &far_end);
	a = (struct run){.from = end, .to = far_end, .total = 20 * MEGABYTE};
	for (int i = 0; i < 400000 && !a.eof; i++) {
		push(&a);
		if (sim.now_us < until_us) {
			sim_run(100 * SIM_MS);
			continue;
		}
		sim_run(1 * SIM_MS);
		pull(&a);
		if (stops < 4 && a.got >= stops * 4 * MEGABYTE)
			until_us = sim.now_us + stops_s[stops++] * SECOND;
		ck_assert_int_eq(end->failed, 0);
	}
	ck_assert_uint_eq(stops, 4);
	ck_assert_uint_eq(a.got, a.total);
	sim_close(end, ECONNRESET);
	sim_run(1000 * SIM_MS);
	sim_close(far_end, 0);
	all_is_gone();
}
END_TEST

START_TEST(a_reader_that_stops_for_ten_minutes)
{
	struct weir_end *far_end, *end;
	struct run a;

	wire(_i / 2 ? TRAINS : 0, 5 * SIM_MS);
	near_.loss = far_.loss = 0.05;
	end = open_stream(_i % 2, &far_end);
	a = (struct run){.from = end, .to = far_end, .total = 3 * MEGABYTE};
	for (int i = 0; i < 80000 && !a.eof; i++) {
		push(&a);
		sim_run(10 * SIM_MS);
		if (i > 60000)
			pull(&a);
		ck_assert_int_eq(end->failed, 0);
	}
	ck_assert_uint_eq(a.got, a.total);
	sim_close(end, ECONNRESET);
	sim_run(1000 * SIM_MS);
	sim_close(far_end, 0);
	all_is_gone();
}
END_TEST

START_TEST(refusal_reaches_who_opened)
{
	struct weir_addr to = target(_i);
	struct weir_end *end;

	wire(0, 1 * SIM_MS);
	end = pending_end();
	sim.ops->open(near_.link, end, &to, WEIR_NET_TCP);
	sim_run(10 * SIM_MS);
	sim_close(sim.ends, ECONNREFUSED);
	sim_run(10 * SIM_MS);
	ck_assert_int_eq(end->failed, ECONNREFUSED);
	all_is_gone();
}
END_TEST

START_TEST(opening_can_be_abandoned)
{
	struct weir_addr to = target(_i);
	struct weir_end *end;
	void *pending;

	wire(0, 1 * SIM_MS);
	end = pending_end();
	pending = sim.ops->open(near_.link, end, &to, WEIR_NET_TCP);
	sim.ops->abandon(near_.link, pending);
	end->self = NULL;
	sim_run(1000 * SIM_MS);
	all_is_gone();
}
END_TEST

START_TEST(nobody_answers_an_opening)
{
	struct weir_addr to = target(_i);
	struct weir_end *end;

	wire(0, 1 * SIM_MS);
	near_.loss = 1;
	end = pending_end();
	sim.ops->open(near_.link, end, &to, WEIR_NET_TCP);
	sim_run(300000 * SIM_MS);
	ck_assert_int_eq(end->failed, ETIMEDOUT);
	all_is_gone();
}
END_TEST

START_TEST(an_outward_flow_hears_its_answer)
{
	struct weir_addr to = target(_i);
	struct weir_datagram d = {&to, "question", 8, 0};
	struct weir_end *end, *far_end;

	wire(0, 1 * SIM_MS);
	end = pending_end();
	sim.ops->open(near_.link, end, &to, WEIR_NET_UDP);
	ck_assert(end->ready);
	ck_assert_int_eq(end->flow->send(end->self, &d, 1), 1);
	sim_run(10 * SIM_MS);
	far_end = sim.ends;
	ck_assert_ptr_ne(far_end, end);
	ck_assert_int_eq(far_end->datagrams, 1);
	ck_assert_mem_eq(far_end->last, "question", 8);
	d.data = "response";
	far_end->flow->send(far_end->self, &d, 1);
	sim_run(10 * SIM_MS);
	ck_assert_int_eq(end->datagrams, 1);
	ck_assert_mem_eq(end->last, "response", 8);
	ck_assert(weir_addr_equal(&end->peers[0], &to));
	all_is_gone();
}
END_TEST

SUITE("wire", t)
{
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, both_ways_arrive_whole_over_any_path, 0,
			    2 * PATHS);
	tcase_add_loop_test(t, bottleneck_is_filled, 0, 2);
	tcase_add_loop_test(t, a_reader_that_stops_and_goes_on, 0, 4);
	tcase_add_loop_test(t, a_reader_that_stops_for_ten_minutes, 0, 4);
	tcase_add_loop_test(t, refusal_reaches_who_opened, 0, 2);
	tcase_add_loop_test(t, opening_can_be_abandoned, 0, 2);
	tcase_add_loop_test(t, nobody_answers_an_opening, 0, 2);
	tcase_add_loop_test(t, an_outward_flow_hears_its_answer, 0, 2);
}
