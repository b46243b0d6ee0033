/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_udp.c - datagrams and pings as a client on the link sees them. Each test
 * runs over IPv4 and IPv6. */
#include "datagrams.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/suite.h"

static struct weir_addr addr_of(int v6, const char *ip4, const char *ip6,
				uint16_t port)
{
	struct weir_addr a = {.kind = v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
			      .port = port};

	inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? ip6 : ip4, a.ip);
	return a;
}

START_TEST(one_socket_has_one_flow_for_every_destination)
{
	struct path p = path_of(_i, 53), q = path_of(_i, 123);
	struct weir_end *e = send_udp(&p, 10);

	ck_assert_ptr_eq(send_udp(&q, 20), e);
	ck_assert_ptr_null(e->next);
	ck_assert_int_eq(e->datagrams, 2);
	ck_assert_int_eq(e->info.net, WEIR_NET_UDP);
	ck_assert_int_eq(e->info.source.port, 5000);
	ck_assert_int_eq(e->info.target.port, 53);
	ck_assert_int_eq(e->peers[1].port, 123);
	ck_assert_uint_eq(e->lens[1], 20);
	ck_assert_mem_eq(e->last, payload, 20);
	p.client_port = 5001;
	ck_assert_ptr_ne(send_udp(&p, 10), e);
}
END_TEST

START_TEST(anybody_can_answer)
{
	struct path p = path_of(_i, 53);
	struct weir_end *e = send_udp(&p, 10);
	struct weir_addr stranger =
		addr_of(_i, "198.51.100.77", "2001:db8:77::1", 7777);
	struct seen *s;

	reply(e, &stranger, 33, 0);
	s = look(&tun);
	ck_assert(s->any && s->checksum_ok);
	ck_assert_mem_eq(s->source, stranger.ip, _i ? 16 : 4);
	ck_assert_uint_eq(s->source_port, 7777);
	ck_assert_uint_eq(s->target_port, 5000);
	ck_assert_uint_eq(s->payload_len, 33);
	ck_assert_uint_eq(s->ttl, 64);
	ck_assert_mem_eq(s->payload, payload, 33);
}
END_TEST

START_TEST(train_arrives_as_one)
{
	struct path p = path_of(_i, 53);
	uint32_t len = make_udp(packet, &p, payload, 14000);

	sim_input_train(&tun, packet, len, WEIR_GSO_UDP, 1400,
			WEIR_CSUM_PARTIAL);
	ck_assert_int_eq(sim.ends->datagrams, 1);
	ck_assert_uint_eq(sim.ends->lens[0], 14000);
	ck_assert_uint_eq(sim.ends->segments[0], 1400);
}
END_TEST

START_TEST(train_is_cut_where_the_link_takes_none)
{
	struct path p = path_of(_i, 53);
	struct weir_end *e = send_udp(&p, 10);
	uint32_t at = 0;
	struct seen *s;

	reply(e, &e->info.target, 10001, 1200);
	while ((s = look(&tun))->any) {
		ck_assert(s->checksum_ok);
		ck_assert_uint_eq(s->payload_len, at < 9600 ? 1200 : 401);
		ck_assert_mem_eq(s->payload, payload + at, s->payload_len);
		at += s->payload_len;
	}
	ck_assert_uint_eq(at, 10001);
}
END_TEST

/* A flow on a link that takes trains. */
static struct weir_end *open_for_trains(int v6, uint32_t mtu)
{
	struct weir_link_conf conf = sim_link_conf();
	struct path p = path_of(v6, 53);

	conf.offloads = WEIR_LINK_CSUM | WEIR_LINK_USO;
	conf.mtu_bytes = mtu;
	sim_attach(&tun, &conf);
	return send_udp(&p, 10);
}

START_TEST(train_goes_out_as_one_where_the_link_takes_it)
{
	struct weir_end *e = open_for_trains(_i, 1500);
	struct seen *s;

	reply(e, &e->info.target, 10001, 1200);
	s = look(&tun);
	ck_assert(s->any && s->checksum_ok);
	ck_assert_uint_eq(s->payload_len, 10001);
	ck_assert_uint_eq(s->gso_size, 1200);
	ck_assert(!look(&tun)->any);
}
END_TEST

