/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Freedom's flows through another outbound, over real loopback sockets. */
#include <errno.h>
#include <unistd.h>

#include "freedom_flow.h"
#include "tests/suite.h"

/* A flow through another freedom. */
struct via {
	struct freedom_conf plain, conf;
	struct weir_instance *out, *host;
	struct weir_end *end;
};

static void via_open(struct via *v, const struct real_name *names,
		     const struct weir_addr *to, enum weir_net net)
{
	v->out = real_new(FREEDOM, &v->plain, names);
	v->host = real_new(FREEDOM, &v->conf, NULL);
	real_via(v->host, v->out);
	v->end = real_open(v->host, to, net);
}

static void via_init(struct via *v, const struct weir_addr *redirect,
		     const struct weir_addr *to, enum weir_net net)
{
	v->plain = (struct freedom_conf){.dial_timeout_ms = 16000};
	v->conf = v->plain;
	v->conf.redirect = *redirect;
	via_open(v, NULL, to, net);
	ck_assert(REAL_UNTIL(v->host, v->end->flow || v->end->failed));
}

static void via_fini(struct via *v)
{
	real_end_free(v->end, 0);
	ck_assert_uint_eq(real_free(v->host), 0);
	ck_assert_uint_eq(real_free(v->out), 0);
}

START_TEST(a_flow_through_via_keeps_its_peers)
{
	struct weir_addr at, asked = loopback_addr(AF_INET, 53);
	int fd = loopback_new(AF_INET, SOCK_DGRAM, &at);
	struct weir_addr redirect = _i ? at : (struct weir_addr){0};
	union sockaddr_any from;
	struct via v;
	char in[8];

	asked = _i ? asked : at;
	via_init(&v, &redirect, &asked, WEIR_NET_UDP);
	flow_send(v.end, &asked, "ask", 3, 0);
	ck_assert_int_eq(peer_receive(fd, in, sizeof in, &from), 3);
	peer_reply(fd, "answer", 6, &from);
	ck_assert(REAL_UNTIL(v.host, v.end->datagrams));
	ck_assert(weir_addr_equal(&v.end->peer, &asked));
	via_fini(&v);
	close(fd);
}
END_TEST

/* The same port on 127.0.0.2. */
static int twin_of(const struct weir_addr *of, struct weir_addr *bound)
{
	union sockaddr_any sa;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	*bound = *of;
	bound->ip[3] = 2;
	ck_assert_int_eq(bind(fd, &sa.sa, addr_to_sockaddr(bound, &sa)), 0);
	return fd;
}

/* The same port of two hosts; to the client these are two other ports. */
START_TEST(a_redirected_port_shows_each_peer_as_it_was_asked)
{
	struct weir_addr at[2], redirect = {.kind = WEIR_ADDR_IP4};
	union sockaddr_any from[2];
	struct via v;
	char in[8];
	int fd[2];

	fd[0] = loopback_new(AF_INET, SOCK_DGRAM, &at[0]);
	fd[1] = twin_of(&at[0], &at[1]);
	redirect.port = at[0].port;
	at[0].port = 53;
	at[1].port = 54;
	via_init(&v, &redirect, &at[0], WEIR_NET_UDP);
	for (int i = 0; i < 2; i++) {
		flow_send(v.end, &at[i], "ask", 3, 0);
		ck_assert_int_eq(peer_receive(fd[i], in, sizeof in, &from[i]),
				 3);
	}
	for (unsigned i = 0; i < 2; i++) {
		peer_reply(fd[i], "answer", 6, &from[i]);
		ck_assert(REAL_UNTIL(v.host, v.end->datagrams == i + 1));
		ck_assert(weir_addr_equal(&v.end->peer, &at[i]));
		close(fd[i]);
	}
	via_fini(&v);
}
END_TEST

START_TEST(an_echo_through_via_is_not_redirected)
{
	static const uint8_t echo[] = {0xab, 0xcd, 0, 7, 'p'};
	struct weir_addr to = loopback_addr(AF_INET, 0);
	struct weir_addr redirect = loopback_addr(AF_INET, 9);
	struct via v;

	redirect.ip[3] = 77;
	via_init(&v, &redirect, &to, WEIR_NET_ICMP);
	if (v.end->failed) {
		ck_assert_int_eq(v.end->err, EACCES);
	} else {
		flow_send(v.end, &to, echo, sizeof echo, 0);
		ck_assert(REAL_UNTIL(v.host, v.end->datagrams));
		ck_assert(weir_addr_equal(&v.end->peer, &to));
	}
	via_fini(&v);
}
END_TEST

START_TEST(it_carries_what_its_via_carries)
{
	const struct weir_outbound_ops *ops = FREEDOM->ops;
	struct weir_addr at = loopback_addr(AF_INET, 53), none = {0};
	struct via v;

	via_init(&v, &none, &at, WEIR_NET_UDP);
	ck_assert_uint_eq(ops->mtu(real_self(v.out)), 1500);
	ck_assert_uint_eq(ops->mtu(real_self(v.host)), 1500);
	via_fini(&v);
}
END_TEST

START_TEST(a_silent_via_is_etimedout_at_the_dial_timeout)
{
	static const struct real_name names[] = {
		{.name = "silent", .family = 1, .delay_ms = 9000},
		{.name = "silent", .family = 2, .delay_ms = 9000},
		{0},
	};
	struct weir_addr to = {
		.kind = WEIR_ADDR_NAME, .port = 80, .name = "silent"};
	struct via v = {.plain.dial_timeout_ms = 16000,
			.conf.dial_timeout_ms = 1000};

	via_open(&v, names, &to, WEIR_NET_TCP);
	real_forward(900);
	real_turn(v.host);
	ck_assert(!v.end->failed);
	real_forward(100);
	ck_assert(REAL_UNTIL(v.host, v.end->failed));
	ck_assert_int_eq(v.end->err, ETIMEDOUT);
	via_fini(&v);
}
END_TEST

START_TEST(a_session_that_via_carries_outlasts_the_dial_timeout)
{
	struct weir_addr at, none = {0};
	int fd = loopback_new(AF_INET, SOCK_DGRAM, &at);
	struct via v;

	via_init(&v, &none, &at, WEIR_NET_UDP);
	real_forward(17000);
	real_turn(v.host);
	ck_assert(!v.end->failed);
	via_fini(&v);
	close(fd);
}
END_TEST

SUITE("freedom_via", t)
{
	tcase_add_test(t, a_silent_via_is_etimedout_at_the_dial_timeout);
	tcase_add_test(t, a_session_that_via_carries_outlasts_the_dial_timeout);
	tcase_add_loop_test(t, a_flow_through_via_keeps_its_peers, 0, 2);
	tcase_add_test(t, a_redirected_port_shows_each_peer_as_it_was_asked);
	tcase_add_test(t, an_echo_through_via_is_not_redirected);
	tcase_add_test(t, it_carries_what_its_via_carries);
}
