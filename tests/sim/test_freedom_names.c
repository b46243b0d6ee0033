/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Peers of freedom's flows that go by a name or another address. */
#include <check.h>
#include <errno.h>

#include "freedom_flow.h"
#include "tests/suite.h"

START_TEST(redirected_replies_show_the_peer_that_was_asked)
{
	struct net t;
	struct weir_addr asked = {
		.kind = WEIR_ADDR_IP4, .port = 53, .ip = {192, 0, 2, 1}};
	union sockaddr_any from;
	char in[8];

	net_init(&t, AF_INET, NULL);
	t.conf.redirect = t.peer[0];
	flow_send(t.end, &asked, "ask", 3, 0);
	ck_assert_int_eq(peer_receive(t.fd[0], in, sizeof in, &from), 3);
	peer_reply(t.fd[0], "answer", 6, &from);
	ck_assert(REAL_UNTIL(t.host, t.end->datagrams));
	ck_assert(weir_addr_equal(&t.end->peer, &asked));
	net_fini(&t);
}
END_TEST

START_TEST(a_named_peer_is_looked_up_once_and_holds_a_few_datagrams)
{
	struct real_name names[] = {
		{"peer.test", 1, 0, 20, 1, {loopback_addr(AF_INET, 0)}},
		{0},
	};
	struct weir_addr name = {.kind = WEIR_ADDR_NAME, .name = "peer.test"};
	struct weir_addr nowhere = {
		.kind = WEIR_ADDR_NAME, .port = 1, .name = "nowhere.test"};
	union sockaddr_any from;
	struct net t;
	char in[8];

	net_init(&t, AF_INET, names);
	name.port = t.peer[0].port;
	for (int i = 0; i < 20; i++)
		flow_send(t.end, &name, "ask", 3, 0);
	ck_assert(REAL_UNTIL(t.host, real_counter(t.host, "udp_sent") == 16));
	ck_assert_uint_eq(real_counter(t.host, "udp_dropped"), 4);
	ck_assert_int_eq(peer_receive(t.fd[0], in, sizeof in, &from), 3);
	peer_reply(t.fd[0], "answer", 6, &from);
	ck_assert(REAL_UNTIL(t.host, t.end->datagrams));
	ck_assert(weir_addr_equal(&t.end->peer, &name));

	flow_send(t.end, &nowhere, "ask", 3, 0);
	ck_assert(REAL_UNTIL(t.host, t.end->unreachables));
	ck_assert_int_eq(t.end->unreachable_err, EHOSTUNREACH);
	/* Closed while one is still held. */
	flow_send(t.end, &nowhere, "ask", 3, 0);
	net_fini(&t);
}
END_TEST

static int bound_to(const struct weir_addr *at)
{
	int fd = socket(AF_INET, SOCK_DGRAM, 0);
	union sockaddr_any sa;
	socklen_t len = addr_to_sockaddr(at, &sa);

	ck_assert_int_eq(bind(fd, &sa.sa, len), 0);
	return fd;
}

static void asks_again(struct net *t, const struct weir_addr *asked, int fd)
{
	union sockaddr_any from;
	char in[8];

	flow_send(t->end, asked, "ask", 3, 0);
	ck_assert_int_eq(peer_receive(fd, in, sizeof in, &from), 3);
}

/* 0: by its name, 1: by a redirect. */
START_TEST(a_peer_that_left_the_address_of_its_name_is_found_again)
{
	struct real_name names[] = {
		{"peer.test", 1, 0, 0, 1, {loopback_addr(AF_INET, 0)}},
		{0},
	};
	struct weir_addr asked = {.kind = WEIR_ADDR_NAME, .name = "peer.test"};
	struct weir_addr there;
	union sockaddr_any from;
	struct net t;
	char in[8];
	int fd;

	net_init(&t, AF_INET, names);
	asked.port = t.peer[0].port;
	if (_i) {
		t.conf.redirect = asked;
		asked = t.peer[1];
	}
	there = t.peer[0];
	there.ip[3] = 2;
	fd = bound_to(&there);
	flow_send(t.end, &asked, "ask", 3, 0);
	ck_assert(REAL_UNTIL(t.host, real_counter(t.host, "udp_sent") == 1));
	ck_assert_int_eq(peer_receive(t.fd[0], in, sizeof in, &from), 3);
	names[0].addr[0].ip[3] = 2;
	/* One that answers is not doubted. */
	peer_reply(t.fd[0], "answer", 6, &from);
	ck_assert(REAL_UNTIL(t.host, t.end->datagrams));
	real_forward(20000);
	asks_again(&t, &asked, t.fd[0]);
	ck_assert_uint_eq(real_lookups(t.host), 2); /* a family each */
	real_forward(20000);
	flow_send(t.end, &asked, "ask", 3, 0);
	ck_assert_uint_eq(real_lookups(t.host), 4);
	for (int i = 0; i < 10; i++)
		real_turn(t.host);
	asks_again(&t, &asked, fd);
	close(fd);
	net_fini(&t);
}
END_TEST

START_TEST(a_named_peer_is_not_looked_up_outside_of_a_tunnel)
{
	struct real_name names[] = {
		{"peer.test", 1, 0, 0, 1, {loopback_addr(AF_INET, 0)}},
		{0},
	};
	struct weir_addr name = {.kind = WEIR_ADDR_NAME, .name = "peer.test"};
	union sockaddr_any from;
	struct net t;

	net_init(&t, AF_INET, names);
	((struct freedom *)real_self(t.host))->inside = true;
	name.port = t.peer[0].port;
	flow_send(t.end, &name, "name", 4, 0);
	ck_assert_uint_eq(real_counter(t.host, "udp_dropped"), 1);
	ask(t.end, &t.peer[0], t.fd[0], &from);
	ck_assert_uint_eq(real_counter(t.host, "udp_sent"), 1);
	ck_assert_uint_eq(real_lookups(t.host), 0);
	net_fini(&t);
}
END_TEST

