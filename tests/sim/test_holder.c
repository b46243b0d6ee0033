/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses behind a link that pass from one holder to another: sessions do
 * not pass with them. */
#include "behave.h"

#include <errno.h>
#include <stdlib.h>

#define ALICE 0xa11ceull
#define BOB 0xb0bull
#define NOBODY 0ull
#define WRITTEN 4000u
#define LONG_US (120 * 1000 * SIM_MS) /* for all that is ever repeated */
#define OPS_SIZE_1_3 offsetof(struct weir_link_ops, holder)
#define CROWD 1000

/* Whose the addresses ending in 2 are; the others are BOB's. */
static uint64_t holder_of_2;
static unsigned asked;

static uint64_t holder(const struct weir_addr *client)
{
	asked++;
	return client->ip[client->kind == WEIR_ADDR_IP6 ? 15 : 3] == 2
		       ? holder_of_2
		       : BOB;
}

static void begin(void)
{
	holder_of_2 = ALICE;
	tun.holder = holder;
}

static void pass_to(uint64_t whom)
{
	holder_of_2 = whom;
	sim.ops->recheck(tun.link);
}

/* At another address than peer_new(). */
static struct peer neighbour_new(int v6)
{
	struct peer p = peer_new(v6);

	p.path.client[v6 ? 15 : 3] = 3;
	return p;
}

/* The core's end was told, and closes. */
static void check_ended(struct weir_end *end)
{
	ck_assert_int_eq(end->failed, EADDRNOTAVAIL);
	sim_close(end, EADDRNOTAVAIL);
}

static void check_goes_on(struct peer *p)
{
	ck_assert_int_eq(p->end->failed, 0);
	say(p, ACK | PSH, 1, 1, 100);
	ck_assert_uint_eq(core_read(p), 100);
	core_write(p, 100);
	ck_assert_uint_eq(hear_all(p), 100);
}

START_TEST(a_stream_ends_where_its_address_is_anothers)
{
	struct peer p, q = neighbour_new(_i);

	begin();
	p = peer_open(_i);
	peer_complete(&q);
	core_write(&p, WRITTEN);
	hear_all(&p);
	pass_to(BOB);
	check_ended(p.end);
	sim_run(LONG_US);
	hear_nothing(&p);
	check_goes_on(&q);
}
END_TEST

START_TEST(a_stream_ends_where_its_address_is_nobodys)
{
	struct peer p;

	begin();
	p = peer_open(_i);
	pass_to(NOBODY);
	check_ended(p.end);
	ck_assert_uint_eq(sim_counter("connections"), 0);
}
END_TEST

START_TEST(who_keeps_an_address_keeps_its_sessions)
{
	struct peer p;

	begin();
	p = peer_open(_i);
	pass_to(ALICE);
	check_goes_on(&p);
}
END_TEST

START_TEST(a_stream_that_waits_for_the_core_ends)
{
	struct peer p = peer_new(_i);

	begin();
	peer_syn(&p);
	pass_to(BOB);
	check_ended(p.end);
	sim_run(LONG_US);
	hear_nothing(&p);
	ck_assert_uint_eq(sim_counter("half_open"), 0);
}
END_TEST

/* What the core had written and closed is not for the next holder. */
START_TEST(what_is_still_to_be_sent_is_not_sent_to_another)
{
	struct peer p;

	begin();
	p = peer_open(_i);
	core_write(&p, WRITTEN);
	hear_all(&p);
	sim_close(p.end, 0);
	hear_all(&p);
	pass_to(BOB);
	ck_assert_uint_eq(sim_counter("connections"), 0);
	sim_run(LONG_US);
	hear_nothing(&p);
}
END_TEST

/* As after a refusal in silence, and in TIME-WAIT. */
START_TEST(what_is_remembered_of_the_dead_is_forgotten)
{
	struct peer p = peer_new(_i), q;

	begin();
	peer_syn(&p);
	sim_close(p.end, WEIR_ESILENT);
	q = peer_new(_i);
	q.path.client_port++;
	peer_complete(&q);
	reach_time_wait(&q);
	sim_close(q.end, 0);
	ck_assert_uint_eq(sim_counter("connections"), 2);
	pass_to(BOB);
	ck_assert_uint_eq(sim_counter("connections"), 0);
	p.end = NULL;
	peer_syn(&p);
}
END_TEST

START_TEST(what_has_been_received_is_the_cores)
{
	struct peer p;

	begin();
	p = peer_open(_i);
	say(&p, ACK | PSH, 1, 1, 100);
	pass_to(BOB);
	ck_assert_int_eq(p.end->failed, EADDRNOTAVAIL);
	ck_assert_uint_eq(core_read(&p), 100);
	sim_close(p.end, EADDRNOTAVAIL);
}
END_TEST

