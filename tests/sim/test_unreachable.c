/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_unreachable.c - where the stack is the client: what routers and far
 * hosts say of its packets reaches whoever waits for an answer. */
#include "client.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/suite.h"

#define QUOTE_MOST 100
#define DATAGRAM_MOST 4000
#define TOO_BIG(v6) ((v6) ? 0x0200u : 0x0304u)

static struct weir_end *opened;
static struct weir_addr target;
static struct sim_packet *sent; /* the last one of the stack's */

static void setup(void)
{
	tun_begin();
	sent = NULL;
}

static void teardown(void)
{
	free(sent);
	tun_end();
}

static void hear_last(void)
{
	struct sim_packet *p;

	while ((p = sim_output(&tun))) {
		free(sent);
		sent = p;
	}
	ck_assert_ptr_nonnull(sent);
}

static void open_to(bool v6, enum weir_net net)
{
	struct path p = v6 ? path6(0, "2001:db8::9", 443)
			   : path4(0, "203.0.113.9", 443);

	target = (struct weir_addr){.kind = v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
				    .port = net == WEIR_NET_ICMP ? 0 : 443};
	memcpy(target.ip, p.server, sizeof target.ip);
	opened = calloc(1, sizeof *opened);
	opened->next = sim.ends;
	sim.ends = opened;
	sim.ops->open(tun.link, opened, &target, net);
}

static void send_bytes(const char *bytes, uint32_t len)
{
	struct weir_datagram d = {&target, bytes, len, 0};

	ck_assert_int_eq(opened->flow->send(opened->self, &d, 1), 1);
}

static void send_to_target(const char *text)
{
	send_bytes(text, (uint32_t)strlen(text));
	hear_last();
}

/* All that a datagram of `len` bytes leaves in, none larger than `most`. Keeps
 * the first. */
static unsigned packets_of(uint32_t len, uint32_t most)
{
	static const char bytes[DATAGRAM_MOST];
	struct sim_packet *p;
	unsigned n = 0;

	free(sent);
	sent = NULL;
	send_bytes(bytes, len);
	for (; (p = sim_output(&tun)); n++) {
		ck_assert_uint_le(p->len, most);
		if (sent)
			free(p);
		else
			sent = p;
	}
	ck_assert_ptr_nonnull(sent);
	return n;
}

/* The packet comes back from a router, quoted in an error; `mtu` is what it
 * was too big for, if that is the error. */
static void bounce_for(struct sim_packet *p, unsigned type_and_code,
		       uint32_t mtu)
{
	bool v6 = p->data[0] >> 4 == 6;
	struct path back = v6 ? path6(0, "::", 0) : path4(0, "0.0.0.0", 0);
	uint8_t packet[256], icmp[8 + QUOTE_MOST] = {0};
	uint32_t len = p->len < QUOTE_MOST ? p->len : QUOTE_MOST;

	icmp[0] = (uint8_t)(type_and_code >> 8);
	icmp[1] = (uint8_t)type_and_code;
	icmp[6] = (uint8_t)(mtu >> 8);
	icmp[7] = (uint8_t)mtu;
	memcpy(icmp + 8, p->data, len);
	memcpy(back.server, p->data + (v6 ? 8 : 12), v6 ? 16 : 4);
	sim_input(&tun, packet,
		  make_ip(packet, &back, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
			  icmp, 8 + len));
}

static void bounce(struct sim_packet *p, unsigned type_and_code)
{
	bounce_for(p, type_and_code, 0);
}

/* Type and code, a byte each. */
static const struct word {
	unsigned icmp4, icmp6;
	int err;
} words[] = {
	{0x0300, 0x0100, ENETUNREACH},	{0x0301, 0x0103, EHOSTUNREACH},
	{0x0303, 0x0104, ECONNREFUSED}, {0x030d, 0x0101, EACCES},
	{0x0b00, 0x0300, EHOSTUNREACH}, /* time exceeded in transit */
	{0x0306, 0x0100, ENETUNREACH},	{0x030b, 0x0100, ENETUNREACH},
	{0x0307, 0x0102, EHOSTUNREACH}, {0x0302, 0x0104, ECONNREFUSED},
	{0x0309, 0x0105, EACCES},	{0x030a, 0x0106, EACCES},
};

#define WORDS ((int)(sizeof words / sizeof words[0]))

static unsigned icmp_of(int i)
{
	return i % 2 ? words[i / 2].icmp6 : words[i / 2].icmp4;
}

