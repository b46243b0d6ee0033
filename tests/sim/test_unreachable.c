/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_unreachable.c - where the stack is the client: what routers and far
 * hosts say of its packets reaches whoever waits for an answer. */
#include "client.h"

#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "tests/suite.h"

#define QUOTE_MOST 100

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

static void send_to_target(const char *text)
{
	struct weir_datagram d = {&target, text, (uint32_t)strlen(text), 0};

	ck_assert_int_eq(opened->flow->send(opened->self, &d, 1), 1);
	hear_last();
}

/* The packet comes back from a router, quoted in an error. */
static void bounce(struct sim_packet *p, unsigned type_and_code)
{
	bool v6 = p->data[0] >> 4 == 6;
	struct path back = v6 ? path6(0, "::", 0) : path4(0, "0.0.0.0", 0);
	uint8_t packet[256], icmp[8 + QUOTE_MOST] = {0};
	uint32_t len = p->len < QUOTE_MOST ? p->len : QUOTE_MOST;

	icmp[0] = (uint8_t)(type_and_code >> 8);
	icmp[1] = (uint8_t)type_and_code;
	memcpy(icmp + 8, p->data, len);
	memcpy(back.server, p->data + (v6 ? 8 : 12), v6 ? 16 : 4);
	sim_input(&tun, packet,
		  make_ip(packet, &back, v6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP,
			  icmp, 8 + len));
}

/* Type and code, a byte each. */
static const struct word {
	unsigned icmp4, icmp6;
	int err;
} words[] = {
	{0x0300, 0x0100, ENETUNREACH},	{0x0301, 0x0103, EHOSTUNREACH},
	{0x0303, 0x0104, ECONNREFUSED}, {0x030d, 0x0101, EACCES},
	{0x0b00, 0x0300, EHOSTUNREACH}, /* time exceeded in transit */
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
		what_a_client_does_not_want_is_told_to_nobody,
	};

	tcase_add_checked_fixture(t, setup, teardown);
	for (size_t i = 0; i < sizeof tests / sizeof tests[0]; i++)
		tcase_add_loop_test(t, tests[i], 0, 2 * WORDS);
}