START_TEST(what_all_flows_hold_for_names_has_one_bound)
{
	static uint8_t big[60000];
	struct real_name names[] = {
		{"slow.test", 1, 0, 60000, 1, {loopback_addr(AF_INET, 0)}},
		{0},
	};
	struct weir_addr name = {.kind = WEIR_ADDR_NAME, .name = "slow.test"};
	struct weir_end *more[40];
	uint64_t fit = HELD_TOTAL_MAX / sizeof big;
	struct net t;

	net_init(&t, AF_INET, names);
	for (int i = 0; i < 40; i++) {
		more[i] = real_open(t.host, &t.peer[0], WEIR_NET_UDP);
		for (name.port = 1; name.port < 10; name.port++)
			flow_send(more[i], &name, big, sizeof big, 0);
	}
	ck_assert_uint_ge(real_counter(t.host, "udp_dropped"), 360 - fit);
	/* What a flow gives back others may have. */
	for (int i = 0; i < 39; i++)
		real_end_free(more[i], 0);
	ck_assert_uint_eq(real_counter(t.host, "udp_dropped"), 360);
	flow_send(more[39], &name, big, sizeof big, 0);
	ck_assert_uint_eq(real_counter(t.host, "udp_dropped"), 360);
	real_end_free(more[39], 0);
	net_fini(&t);
}
END_TEST

START_TEST(names_that_all_flows_wait_for_have_one_bound)
{
	struct real_name names[] = {
		{"slow.test", 1, 0, 60000, 1, {loopback_addr(AF_INET, 0)}},
		{0},
	};
	struct weir_addr name = {.kind = WEIR_ADDR_NAME, .name = "slow.test"};
	struct weir_end *more[NAMINGS_MAX / 32 + 1];
	struct net t;

	net_init(&t, AF_INET, names);
	for (int i = 0; i <= NAMINGS_MAX / 32; i++) {
		more[i] = real_open(t.host, &t.peer[0], WEIR_NET_UDP);
		for (name.port = 1; name.port <= 32; name.port++)
			flow_send(more[i], &name, "ask", 3, 0);
	}
	ck_assert_uint_eq(real_counter(t.host, "udp_dropped"), 32);
	real_end_free(more[0], 0);
	ck_assert_uint_eq(real_counter(t.host, "udp_dropped"), 64);
	name.port = 1;
	flow_send(t.end, &name, "ask", 3, 0);
	ck_assert_uint_eq(real_counter(t.host, "udp_dropped"), 64);
	for (int i = 1; i <= NAMINGS_MAX / 32; i++)
		real_end_free(more[i], 0);
	net_fini(&t);
}
END_TEST

/* The other family's answer never comes. */
START_TEST(one_family_s_answer_is_enough_for_a_named_peer)
{
	int domain = _i ? AF_INET6 : AF_INET;
	struct real_name names[] = {
		{"half.test", _i ? 2 : 1, 0, 0, 1, {loopback_addr(domain, 0)}},
		{"half.test", _i ? 1 : 2, ETIMEDOUT, 60000, 0, {{0}}},
		{0},
	};
	struct weir_addr name = {.kind = WEIR_ADDR_NAME, .name = "half.test"};
	struct net t;
	union sockaddr_any from;

	net_init(&t, domain, names);
	name.port = t.peer[0].port;
	flow_send(t.end, &name, "ask", 3, 0);
	ck_assert(REAL_UNTIL(t.host, real_counter(t.host, "udp_sent") == 1));
	ask(t.end, &name, t.fd[0], &from);
	net_fini(&t);
}
END_TEST

START_TEST(an_ipv6_answer_without_a_route_waits_for_the_ipv4_one)
{
	struct real_name names[] = {
		{"both.test", 1, 0, 100, 1, {loopback_addr(AF_INET, 0)}},
		{"both.test", 2, 0, 0, 1, {loopback_addr(AF_INET6, 0)}},
		{0},
	};
	struct weir_addr name = {.kind = WEIR_ADDR_NAME, .name = "both.test"};
	struct net t;
	char in[8];
	union sockaddr_any from;

	net_init(&t, AF_INET, names);
	real_refuse(t.host, AF_INET6, 0, EAFNOSUPPORT);
	name.port = t.peer[0].port;
	flow_send(t.end, &name, "ask", 3, 0);
	ck_assert(REAL_UNTIL(t.host, real_counter(t.host, "udp_sent") == 1));
	ck_assert_int_eq(peer_receive(t.fd[0], in, sizeof in, &from), 3);
	net_fini(&t);
}
END_TEST

SUITE("freedom_names", t)
{
	tcase_set_timeout(t, 30);
	tcase_add_test(t, redirected_replies_show_the_peer_that_was_asked);
	tcase_add_test(
		t, a_named_peer_is_looked_up_once_and_holds_a_few_datagrams);
	tcase_add_loop_test(
		t, a_peer_that_left_the_address_of_its_name_is_found_again, 0,
		2);
	tcase_add_test(t, a_named_peer_is_not_looked_up_outside_of_a_tunnel);
	tcase_add_test(t, what_all_flows_hold_for_names_has_one_bound);
	tcase_add_test(t, names_that_all_flows_wait_for_have_one_bound);
	tcase_add_loop_test(t, one_family_s_answer_is_enough_for_a_named_peer,
			    0, 2);
	tcase_add_test(t,
		       an_ipv6_answer_without_a_route_waits_for_the_ipv4_one);
}
