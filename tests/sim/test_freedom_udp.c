/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Freedom's flows, UDP and echo, over real loopback sockets. */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/udp.h>

#include "freedom_flow.h"
#include "tests/no_table.h"
#include "tests/suite.h"

START_TEST(one_source_port_serves_all_peers_and_strangers_may_answer)
{
	struct net t;
	union sockaddr_any from[2];

	net_init(&t, _i ? AF_INET6 : AF_INET, NULL);
	for (int i = 0; i < 2; i++)
		ask(t.end, &t.peer[i], t.fd[i], &from[i]);
	ck_assert_uint_eq(from[0].in.sin_port, from[1].in.sin_port);
	/* The third was never spoken to. */
	if (_i)
		from[0].in6.sin6_addr = in6addr_loopback;
	peer_reply(t.fd[2], "hello", 5, &from[0]);
	ck_assert(REAL_UNTIL(t.host, t.end->datagrams == 1));
	ck_assert(weir_addr_equal(&t.end->peer, &t.peer[2]));
	ck_assert_int_eq(memcmp(t.end->data, "hello", 5), 0);
	net_fini(&t);
}
END_TEST

START_TEST(datagrams_of_every_size_arrive_whole_both_ways)
{
	static const uint32_t sizes[] = {0, 1, 1472, 9000, UDP_PAYLOAD_MAX};
	static uint8_t out[UDP_PAYLOAD_MAX], in[UDP_PAYLOAD_MAX + 1];
	union sockaddr_any from;
	struct net t;

	net_init(&t, _i ? AF_INET6 : AF_INET, NULL);
	for (size_t i = 0; i < sizeof out; i++)
		out[i] = (uint8_t)(i * 7);
	for (int i = 0; i < 5; i++) {
		t.end->bytes = t.end->datagrams = 0;
		flow_send(t.end, &t.peer[0], out, sizes[i], 0);
		ck_assert_int_eq(peer_receive(t.fd[0], in, sizeof in, &from),
				 (ssize_t)sizes[i]);
		ck_assert_int_eq(memcmp(in, out, sizes[i]), 0);
		peer_reply(t.fd[0], out, sizes[i], &from);
		ck_assert(REAL_UNTIL(t.host, t.end->datagrams == 1));
		ck_assert_uint_eq(t.end->bytes, sizes[i]);
		ck_assert_int_eq(memcmp(t.end->data, out, sizes[i]), 0);
	}
	net_fini(&t);
}
END_TEST

/* The leg has a socket already. With `on` the kernel refuses trains, which need
 * checksums, with EINVAL. */
static void checksums_off(struct net *t, int on)
{
	int fd = ((struct udp *)t->end->object)->socket[V4].fd;

	ck_assert_int_eq(
		setsockopt(fd, SOL_SOCKET, SO_NO_CHECK, &on, sizeof on), 0);
}

/* 0: as a train; 1: singles that join up; 2: a train the kernel refuses. */
START_TEST(a_train_leaves_as_its_datagrams)
{
	static uint8_t out[300 * 10 + 100];
	struct weir_datagram v[11];
	union sockaddr_any from;
	struct net t;
	uint8_t in[400];

	net_init(&t, AF_INET, NULL);
	for (size_t i = 0; i < sizeof out; i++)
		out[i] = (uint8_t)(i * 13);
	for (int i = 0; i < 11; i++)
		v[i] = (struct weir_datagram){&t.peer[0], out + i * 300,
					      i < 10 ? 300 : 100, 0};
	if (_i == 2) {
		flow_send(t.end, &t.peer[1], "", 0, 0);
		checksums_off(&t, 1);
	}
	if (_i == 1)
		ck_assert_int_eq(t.end->flow->send(t.end->object, v, 11), 11);
	else
		flow_send(t.end, &t.peer[0], out, sizeof out, 300);
	for (int i = 0; i < 11; i++) {
		ck_assert_int_eq(peer_receive(t.fd[0], in, sizeof in, &from),
				 (ssize_t)v[i].len);
		ck_assert_int_eq(memcmp(in, v[i].data, v[i].len), 0);
	}
	ck_assert_uint_eq(real_counter(t.host, "udp_sent"), _i == 2 ? 12 : 11);
	ck_assert_uint_eq(t.end->unreachables, 0);
	net_fini(&t);
}
END_TEST