START_TEST(segments_too_large_for_a_train_go_out_one_by_one)
{
	struct weir_end *e = open_for_trains(_i, 65535);

	reply(e, &e->info.target, 65002, 65001);
	ck_assert_uint_eq(look(&tun)->payload_len, 65001);
	ck_assert_uint_eq(look(&tun)->payload_len, 1);
	ck_assert(!look(&tun)->any);
}
END_TEST

/* `n` datagrams from one peer, as they come from a socket. */
static void reply_many(struct weir_end *e, const uint32_t *lens, int n)
{
	struct weir_datagram d[80];
	uint32_t at = 0;

	for (int i = 0; i < n; i++) {
		d[i] = (struct weir_datagram){&e->info.target, payload + at,
					      lens[i], 0};
		at += lens[i];
	}
	ck_assert_int_eq(e->flow->send(e->self, d, n), n);
}

START_TEST(neighbours_of_one_size_leave_as_a_train)
{
	static const uint32_t lens[] = {1200, 1200, 1200, 301, 1200, 1472,
					100,  2000, 0,	  0,   7};
	static const uint32_t sent[] = {3901, 1200, 1572};
	struct weir_end *e = open_for_trains(_i, 1520);
	uint32_t at = 0;

	reply_many(e, lens, 11);
	for (int i = 0; i < 3; i++) {
		struct seen *s = look(&tun);

		ck_assert(s->any && s->checksum_ok);
		ck_assert_uint_eq(s->payload_len, sent[i]);
		ck_assert_uint_eq(s->gso_size, i == 1 ? 0 : lens[at ? 5 : 0]);
		ck_assert_mem_eq(s->payload, payload + at, s->payload_len);
		at += s->payload_len;
	}
}
END_TEST

START_TEST(trains_of_neighbours_are_bounded)
{
	struct weir_end *e = open_for_trains(_i, 1500);
	uint32_t lens[80], at = 0;
	struct seen *s;

	for (int i = 0; i < 80; i++)
		lens[i] = 100;
	reply_many(e, lens, 80);
	while ((s = look(&tun))->any) {
		ck_assert(s->checksum_ok);
		ck_assert_uint_eq(s->gso_size, 100);
		ck_assert_uint_le(s->payload_len, 6400);
		ck_assert_mem_eq(s->payload, payload + at, s->payload_len);
		at += s->payload_len;
	}
	ck_assert_uint_eq(at, 8000);
}
END_TEST