START_TEST(a_syn_that_finds_no_way_fails_with_what_was_said)
{
	open_to(_i % 2, WEIR_NET_TCP);
	hear_last();
	bounce(sent, icmp_of(_i));
	ck_assert_int_eq(opened->failed, words[_i / 2].err);
	ck_assert_ptr_nonnull(
		strstr(opened->why, words[_i / 2].err == ECONNREFUSED
					    ? "by the far side"
					    : "on the way"));
	ck_assert_uint_eq(sim_counter("drop_protocol"), 0);
	sim_run(10000 * SIM_MS);
	ck_assert_ptr_null(tun.out); /* it is not repeated, nor reset */
}
END_TEST

START_TEST(a_syn_quoted_with_another_number_is_not_believed)
{
	uint32_t seq_at = (_i % 2 ? 40 : 20) + 4;

	open_to(_i % 2, WEIR_NET_TCP);
	hear_last();
	sent->data[seq_at + 3]++;
	bounce(sent, icmp_of(_i));
	ck_assert_int_eq(opened->failed, 0);
	ck_assert_uint_eq(sim_counter("drop_protocol"), 1);
	sent->data[seq_at + 3]--;
	bounce(sent, icmp_of(_i));
	ck_assert_int_eq(opened->failed, words[_i / 2].err);
}
END_TEST

static uint32_t number_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 |
	       (uint32_t)p[2] << 8 | p[3];
}

/* The far side's answer to the SYN that was sent. */
static void answer_syn(bool v6)
{
	const uint8_t *tcp = sent->data + (v6 ? 40 : 20);
	struct path p = v6 ? path6(443, "::", 0) : path4(443, "0.0.0.0", 0);
	struct client far;

	memcpy(p.client, target.ip, v6 ? 16 : 4);
	memcpy(p.server, sent->data + (v6 ? 8 : 12), v6 ? 16 : 4);
	p.server_port = (uint16_t)(tcp[0] << 8 | tcp[1]);
	client_init(&far, &tun, p);
	far.ack = number_at(tcp + 4) + 1;
	client_send(&far, SYN | ACK, NULL, 0);
	ck_assert(opened->ready);
}

START_TEST(a_connection_that_stands_is_not_ended)
{
	struct sim_packet *syn;

	open_to(_i % 2, WEIR_NET_TCP);
	hear_last();
	syn = sent;
	answer_syn(_i % 2);
	bounce(syn, icmp_of(_i));
	free(syn);
	sent = NULL;
	hear_last();
	bounce(sent, icmp_of(_i));
	ck_assert_int_eq(opened->failed, 0);
	ck_assert_uint_eq(sim_counter("drop_protocol"), 2);
}
END_TEST

START_TEST(a_datagram_that_finds_no_way_is_told_of_with_its_peer)
{
	open_to(_i % 2, WEIR_NET_UDP);
	target.port = 53; /* not the one that it was opened for */
	send_to_target("question");
	bounce(sent, icmp_of(_i));
	ck_assert_int_eq(opened->unreachable, words[_i / 2].err);
	ck_assert(weir_addr_equal(&opened->lost, &target));
	ck_assert_int_eq(opened->failed, 0);
	ck_assert_uint_eq(sim_counter("drop_protocol"), 0);
}
END_TEST

START_TEST(a_ping_that_finds_no_way_is_told_of_with_its_peer)
{
	open_to(_i % 2, WEIR_NET_ICMP);
	send_to_target("id and sequence");
	bounce(sent, icmp_of(_i));
	ck_assert_int_eq(opened->unreachable, words[_i / 2].err);
	ck_assert(weir_addr_equal(&opened->lost, &target));
}
END_TEST

START_TEST(a_datagram_in_fragments_that_finds_no_way_is_told_of_as_well)
{
	open_to(_i % 2, WEIR_NET_UDP);
	ck_assert_uint_eq(packets_of(3000, 1500), 3);
	bounce(sent, icmp_of(_i));
	ck_assert_int_eq(opened->unreachable, words[_i / 2].err);
	ck_assert(weir_addr_equal(&opened->lost, &target));
}
END_TEST

START_TEST(what_is_too_big_for_a_router_is_told_of_and_cut_from_then_on)
{
	bool v6 = _i % 2;

	open_to(v6, _i / 2 % 2 ? WEIR_NET_UDP : WEIR_NET_ICMP);
	ck_assert_uint_eq(packets_of(1400, 1500), 1);
	bounce_for(sent, TOO_BIG(v6), 1400);
	ck_assert_int_eq(opened->unreachable, EMSGSIZE);
	ck_assert(weir_addr_equal(&opened->lost, &target));
	ck_assert_uint_eq(packets_of(1400, 1400), 2);
	ck_assert_uint_eq(packets_of(1300, 1400), 1);
	ck_assert_uint_eq(packets_of(3000, 1400), 3);
	bounce_for(sent, TOO_BIG(v6), 1300); /* a fragment of it */
	ck_assert_uint_eq(packets_of(3000, 1300), 3);
	ck_assert_uint_eq(sim_counter("path_mtu_lowered"), 2);
}
END_TEST