START_TEST(a_refused_train_ends_no_other)
{
	static uint8_t out[600], in[600];
	int on = 1;
	union sockaddr_any from;
	struct net t;

	net_init(&t, AF_INET, NULL);
	setsockopt(t.fd[1], IPPROTO_UDP, UDP_GRO, &on, sizeof on);
	flow_send(t.end, &t.peer[2], "", 0, 0);
	checksums_off(&t, 1);
	flow_send(t.end, &t.peer[0], out, sizeof out, 300);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(peer_receive(t.fd[0], in, sizeof in, &from),
				 300);
	checksums_off(&t, 0);
	flow_send(t.end, &t.peer[1], out, sizeof out, 300);
	ck_assert_int_eq(peer_receive(t.fd[1], in, sizeof in, &from),
			 sizeof out);
	net_fini(&t);
}
END_TEST

/* IPv6 as the path's packets can be made small on loopback there. Linux 6.14,
 * and those that took its change back, say EMSGSIZE where others say EINVAL. */
START_TEST(neighbours_larger_than_the_path_s_packets_arrive_whole)
{
	static uint8_t out[3 * 1300], in[1400];
	struct weir_datagram v[3];
	union sockaddr_any from;
	struct net t;
	int mtu = 1280;

	net_init(&t, AF_INET6, NULL);
	flow_send(t.end, &t.peer[1], "", 0, 0);
	ck_assert_int_eq(
		setsockopt(((struct udp *)t.end->object)->socket[V6].fd,
			   IPPROTO_IPV6, IPV6_MTU, &mtu, sizeof mtu),
		0);
	for (int i = 0; i < 3; i++)
		v[i] = (struct weir_datagram){&t.peer[0], out + i * 1300, 1300,
					      0};
	ck_assert_int_eq(t.end->flow->send(t.end->object, v, 3), 3);
	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(peer_receive(t.fd[0], in, sizeof in, &from),
				 1300);
	ck_assert_uint_eq(t.end->unreachables, 0);
	net_fini(&t);
}
END_TEST

START_TEST(a_train_of_more_segments_than_the_kernel_cuts_is_split)
{
	static uint8_t out[200 * 10];
	union sockaddr_any from;
	struct net t;
	uint8_t in[20];

	net_init(&t, AF_INET, NULL);
	flow_send(t.end, &t.peer[0], out, sizeof out, 10);
	for (int i = 0; i < 200; i++)
		ck_assert_int_eq(peer_receive(t.fd[0], in, sizeof in, &from),
				 10);
	net_fini(&t);
}
END_TEST

START_TEST(mixed_vectors_keep_their_order_and_peers)
{
	struct net t;
	union sockaddr_any from;
	static const int to[] = {0, 0, 1, 0, 1, 1, 0};
	static const uint32_t len[] = {4, 4, 4, 6, 0, 2, 6};
	struct weir_datagram v[7];
	uint8_t in[16], out[7][8];

	net_init(&t, AF_INET, NULL);
	for (int i = 0; i < 7; i++) {
		memset(out[i], 'a' + i, 8);
		v[i] = (struct weir_datagram){&t.peer[to[i]], out[i], len[i],
					      0};
	}
	ck_assert_int_eq(t.end->flow->send(t.end->object, v, 7), 7);
	for (int i = 0; i < 7; i++) {
		ck_assert_int_eq(
			peer_receive(t.fd[to[i]], in, sizeof in, &from),
			(ssize_t)len[i]);
		ck_assert_int_eq(memcmp(in, out[i], len[i]), 0);
	}
	net_fini(&t);
}
END_TEST

START_TEST(a_train_that_the_kernel_joined_is_delivered_as_one)
{
	static uint8_t out[1000 * 40];
	union sockaddr_any from;
	int segment = 1000;
	struct net t;

	net_init(&t, AF_INET, NULL);
	ask(t.end, &t.peer[0], t.fd[0], &from);
	setsockopt(t.fd[0], IPPROTO_UDP, 103 /* UDP_SEGMENT */, &segment,
		   sizeof segment);
	for (size_t i = 0; i < sizeof out; i++)
		out[i] = (uint8_t)(i / 1000 + i);
	peer_reply(t.fd[0], out, sizeof out, &from);
	ck_assert(REAL_UNTIL(t.host, t.end->datagrams == 40));
	ck_assert_uint_eq(t.end->bytes, sizeof out);
	ck_assert_uint_eq(real_counter(t.host, "udp_received"), 40);
	ck_assert_int_eq(memcmp(t.end->data, out, sizeof out), 0);
	ck_assert_uint_ge(t.end->trains, 1);
	net_fini(&t);
}
END_TEST

