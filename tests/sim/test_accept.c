/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_accept.c - how connections begin, or are kept from beginning. Each test
 * runs over IPv4 and IPv6. */
#include "client.h"

#include <check.h>
#include <errno.h>

#include "tests/suite.h"

#define PLENTY UINT32_MAX
#define ALLOCATIONS_MOST 100u

static uint32_t allocations_left = PLENTY;

/* The linker has the stack and lwIP come here; one in a row fails. */
void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	if (allocations_left != PLENTY && !allocations_left--)
		return NULL;
	return __real_malloc(bytes);
}

/* Anew, with room for so much. */
static void begin_with(const struct sim_conf *conf)
{
	tun_end();
	sim_start(conf);
	sim_attach(&tun, NULL);
}

START_TEST(handshake_is_held_until_accept)
{
	struct client c = client_of(_i);
	struct weir_end *e;
	struct seen *s;

	client_send(&c, SYN, NULL, 0);
	ck_assert_ptr_nonnull(sim.ends);
	sim_run(3000 * SIM_MS);
	c.seq--;
	client_send(&c, SYN, NULL, 0); /* repeated */
	ck_assert(!look(&tun)->any);
	e = sim.ends;
	ck_assert_ptr_null(e->next);
	ck_assert_int_eq(e->info.source.port, 40000);
	ck_assert_int_eq(e->info.target.port, 80);
	ck_assert_int_eq(e->stream->accept(e->self), 0);
	s = look(&tun);
	ck_assert_int_eq(s->flags, SYN | ACK);
	ck_assert(s->checksum_ok);
	ck_assert_uint_eq(s->ack, c.seq);
	ck_assert_uint_eq(s->mss, _i ? 1440 : 1460);
	ck_assert_uint_eq(sim_counter("half_open"), 1);
	c.ack = s->seq + 1;
	client_send(&c, ACK, NULL, 0);
	ck_assert_uint_eq(sim_counter("half_open"), 0);
}
END_TEST

START_TEST(syn_that_no_memory_is_there_to_answer_is_refused)
{
	struct client c = client_of(_i);
	uint32_t refused = 0;

	for (uint32_t n = 0; n < ALLOCATIONS_MOST; n++) {
		int err;

		client_send(&c, SYN, NULL, 0);
		allocations_left = n;
		err = sim.ends->stream->accept(sim.ends->self);
		if (allocations_left != PLENTY)
			break; /* it took no more */
		ck_assert(!look(&tun)->any || !err);
		sim_close(sim.ends, ECONNABORTED);
		ck_assert_int_eq(look(&tun)->flags, RST | ACK);
		ck_assert_uint_eq(sim_counter("connections"), 0);
		ck_assert_uint_eq(sim_counter("half_open"), 0);
		refused += err == ENOMEM;
	}
	allocations_left = PLENTY;
	ck_assert_uint_gt(refused, 1);
	ck_assert_int_eq(look(&tun)->flags, SYN | ACK);
}
END_TEST

static struct seen *refused_with(int v6, int err)
{
	struct client c = client_of(v6);

	client_send(&c, SYN, NULL, 0);
	sim_close(sim.ends, err);
	return look(&tun);
}