START_TEST(neighbours_stay_apart_where_the_link_takes_no_trains)
{
	static const uint32_t lens[] = {500, 500, 500};
	struct path p = path_of(_i, 53);
	struct weir_end *e = send_udp(&p, 10);

	reply_many(e, lens, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(look(&tun)->payload_len, 500);
	ck_assert(!look(&tun)->any);
}
END_TEST

START_TEST(one_batch_is_one_delivery)
{
	struct path p = path_of(_i, 53);
	struct weir_ingress in[10] = {0};

	for (int i = 0; i < 10; i++) {
		in[i].buffer = sim.ops->buffer_get(sim.stack);
		in[i].len = make_udp(in[i].buffer->data, &p, payload, 100);
	}
	sim.ops->input(tun.link, in, 10);
	ck_assert_int_eq(sim.ends->datagrams, 10);
	ck_assert_int_eq(sim.ends->deliveries, 1);
}
END_TEST

/* What arrives in one batch: paths, one datagram each. */
static void send_batch(const struct path *p, int n)
{
	struct weir_ingress in[8] = {0};

	for (int i = 0; i < n; i++) {
		in[i].buffer = sim.ops->buffer_get(sim.stack);
		in[i].len = make_udp(in[i].buffer->data, &p[i], payload,
				     100 + (uint32_t)i);
	}
	sim.ops->input(tun.link, in, n);
}

START_TEST(flows_of_one_batch_are_told_apart)
{
	struct path p = path_of(_i, 53), q = p, r = path_of(_i, 123);
	struct weir_end *of_p, *of_q;

	q.client_port = p.client_port + 1;
	send_batch((struct path[]){p, p, q, r, q, q, p}, 7);
	of_q = sim.ends;
	of_p = of_q->next;
	ck_assert_ptr_null(of_p->next);
	ck_assert_int_eq(of_p->info.source.port, p.client_port);
	ck_assert_int_eq(of_p->datagrams, 4);
	ck_assert_uint_eq(of_p->lens[1], 101);
	ck_assert_uint_eq(of_p->lens[2], 103);
	ck_assert_uint_eq(of_p->lens[3], 106);
	ck_assert_int_eq(of_q->datagrams, 3);
	ck_assert_uint_eq(of_q->lens[0], 102);
	ck_assert_uint_eq(of_q->lens[2], 105);
}
END_TEST

START_TEST(a_flow_of_ours_has_its_port_to_itself)
{
	struct path other = path_of(_i, 53), ours;
	struct weir_addr to = addr_of(_i, "198.51.100.7", "fd00::7", 4000);
	struct weir_end *opened = calloc(1, sizeof *opened), *accepted;
	struct sim_packet *asked;
	uint32_t at = _i ? 40 : 20;

	opened->next = sim.ends;
	sim.ends = opened;
	sim.ops->open(tun.link, opened, &to, WEIR_NET_UDP);
	reply(opened, &to, 10, 0);
	asked = sim_output(&tun);
	ours = other;
	memcpy(ours.server, asked->data + (_i ? 8 : 12), _i ? 16 : 4);
	ours.server_port =
		(uint16_t)(asked->data[at] << 8 | asked->data[at + 1]);
	free(asked);

	send_batch((struct path[]){other, ours, ours, other}, 4);
	accepted = sim.ends;
	ck_assert_ptr_ne(accepted, opened);
	ck_assert_int_eq(accepted->datagrams, 2);
	ck_assert_int_eq(opened->datagrams, 2);
	ck_assert_uint_eq(opened->lens[0], 101);
	sim_close(opened, 0);
	send_batch((struct path[]){other, ours}, 2);
	ck_assert_int_eq(accepted->datagrams, 4);
}
END_TEST

START_TEST(table_is_bounded_and_the_idlest_goes)
{
	struct weir_link_conf conf = sim_link_conf();
	struct path p = path_of(_i, 53);
	struct weir_end *first, *second, *third = NULL;

	conf.max_flows = 10;
	sim_attach(&tun, &conf);
	first = send_udp(&p, 1);
	p.client_port = 6000;
	second = send_udp(&p, 1);
	for (uint16_t i = 1; i <= 8; i++) {
		struct weir_end *e;

		p.client_port = (uint16_t)(6000 + i);
		e = send_udp(&p, 1);
		third = i == 1 ? e : third;
	}
	p.client_port = 5000;
	send_udp(&p, 1); /* the first is in use again */
	reply(second, &second->info.target, 1, 0); /* and the second */
	p.client_port = 7000;
	send_udp(&p, 1);
	ck_assert_int_eq(first->failed, 0);
	ck_assert_int_eq(second->failed, 0);
	ck_assert_int_eq(third->failed, ENOBUFS);
	ck_assert_uint_eq(sim_counter("flows"), 10);
	ck_assert_uint_eq(sim_counter("flows_evicted"), 1);
	sim_close(third, ENOBUFS);
}
END_TEST

START_TEST(what_comes_from_the_other_family_is_dropped)
{
	struct path p = path_of(_i, 53);
	struct weir_end *e = send_udp(&p, 10);
	struct weir_addr other = addr_of(!_i, "192.0.2.9", "2001:db8::9", 53);

	reply(e, &other, 10, 0);
	ck_assert(!look(&tun)->any);
	ck_assert_uint_eq(sim_counter("output_dropped"), 1);
}
END_TEST

START_TEST(undelivered_is_an_icmp_error)
{
	struct path p = path_of(_i, 53);
	struct weir_end *e = send_udp(&p, 10);
	struct weir_addr peer = e->info.target;
	struct seen *s;

	e->flow->unreachable(e->self, &peer, ECONNREFUSED);
	s = look(&tun);
	ck_assert(s->any && s->checksum_ok);
	ck_assert_int_eq(s->protocol, _i ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	ck_assert_int_eq(s->type, _i ? 1 : 3);
	ck_assert_int_eq(s->code, _i ? 4 : 3);
	ck_assert_mem_eq(s->payload + (_i ? 24 : 16), peer.ip, _i ? 16 : 4);
	ck_assert_uint_eq(s->payload[_i ? 43 : 23], 53);
	ck_assert_int_eq(s->payload[_i ? 6 : 9], IPPROTO_UDP);
	ck_assert_uint_eq(s->payload[_i ? 5 : 3], _i ? 8 : 28);
	e->flow->unreachable(e->self, &peer, EINVAL);
	ck_assert(!look(&tun)->any);
}
END_TEST

START_TEST(an_outbound_without_an_address_is_an_unreachable_network)
{
	struct path p = path_of(_i, 53);
	struct weir_end *e = send_udp(&p, 10);
	struct seen *s;

	e->flow->unreachable(e->self, &e->info.target, EADDRNOTAVAIL);
	s = look(&tun);
	ck_assert(s->any && s->checksum_ok);
	ck_assert_int_eq(s->type, _i ? 1 : 3);
	ck_assert_int_eq(s->code, 0);
}
END_TEST

START_TEST(what_was_too_large_is_answered_with_an_mtu)
{
	struct path p = path_of(_i, 53);
	struct weir_end *e = send_udp(&p, 1400);
	struct sim_packet *error;
	const uint8_t *icmp;

	e->flow->unreachable(e->self, &e->info.target, EMSGSIZE);
	error = sim_output(&tun);
	ck_assert_ptr_nonnull(error);
	ck_assert_mem_eq(error->data + (_i ? 24 : 16), p.client, _i ? 16 : 4);
	icmp = error->data + (_i ? 40 : 20);
	ck_assert_int_eq(icmp[0], _i ? 2 : 3);
	ck_assert_int_eq(icmp[1], _i ? 0 : 4);
	ck_assert_uint_eq(icmp[6] << 8 | icmp[7], 1280);
	ck_assert_mem_eq(icmp + 8 + (_i ? 24 : 16), e->info.target.ip,
			 _i ? 16 : 4);
	free(error);
}
END_TEST

START_TEST(refused_flow_is_dropped)
{
	struct path p = path_of(_i, 53);

	tun.refuse = true;
	ck_assert_ptr_null(send_udp(&p, 10));
	ck_assert_uint_eq(sim_counter("flows"), 0);
	ck_assert_uint_eq(sim_counter("flow_refused"), 1);
}
END_TEST

START_TEST(detached_flow_fails)
{
	struct path p = path_of(_i, 53);
	struct weir_end *e = send_udp(&p, 10);
	struct weir_datagram d = {&e->info.target, payload, 5, 0};

	sim.ops->detach(tun.link);
	ck_assert_int_eq(e->failed, ENETDOWN);
	ck_assert_int_eq(e->flow->send(e->self, &d, 1), 0);
	e->flow->unreachable(e->self, &e->info.target, ECONNREFUSED);
	sim_close(e, ENETDOWN);
}
END_TEST

START_TEST(ping_is_a_session_and_keeps_its_numbers)
{
	struct path p = path_of(_i, 0);
	struct weir_end *e;
	struct weir_addr peer;
	struct weir_datagram d = {&peer, NULL, 0, 0};
	uint8_t back[100];
	struct seen *s;

	sim_input(&tun, packet, make_echo(packet, &p, 0x1234, 7, payload, 56));
	e = sim.ends;
	ck_assert_int_eq(e->info.net, WEIR_NET_ICMP);
	ck_assert_int_eq(e->info.source.port, 0);
	ck_assert_int_eq(e->peers[0].port, 0);
	ck_assert_uint_eq(e->lens[0], 60);
	ck_assert_mem_eq(e->last, "\x12\x34\x00\x07", 4);
	ck_assert_mem_eq(e->last + 4, payload, 56);
	memcpy(back, e->last, 60);
	back[0] = back[1] = 0xee; /* the outbound's own */
	peer = e->peers[0];
	d.data = back;
	d.len = 60;
	e->flow->send(e->self, &d, 1);
	s = look(&tun);
	ck_assert(s->any && s->checksum_ok);
	ck_assert_int_eq(s->type, _i ? 129 : 0);
	ck_assert_mem_eq(s->source, p.server, _i ? 16 : 4);
	/* identifier and sequence lie where ports would end */
	ck_assert_uint_eq(s->payload_len, 56);
	ck_assert_mem_eq(s->payload, payload, 56);
	e->flow->unreachable(e->self, &peer, EHOSTUNREACH);
	s = look(&tun);
	ck_assert_int_eq(s->payload[_i ? 6 : 9],
			 _i ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	ck_assert_mem_eq(s->payload + (_i ? 44 : 24), "\x12\x34\x00\x07", 4);
}
END_TEST

START_TEST(ping_to_the_link_itself_is_answered_here)
{
	struct path p = _i ? path6(0, "fd09::1", 0) : path4(0, "10.9.0.1", 0);
	struct seen *s;

	sim_input(&tun, packet, make_echo(packet, &p, 0x1234, 7, payload, 56));
	ck_assert_ptr_null(sim.ends);
	s = look(&tun);
	ck_assert(s->any && s->checksum_ok);
	ck_assert_int_eq(s->type, _i ? 129 : 0);
	ck_assert_mem_eq(s->payload, payload, 56);
}
END_TEST

static void add_tests(TCase *t)
{
	tcase_add_loop_test(t, one_socket_has_one_flow_for_every_destination, 0,
			    2);
	tcase_add_loop_test(t, anybody_can_answer, 0, 2);
	tcase_add_loop_test(t, train_arrives_as_one, 0, 2);
	tcase_add_loop_test(t, train_is_cut_where_the_link_takes_none, 0, 2);
	tcase_add_loop_test(t, train_goes_out_as_one_where_the_link_takes_it, 0,
			    2);
	tcase_add_loop_test(t, segments_too_large_for_a_train_go_out_one_by_one,
			    0, 2);
	tcase_add_loop_test(t, neighbours_of_one_size_leave_as_a_train, 0, 2);
	tcase_add_loop_test(t, trains_of_neighbours_are_bounded, 0, 2);
	tcase_add_loop_test(
		t, neighbours_stay_apart_where_the_link_takes_no_trains, 0, 2);
	tcase_add_loop_test(t, one_batch_is_one_delivery, 0, 2);
	tcase_add_loop_test(t, flows_of_one_batch_are_told_apart, 0, 2);
	tcase_add_loop_test(t, a_flow_of_ours_has_its_port_to_itself, 0, 2);
	tcase_add_loop_test(t, table_is_bounded_and_the_idlest_goes, 0, 2);
	tcase_add_loop_test(t, what_comes_from_the_other_family_is_dropped, 0,
			    2);
	tcase_add_loop_test(t, undelivered_is_an_icmp_error, 0, 2);
	tcase_add_loop_test(
		t, an_outbound_without_an_address_is_an_unreachable_network, 0,
		2);
	tcase_add_loop_test(t, what_was_too_large_is_answered_with_an_mtu, 0,
			    2);
	tcase_add_loop_test(t, refused_flow_is_dropped, 0, 2);
	tcase_add_loop_test(t, detached_flow_fails, 0, 2);
	tcase_add_loop_test(t, ping_is_a_session_and_keeps_its_numbers, 0, 2);
	tcase_add_loop_test(t, ping_to_the_link_itself_is_answered_here, 0, 2);
}

SUITE("udp", t)
{
	tcase_add_checked_fixture(t, begin, tun_end);
	tcase_set_timeout(t, 60);
	add_tests(t);
}