START_TEST(what_came_before_changes_nothing_of_what_comes)
{
	static uint8_t out[2000];
	union sockaddr_any from[2];
	struct weir_addr six;
	int segment = 1000, fd;
	struct net t;

	net_init(&t, AF_INET, NULL);
	fd = loopback_new(AF_INET6, SOCK_DGRAM, &six);
	ask(t.end, &t.peer[0], t.fd[0], &from[0]);
	ask(t.end, &six, fd, &from[1]);
	peer_reply(t.fd[0], "x", 1, &from[0]); /* a short address, no train */
	ck_assert(REAL_UNTIL(t.host, t.end->datagrams == 1));
	ck_assert(weir_addr_equal(&t.end->peer, &t.peer[0]));
	setsockopt(fd, IPPROTO_UDP, 103 /* UDP_SEGMENT */, &segment,
		   sizeof segment);
	peer_reply(fd, out, sizeof out, &from[1]);
	ck_assert(REAL_UNTIL(t.host, t.end->datagrams == 3));
	ck_assert(weir_addr_equal(&t.end->peer, &six));
	ck_assert_uint_eq(t.end->trains, 1);
	close(fd);
	net_fini(&t);
}
END_TEST

/* More datagrams than a socket is read of in two turns. */
#define BURST (RECEIVE_VECTORS * 20)

START_TEST(a_burst_is_read_to_its_end_over_several_turns)
{
	union sockaddr_any from;
	struct net t;

	net_init(&t, AF_INET, NULL);
	ask(t.end, &t.peer[0], t.fd[0], &from);
	for (int i = 0; i < BURST; i++)
		peer_reply(t.fd[0], "x", 1, &from);
	real_turn(t.host);
	ck_assert_int_lt(t.end->datagrams, BURST);
	ck_assert(REAL_UNTIL(t.host, t.end->datagrams == BURST));
	ck_assert_uint_eq(real_counter(t.host, "udp_received"), BURST);
	/* Closed with reading still queued: nothing is left behind. */
	for (int i = 0; i < BURST; i++)
		peer_reply(t.fd[0], "x", 1, &from);
	real_turn(t.host);
	net_fini(&t);
}
END_TEST

START_TEST(a_closed_port_is_reported_for_the_peer_it_is_about)
{
	struct net t;
	int domain = _i ? AF_INET6 : AF_INET;
	struct weir_addr closed = loopback_closed(domain, SOCK_DGRAM);
	union sockaddr_any from;

	net_init(&t, domain, NULL);
	flow_send(t.end, &closed, "ask", 3, 0);
	/* The error is pending: it must not cost the next datagram. */
	ask(t.end, &t.peer[0], t.fd[0], &from);
	ck_assert(REAL_UNTIL(t.host, t.end->unreachables));
	ck_assert_int_eq(t.end->unreachable_err, ECONNREFUSED);
	ck_assert(weir_addr_equal(&t.end->unreachable_peer, &closed));
	ck_assert_uint_eq(t.end->unreachables, 1);

	flow_send(t.end, &closed, "ask", 3, 0);
	ck_assert(REAL_UNTIL(t.host, t.end->unreachables == 2));
	net_fini(&t);
}
END_TEST

START_TEST(what_cannot_be_sent_is_reported_at_once)
{
	struct net t;
	struct weir_addr v6 = loopback_addr(AF_INET6, 9);
	struct weir_addr broadcast = {
		.kind = WEIR_ADDR_IP4, .port = 9, .ip = {255, 255, 255, 255}};

	net_init(&t, AF_INET, NULL);
	real_refuse(t.host, AF_INET6, 0, EAFNOSUPPORT);
	flow_send(t.end, &v6, "x", 1, 0);
	ck_assert_int_eq(t.end->unreachable_err, ENETUNREACH);
	ck_assert(weir_addr_equal(&t.end->unreachable_peer, &v6));
	flow_send(t.end, &broadcast, "x", 1, 0);
	ck_assert_uint_eq(t.end->unreachables, 2);
	ck_assert(t.end->unreachable_err == EACCES ||
		  t.end->unreachable_err == ENETUNREACH);
	ck_assert_uint_eq(real_counter(t.host, "udp_dropped"), 2);
	net_fini(&t);
}
END_TEST