static struct weir_end *send_udp(const struct path *p)
{
	uint8_t packet[100];

	sim_input(&tun, packet, make_udp(packet, p, "ask", 3));
	return sim.ends;
}

static struct weir_end *send_echo(const struct path *p)
{
	uint8_t packet[100];

	sim_input(&tun, packet, make_echo(packet, p, 7, 1, "ask", 3));
	return sim.ends;
}

static int answer(struct weir_end *end)
{
	struct weir_datagram d = {&end->info.target, "answer", 6, 0};

	return end->flow->send(end->self, &d, 1);
}

START_TEST(flows_and_pings_end_as_streams_do)
{
	struct peer p = peer_new(_i), q = neighbour_new(_i);
	struct weir_end *udp, *echo, *other;

	begin();
	udp = send_udp(&p.path);
	echo = send_echo(&p.path);
	other = send_udp(&q.path);
	ck_assert_uint_eq(sim_counter("flows"), 3);
	pass_to(BOB);
	ck_assert_uint_eq(sim_counter("flows"), 1);
	ck_assert_int_eq(answer(udp), 0);
	ck_assert_int_eq(answer(echo), 0);
	check_ended(udp);
	check_ended(echo);
	ck_assert_int_eq(other->failed, 0);
	ck_assert_ptr_eq(send_udp(&q.path), other);
	ck_assert_int_eq(answer(other), 1);
	ck_assert_ptr_ne(send_udp(&p.path), other);
	ck_assert_uint_eq(sim_counter("flows"), 2);
	sim_flush(&tun);
}
END_TEST

static struct weir_end *open_outward(int v6, enum weir_net net)
{
	struct weir_addr to = {.kind = v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
			       .port = 443};
	struct weir_end *end = calloc(1, sizeof *end);

	inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "fd09::2" : "10.9.0.2", to.ip);
	end->next = sim.ends;
	sim.ends = end;
	sim.ops->open(tun.link, end, &to, net);
	return end;
}

START_TEST(what_was_opened_outward_goes_on)
{
	struct weir_end *stream, *flow;

	begin();
	stream = open_outward(_i, WEIR_NET_TCP);
	flow = open_outward(_i, WEIR_NET_UDP);
	asked = 0;
	pass_to(BOB);
	ck_assert_uint_eq(asked, 0);
	ck_assert_int_eq(stream->failed, 0);
	ck_assert_int_eq(flow->failed, 0);
	sim_flush(&tun);
}
END_TEST

START_TEST(each_session_is_asked_about_once)
{
	int ended = 0;

	begin();
	for (int i = 0; i < CROWD; i++) {
		struct peer p = i % 2 ? peer_new(_i) : neighbour_new(_i);

		p.path.client_port = (uint16_t)(10000 + i);
		peer_complete(&p);
	}
	asked = 0;
	pass_to(BOB);
	ck_assert_uint_eq(asked, CROWD);
	for (const struct weir_end *e = sim.ends; e; e = e->next)
		ended += e->failed == EADDRNOTAVAIL;
	ck_assert_int_eq(ended, CROWD / 2);
}
END_TEST

static struct weir_end *accept_stream(void *link,
				      struct weir_session_info *info,
				      const struct weir_stream_ops *ops,
				      void *s)
{
	struct weir_end *end = calloc(1, sizeof *end);

	(void)link;
	end->info = *info;
	end->stream = ops;
	end->self = s;
	end->next = sim.ends;
	sim.ends = end;
	return end;
}

START_TEST(a_link_of_1_3_is_not_asked)
{
	static const struct weir_link_ops ops = {
		.size = OPS_SIZE_1_3,
		.accept_stream = accept_stream,
		.holder = (uint64_t(*)(void *, const struct weir_addr *))(
			uintptr_t)1,
	};
	struct weir_link_conf conf = sim_link_conf();
	struct peer p = peer_new(_i);
	struct weir_error e;

	tun.link = sim.ops->attach(sim.stack, &conf, &ops, &tun, &e);
	peer_syn(&p);
	sim.ops->recheck(tun.link);
	ck_assert_int_eq(p.end->failed, 0);
	sim_close(p.end, WEIR_ESILENT);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_stream_ends_where_its_address_is_anothers,
		a_stream_ends_where_its_address_is_nobodys,
		who_keeps_an_address_keeps_its_sessions,
		a_stream_that_waits_for_the_core_ends,
		what_is_still_to_be_sent_is_not_sent_to_another,
		what_is_remembered_of_the_dead_is_forgotten,
		what_has_been_received_is_the_cores,
		flows_and_pings_end_as_streams_do,
		what_was_opened_outward_goes_on,
		each_session_is_asked_about_once,
		a_link_of_1_3_is_not_asked,
	};

	return BEHAVE_CUBIC_MAIN("holder", tests);
}