START_TEST(refused_destination_is_a_reset)
{
	struct seen *s = refused_with(_i, ECONNREFUSED);

	ck_assert(s->any && s->tcp && s->checksum_ok);
	ck_assert_int_eq(s->flags, RST | ACK);
	ck_assert_uint_eq(s->ack, 1001);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(unreachable_destination_is_an_icmp_error)
{
	static const struct {
		int err, code4, code6;
	} cases[] = {
		{ENETUNREACH, 0, 0},
		{EADDRNOTAVAIL, 0, 0},
		{EHOSTUNREACH, 1, 3},
		{EACCES, 13, 1},
	};
	struct client c = client_of(_i);
	uint8_t syn[100];

	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct seen *s = refused_with(_i, cases[i].err);
		uint32_t n = make_tcp(syn, &c, SYN, NULL, 0);

		ck_assert(s->any && s->checksum_ok);
		ck_assert_int_eq(s->protocol,
				 _i ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
		ck_assert_int_eq(s->type, _i ? 1 : 3);
		ck_assert_int_eq(s->code, _i ? cases[i].code6 : cases[i].code4);
		ck_assert_uint_ge(s->payload_len, _i ? 48 : 28);
		ck_assert_uint_le(s->payload_len, n);
		ck_assert_mem_eq(s->payload, syn, s->payload_len);
	}
}
END_TEST

START_TEST(blackholed_destination_is_silence)
{
	struct client c = client_of(_i);

	ck_assert(!refused_with(_i, WEIR_ESILENT)->any);
	client_send(&c, SYN, NULL, 0);
	ck_assert_ptr_null(sim.ends);
	ck_assert(!look(&tun)->any);
	sim_run(31000 * SIM_MS);
	ck_assert_uint_eq(sim_counter("connections"), 0);
	ck_assert(!refused_with(_i, ETIMEDOUT)->any);
}
END_TEST

START_TEST(unanswered_syn_ack_is_given_up)
{
	struct client c = client_of(_i);

	client_send(&c, SYN, NULL, 0);
	ck_assert_int_eq(sim.ends->stream->accept(sim.ends->self), 0);
	sim_run(200000 * SIM_MS);
	ck_assert_int_eq(sim.ends->failed, ETIMEDOUT);
	ck_assert_uint_eq(sim_counter("half_open"), 0);
}
END_TEST

/* The SYN of one of many strangers. */
static void stranger_syn(const struct client *c, int number)
{
	struct client stranger;

	client_init(&stranger, &tun, c->path);
	stranger.path.client_port = (uint16_t)(1000 + number);
	client_send(&stranger, SYN, NULL, 0);
}

START_TEST(syn_flood_is_bounded_and_harms_nobody)
{
	struct sim_conf conf = {1000, 100, 64 << 20, 4 << 20};
	struct client c = client_of(_i);
	struct weir_end *e;
	struct iovec v;

	begin_with(&conf);
	e = client_open(&c);
	for (int i = 0; i < 500; i++)
		stranger_syn(&c, i);
	ck_assert_uint_eq(sim_counter("half_open"), 100);
	ck_assert_uint_eq(sim_counter("half_open_evicted"), 400);
	ck_assert_uint_eq(sim_counter("syn_dropped"), 0);
	client_send(&c, ACK, "alive", 5);
	ck_assert_int_eq(e->stream->peek(e->self, &v, 1), 1);
	ck_assert_uint_eq(v.iov_len, 5);
	sim_run(100000 * SIM_MS);
	e = sim.ends; /* the newest first */
	for (int i = 0; i < 500; i++, e = e->next)
		ck_assert_int_eq(e->failed, i < 100 ? ETIMEDOUT : ECONNABORTED);
}
END_TEST

START_TEST(connections_are_as_many_as_may_be)
{
	struct sim_conf conf = {2, 100, 64 << 20, 4 << 20};
	struct client c = client_of(_i);

	begin_with(&conf);
	client_open(&c);
	for (int i = 0; i < 2; i++)
		stranger_syn(&c, i);
	ck_assert_uint_eq(sim_counter("connections"), 2);
	ck_assert_uint_eq(sim_counter("syn_dropped"), 1);
}
END_TEST

static void close_failed(void)
{
	struct weir_end *next;

	for (struct weir_end *e = sim.ends; e; e = next) {
		next = e->next;
		if (e->failed)
			sim_close(e, e->failed);
	}
}

START_TEST(a_flood_that_takes_all_connections_locks_nobody_out)
{
	struct sim_conf conf = {100, 4096, 64 << 20, 4 << 20};
	struct client c = client_of(_i);

	begin_with(&conf);
	for (int i = 0; i < 500; i++) {
		stranger_syn(&c, i);
		close_failed(); /* as the core does at the end of a turn */
	}
	ck_assert_uint_eq(sim_counter("half_open"), 50);
	ck_assert_ptr_nonnull(client_open(&c));
	ck_assert_uint_eq(sim_counter("half_open"), 49);
}
END_TEST

/* Whatever becomes of the flood's SYNs, a new client gets in. */
enum { FLOOD_HELD, FLOOD_ANSWERED, FLOOD_SWALLOWED, FLOODS };

START_TEST(new_client_gets_in_during_a_flood)
{
	struct sim_conf conf = {1000, 100, 64 << 20, 4 << 20};
	struct client c = client_of(_i % 2);

	begin_with(&conf);
	for (int i = 0; i < 500; i++) {
		stranger_syn(&c, i);
		if (_i / 2 == FLOOD_ANSWERED)
			sim.ends->stream->accept(sim.ends->self);
		else if (_i / 2 == FLOOD_SWALLOWED)
			sim_close(sim.ends, WEIR_ESILENT);
	}
	ck_assert_uint_eq(sim_counter("half_open"), 100);
	ck_assert_uint_eq(sim_counter("half_open_evicted"), 400);
	sim_flush(&tun);
	ck_assert_ptr_nonnull(client_open(&c));
	ck_assert_uint_eq(sim_counter("half_open"), 99);
	ck_assert_uint_eq(sim_counter("syn_dropped"), 0);
}
END_TEST

/* 5,000 SYNs, none of them like another. */
static void flood_for_a_second(struct client *flood)
{
	for (int i = 0; i < 5000; i++) {
		flood->path.client_port = (uint16_t)(1000 + i);
		client_send(flood, SYN, NULL, 0);
		flood->seq--;
		sim_run(SIM_MS / 5);
	}
}

START_TEST(who_repeats_a_syn_in_a_flood_is_let_in)
{
	struct sim_conf conf = {10000, 3000, 64 << 20, 4 << 20};
	struct client c = client_of(_i), flood;

	begin_with(&conf);
	client_init(&flood, &tun, c.path);
	flood.seq = 77;
	flood_for_a_second(&flood);
	ck_assert_uint_eq(sim_counter("syn_dropped"), 0);
	ck_assert_uint_eq(sim_counter("half_open"), 1500);
	ck_assert_uint_eq(sim_counter("syn_put_off"), 3500);
	c.path.client_port = 50000;
	client_send(&c, SYN, NULL, 0);
	ck_assert_int_ne(sim.ends->info.source.port, 50000);
	flood.seq = 78;
	flood_for_a_second(&flood);
	c.seq--;
	client_send(&c, SYN, NULL, 0);
	ck_assert_int_eq(sim.ends->info.source.port, 50000);
	ck_assert_int_eq(sim.ends->stream->accept(sim.ends->self), 0);
	client_expect(&c, SYN);
}
END_TEST

START_TEST(first_syn_is_let_in_again_soon_after_a_flood)
{
	struct sim_conf conf = {10000, 3000, 64 << 20, 4 << 20};
	struct client c = client_of(_i), flood;

	begin_with(&conf);
	client_init(&flood, &tun, c.path);
	flood_for_a_second(&flood);
	ck_assert_uint_gt(sim_counter("syn_put_off"), 0);
	sim_run(2000 * SIM_MS);
	c.path.client_port = 50000;
	client_send(&c, SYN, NULL, 0);
	ck_assert_int_eq(sim.ends->info.source.port, 50000);
}
END_TEST

/* A connection that both sides close; it waits in TIME_WAIT. */
static void open_and_close(struct client *c)
{
	struct weir_end *e = client_open(c);

	e->stream->finish(e->self);
	client_expect(c, FIN);
	client_send(c, ACK | FIN, NULL, 0);
	sim_close(e, 0);
	sim_flush(&tun);
}

START_TEST(port_is_used_again_while_the_old_connection_waits)
{
	struct client c = client_of(_i);

	open_and_close(&c);
	c.seq += 100000;
	ck_assert_ptr_nonnull(client_open(&c));
	ck_assert_uint_eq(sim_counter("connections"), 1);
}
END_TEST

/* Of 8 connections so many close at once; how many are left after a second. */
static uint64_t left_of(size_t closing, int v6)
{
	struct sim_conf conf = {8, 100, 64 << 20, 4 << 20};
	struct client c = client_of(v6);

	begin_with(&conf);
	for (size_t i = 0; i < closing; i++, c.path.client_port++)
		open_and_close(&c);
	sim_run(1000 * SIM_MS);
	return sim_counter("connections");
}

START_TEST(who_waits_among_many_makes_way_sooner)
{
	ck_assert_uint_eq(left_of(4, _i), 4);
	ck_assert_uint_eq(left_of(6, _i), 4);
	sim_run(3500 * SIM_MS);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(stray_segment_is_reset)
{
	struct client c = client_of(_i);
	struct seen *s;

	client_send(&c, ACK, "lost", 4);
	s = look(&tun);
	ck_assert_int_eq(s->flags & RST, RST);
	client_send(&c, RST, NULL, 0);
	ck_assert(!look(&tun)->any);
}
END_TEST

START_TEST(refused_by_the_core_is_dropped)
{
	struct client c = client_of(_i);

	tun.refuse = true;
	client_send(&c, SYN, NULL, 0);
	ck_assert(!look(&tun)->any);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(who_refuses_for_a_reason_has_the_client_told)
{
	struct client c = client_of(_i);
	struct seen *s;

	tun.refuse = true;
	tun.refusal = ECONNREFUSED;
	client_send(&c, SYN, NULL, 0);
	s = look(&tun);
	ck_assert(s->any && s->tcp && s->checksum_ok);
	ck_assert_int_eq(s->flags, RST | ACK);
	ck_assert_uint_eq(sim_counter("connections"), 0);
	ck_assert_uint_eq(sim_counter("syn_dropped"), 0);
	ck_assert_uint_eq(sim_counter("half_open"), 0);
	tun.refusal = WEIR_ESILENT;
	client_send(&c, SYN, NULL, 0);
	ck_assert(!look(&tun)->any);
	ck_assert_uint_eq(sim_counter("connections"), 1);
	sim_run(60000 * SIM_MS);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_loop_test(t, handshake_is_held_until_accept, 0, 2);
	tcase_add_loop_test(t, refused_destination_is_a_reset, 0, 2);
	tcase_add_loop_test(t, who_refuses_for_a_reason_has_the_client_told, 0,
			    2);
	tcase_add_loop_test(t, syn_that_no_memory_is_there_to_answer_is_refused,
			    0, 2);
	tcase_add_loop_test(t, unreachable_destination_is_an_icmp_error, 0, 2);
	tcase_add_loop_test(t, blackholed_destination_is_silence, 0, 2);
	tcase_add_loop_test(t, unanswered_syn_ack_is_given_up, 0, 2);
	tcase_add_loop_test(t, syn_flood_is_bounded_and_harms_nobody, 0, 2);
	tcase_add_loop_test(t, connections_are_as_many_as_may_be, 0, 2);
	tcase_add_loop_test(
		t, a_flood_that_takes_all_connections_locks_nobody_out, 0, 2);
	tcase_add_loop_test(t, who_repeats_a_syn_in_a_flood_is_let_in, 0, 2);
	tcase_add_loop_test(t, first_syn_is_let_in_again_soon_after_a_flood, 0,
			    2);
	tcase_add_loop_test(t, new_client_gets_in_during_a_flood, 0,
			    2 * FLOODS);
	tcase_add_loop_test(
		t, port_is_used_again_while_the_old_connection_waits, 0, 2);
	tcase_add_loop_test(t, who_waits_among_many_makes_way_sooner, 0, 2);
	tcase_add_loop_test(t, stray_segment_is_reset, 0, 2);
	tcase_add_loop_test(t, refused_by_the_core_is_dropped, 0, 2);
}

SUITE("accept", t)
{
	tcase_add_checked_fixture(t, tun_begin, tun_end);
	tcase_set_timeout(t, 60);
	add_tests(t);
}