/* Even: over a ping socket where allowed; odd: over a raw one. */
START_TEST(an_echo_comes_back_with_the_clients_identifier)
{
	static const uint8_t echo[] = {0xab, 0xcd, 0,	7,  'p',
				       'i',  'n',  'g', '!'};
	struct freedom_conf conf = {.dial_timeout_ms = 16000};
	struct weir_addr to = loopback_addr(_i / 2 ? AF_INET6 : AF_INET, 0);
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct weir_end *e;

	if (_i & 1)
		real_refuse(h, 0, SOCK_DGRAM, EACCES);
	e = real_open(h, &to, WEIR_NET_ICMP);
	if (e->failed) {
		ck_assert_int_eq(e->err, EACCES);
	} else {
		flow_send(e, &to, echo, sizeof echo, 0);
		ck_assert(REAL_UNTIL(h, e->datagrams));
		ck_assert_uint_eq(e->bytes, sizeof echo);
		ck_assert_int_eq(memcmp(e->data, echo, sizeof echo), 0);
		ck_assert(weir_addr_equal(&e->peer, &to));
		real_turn(h);
		ck_assert_uint_eq(e->datagrams, 1);
	}
	real_end_free(e, 0);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

static unsigned fds_open(void)
{
	unsigned n = 0;

	for (int fd = 0; fd < 256; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

START_TEST(all_echoes_over_raw_sockets_share_one)
{
	enum { ECHOES = 20 };
	struct freedom_conf conf = {.dial_timeout_ms = 16000};
	struct weir_addr to = loopback_addr(_i ? AF_INET6 : AF_INET, 0);
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct weir_end *e[ECHOES];
	unsigned before = fds_open();
	bool allowed;

	real_refuse(h, 0, SOCK_DGRAM, EACCES);
	for (int i = 0; i < ECHOES; i++)
		e[i] = real_open(h, &to, WEIR_NET_ICMP);
	allowed = !e[0]->failed;
	ck_assert_uint_eq(fds_open(), before + allowed);
	for (uint8_t i = 0; allowed && i < ECHOES; i++)
		flow_send(e[i], &to, (uint8_t[]){7, 7, 0, i}, 4, 0);
	for (uint8_t i = 0; allowed && i < ECHOES; i++) {
		ck_assert(REAL_UNTIL(h, e[i]->datagrams));
		ck_assert_uint_eq(e[i]->datagrams, 1);
		ck_assert_int_eq(memcmp(e[i]->data, (uint8_t[]){7, 7, 0, i}, 4),
				 0);
	}
	for (int i = 0; i < ECHOES; i++)
		real_end_free(e[i], 0);
	ck_assert_uint_eq(fds_open(), before);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

START_TEST(an_echo_that_finds_no_memory_fails_alone)
{
	struct freedom_conf conf = {.dial_timeout_ms = 16000};
	struct weir_addr to = loopback_addr(AF_INET, 0);
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	unsigned before = fds_open();
	struct weir_end *e[2];

	real_refuse(h, 0, SOCK_DGRAM, EACCES);
	for (int i = 0; i < 2; i++) {
		no_table = !i;
		e[i] = real_open(h, &to, WEIR_NET_ICMP);
	}
	if (!e[1]->failed) { /* raw sockets are allowed */
		ck_assert(e[0]->failed);
		ck_assert_int_eq(e[0]->err, ENOMEM);
	}
	for (int i = 0; i < 2; i++)
		real_end_free(e[i], 0);
	ck_assert_uint_eq(fds_open(), before);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

START_TEST(echo_without_the_right_to_it_is_eacces)
{
	struct freedom_conf conf = {.dial_timeout_ms = 16000};
	struct weir_addr to = loopback_addr(AF_INET, 0);
	struct weir_instance *h = real_new(FREEDOM, &conf, NULL);
	struct weir_end *e;

	real_refuse(h, AF_INET, 0, EPERM);
	e = real_open(h, &to, WEIR_NET_ICMP);
	ck_assert(e->failed);
	ck_assert_int_eq(e->err, EACCES);
	real_end_free(e, 0);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

SUITE("freedom_udp", t)
{
	tcase_set_timeout(t, 30);
	tcase_add_loop_test(
		t, one_source_port_serves_all_peers_and_strangers_may_answer, 0,
		2);
	tcase_add_loop_test(t, datagrams_of_every_size_arrive_whole_both_ways,
			    0, 2);
	tcase_add_loop_test(t, a_train_leaves_as_its_datagrams, 0, 3);
	tcase_add_test(t, a_refused_train_ends_no_other);
	tcase_add_test(t,
		       neighbours_larger_than_the_path_s_packets_arrive_whole);
	tcase_add_test(t,
		       a_train_of_more_segments_than_the_kernel_cuts_is_split);
	tcase_add_test(t, mixed_vectors_keep_their_order_and_peers);
	tcase_add_test(t, a_train_that_the_kernel_joined_is_delivered_as_one);
	tcase_add_test(t, what_came_before_changes_nothing_of_what_comes);
	tcase_add_test(t, a_burst_is_read_to_its_end_over_several_turns);
	tcase_add_loop_test(
		t, a_closed_port_is_reported_for_the_peer_it_is_about, 0, 2);
	tcase_add_test(t, what_cannot_be_sent_is_reported_at_once);
	tcase_add_loop_test(t, an_echo_comes_back_with_the_clients_identifier,
			    0, 4);
	tcase_add_loop_test(t, all_echoes_over_raw_sockets_share_one, 0, 2);
	tcase_add_test(t, an_echo_that_finds_no_memory_fails_alone);
	tcase_add_test(t, echo_without_the_right_to_it_is_eacces);
}