START_TEST(what_was_too_big_is_cut_for_later_flows_that_go_there_too)
{
	enum weir_net net = _i / 2 % 2 ? WEIR_NET_UDP : WEIR_NET_ICMP;
	bool v6 = _i % 2;

	open_to(v6, net);
	ck_assert_uint_eq(packets_of(1400, 1500), 1);
	bounce_for(sent, TOO_BIG(v6), 1400);
	open_to(v6, net);
	ck_assert_uint_eq(packets_of(1400, 1400), 2);
	sim_run(600000 * SIM_MS);
	open_to(v6, net);
	ck_assert_uint_eq(packets_of(1400, 1500), 1);
}
END_TEST

/* The newest end's answers, of which a router does not pass the first. */
static void are_cut_untold(bool v6)
{
	opened = sim.ends;
	target = opened->peers[0];
	ck_assert_uint_eq(packets_of(1400, 1500), 1);
	bounce_for(sent, TOO_BIG(v6), 1400);
	ck_assert_int_eq(opened->unreachable, 0);
	ck_assert_uint_eq(packets_of(1400, 1400), 2);
}

START_TEST(answers_to_pings_that_are_too_big_are_cut)
{
	bool v6 = _i % 2;
	struct path p = v6 ? path6(5000, "2001:db8::9", 0)
			   : path4(5000, "203.0.113.9", 0);
	uint8_t packet[100];

	sim_input(&tun, packet, make_echo(packet, &p, 77, 1, "x", 1));
	are_cut_untold(v6);
}
END_TEST

START_TEST(no_router_makes_them_smaller_than_paths_must_take_or_larger)
{
	bool v6 = _i % 2;

	open_to(v6, WEIR_NET_UDP);
	ck_assert_uint_eq(packets_of(1400, 1500), 1);
	bounce_for(sent, TOO_BIG(v6), v6 ? 1279 : 575);
	bounce_for(sent, TOO_BIG(v6), 1500);
	ck_assert_int_eq(opened->unreachable, 0);
	ck_assert_uint_eq(packets_of(1400, 1500), 1);
	ck_assert_uint_eq(sim_counter("path_mtu_ignored"), 2);
}
END_TEST

START_TEST(answers_too_big_for_the_way_to_a_client_are_cut_for_it_alone)
{
	bool v6 = _i % 2;
	struct path p = v6 ? path6(5000, "2001:db8::9", 53)
			   : path4(5000, "203.0.113.9", 53);
	struct weir_end *other;
	uint8_t packet[100];

	sim_input(&tun, packet, make_udp(packet, &p, "x", 1));
	other = sim.ends;
	p.client_port++;
	sim_input(&tun, packet, make_udp(packet, &p, "x", 1));
	are_cut_untold(v6);
	opened = other;
	ck_assert_uint_eq(packets_of(1400, 1500), 1);
}
END_TEST

START_TEST(what_a_client_does_not_want_is_told_to_nobody)
{
	struct path p = _i % 2 ? path6(5000, "2001:db8::9", 53)
			       : path4(5000, "203.0.113.9", 53);
	uint8_t packet[100];

	sim_input(&tun, packet, make_udp(packet, &p, "x", 1));
	opened = sim.ends;
	target = opened->peers[0];
	send_to_target("answer");
	bounce(sent, icmp_of(_i));
	ck_assert_int_eq(opened->unreachable, 0);
	ck_assert_int_eq(opened->failed, 0);
	ck_assert_uint_eq(sim_counter("drop_protocol"), 1);
}
END_TEST

SUITE("unreachable", t)
{
	const TTest *const tests[] = {
		a_syn_that_finds_no_way_fails_with_what_was_said,
		a_syn_quoted_with_another_number_is_not_believed,
		a_connection_that_stands_is_not_ended,
		a_datagram_that_finds_no_way_is_told_of_with_its_peer,
		a_ping_that_finds_no_way_is_told_of_with_its_peer,
		a_datagram_in_fragments_that_finds_no_way_is_told_of_as_well,
		what_is_too_big_for_a_router_is_told_of_and_cut_from_then_on,
		what_was_too_big_is_cut_for_later_flows_that_go_there_too,
		answers_to_pings_that_are_too_big_are_cut,
		no_router_makes_them_smaller_than_paths_must_take_or_larger,
		answers_too_big_for_the_way_to_a_client_are_cut_for_it_alone,
		what_a_client_does_not_want_is_told_to_nobody,
	};

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		tcase_add_loop_test(t, tests[i], 0, 2 * WORDS);
}
