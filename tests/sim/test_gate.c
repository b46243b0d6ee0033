/* SPDX-License-Identifier: GPL-2.0-or-later */
/* test_gate.c - malformed packets: every truncation, lengths that lie, chains
 * of extension headers, overlapping fragments, random damage. Run under the
 * sanitizers they prove that nothing reads beyond a packet; and a connection
 * that lives through all of it, the canary, must not notice. */
#include "client.h"

#include <check.h>

#include "tests/suite.h"

#define VARIANTS 12

static struct client canary;
static struct weir_end *canary_end;
static uint8_t packet[PACKET_MOST];

static void begin(void)
{
	tun_begin();
	client_init(&canary, &tun, path4(77, "203.0.113.1", 443));
	canary_end = client_open(&canary);
}

static void canary_is_alive(void)
{
	struct iovec v;

	ck_assert_int_eq(canary_end->failed, 0);
	client_send(&canary, ACK | PSH, "peep", 4);
	ck_assert_int_eq(canary_end->stream->peek(canary_end->self, &v, 1), 1);
	ck_assert_uint_eq(v.iov_len, 4);
	ck_assert_mem_eq(v.iov_base, "peep", 4);
	canary_end->stream->consume(canary_end->self, 4);
	v.iov_base = (void *)(uintptr_t) "chirp";
	v.iov_len = 5;
	ck_assert_int_eq(canary_end->stream->write(canary_end->self, &v, 1), 5);
	sim_run(10 * SIM_MS);
	while (client_expect(&canary, ACK)->any)
		;
	client_send(&canary, ACK, NULL, 0);
}

static void end(void)
{
	canary_is_alive();
	tun_end();
}

/* The same packet of ours, for want of a way to the host. */
static uint32_t make_unreachable(const struct path *p)
{
	uint32_t len = make_too_big(packet, p, 1, 1400), at = p->v6 ? 40 : 20;

	packet[at] = p->v6 ? 1 : 3;
	packet[at + 1] = p->v6 ? 3 : 1;
	fix_checksums(packet, len);
	return len;
}

/* A well-formed packet of each kind. */
static uint32_t variant(int kind)
{
	struct path p = kind & 1 ? path6(9000, "2001:db8::1", 9)
				 : path4(9000, "203.0.113.9", 9);
	struct client c;

	client_init(&c, &tun, p);
	switch (kind / 2) {
	case 0:
		return make_tcp(packet, &c, SYN, NULL, 0);
	case 1:
		return make_udp(packet, &p, "some payload", 12);
	case 2:
		return make_echo(packet, &p, 1, 2, "some payload", 12);
	case 4:
		return make_too_big(packet, &p, 1, 1400);
	case 5:
		return make_unreachable(&p);
	default:
		return make_tcp(packet, &canary, ACK, "some payload", 12);
	}
}

static uint64_t all_drops(void)
{
	return sim_counter("drop_length") + sim_counter("drop_version") +
	       sim_counter("drop_checksum") + sim_counter("drop_address") +
	       sim_counter("drop_option") + sim_counter("drop_protocol") +
	       sim_counter("drop_header");
}

/* Hand in exactly `len` bytes that end where memory ends, so that a sanitizer
 * sees the first byte read beyond. */
static void input_at_edge(const uint8_t *data, uint32_t len)
{
	struct weir_ingress in = {.buffer = sim.ops->buffer_get(sim.stack)};

	in.offset = in.buffer->capacity - len;
	in.len = len;
	memcpy(in.buffer->data + in.offset, data, len);
	sim.ops->input(tun.link, &in, 1);
}

START_TEST(every_truncation_is_dropped)
{
	uint32_t len = variant(_i);

	for (uint32_t n = 0; n < len; n++) {
		input_at_edge(packet, n);
		ck_assert_uint_eq(all_drops(), n + 1);
	}
	ck_assert_ptr_eq(sim.ends, canary_end);
}
END_TEST

/* The IP length follows the truncation: inner lengths must not be believed. */
START_TEST(every_shortened_packet_is_dropped)
{
	uint32_t len = variant(_i);
	uint32_t at = packet[0] >> 4 == 6 ? 40 : 20;

	if (_i / 2 == 3)
		return; /* a shorter segment with a right checksum is fine */
	for (uint32_t n = at; n < len; n++) {
		variant(_i);
		if (at == 40) {
			packet[5] = (uint8_t)(n - 40);
		} else {
			packet[3] = (uint8_t)n;
			fix_checksums(packet, n);
		}
		input_at_edge(packet, n);
	}
	/* A TCP header without its options, an echo without payload may do. */
	ck_assert_uint_ge(all_drops(), (len - at) / 3);
}
END_TEST

START_TEST(every_byte_damaged)
{
	uint32_t len = variant(_i);

	for (uint32_t at = 0; at < len; at++) {
		for (int value = 0; value < 256; value += 5) {
			variant(_i);
			packet[at] = (uint8_t)value;
			input_at_edge(packet, len);
			/* and with checksums that hold */
			variant(_i);
			packet[at] = (uint8_t)value;
			fix_checksums(packet, len);
			if (_i / 2 != 3)
				input_at_edge(packet, len);
		}
		sim_flush(&tun);
	}
	while (sim.ends != canary_end)
		sim_close(sim.ends, 0);
}
END_TEST

static uint32_t random_below(uint32_t n)
{
	return (uint32_t)(sim_random() * n);
}

START_TEST(random_damage)
{
	for (int i = 0; i < 50000; i++) {
		uint32_t len = variant((int)random_below(6));
		int hits = 1 + (int)random_below(4);

		while (hits--)
			packet[random_below(len)] = (uint8_t)random_below(256);
		if (random_below(2))
			len = random_below(len + 1);
		if (len > 20 && random_below(4))
			fix_checksums(packet, len);
		input_at_edge(packet, len);
		sim_flush(&tun);
		while (sim.ends != canary_end)
			sim_close(sim.ends, 0);
	}
}
END_TEST

/* IPv6 with a chain of `n` extension headers of `type` before UDP. */
static uint32_t with_chain(uint8_t type, int n)
{
	struct path p = path6(9000, "2001:db8::1", 9);
	uint32_t len = make_udp(packet, &p, "payload", 7), extra;

	extra = (uint32_t)n * 8;
	memmove(packet + 40 + extra, packet + 40, len - 40);
	memset(packet + 40, 0, extra);
	for (int i = 0; i < n; i++) {
		packet[40 + 8 * i] = i == n - 1 ? IPPROTO_UDP : type;
		if (type == 60 || type == 0)
			packet[40 + 8 * i + 2] = 1, /* PadN */
				packet[40 + 8 * i + 3] = 4;
	}
	packet[6] = type;
	packet[4] = (uint8_t)((len - 40 + extra) >> 8);
	packet[5] = (uint8_t)(len - 40 + extra);
	return len + extra;
}

START_TEST(short_chains_pass_and_long_ones_do_not)
{
	static const struct {
		uint8_t type;
		int n;
		bool passes;
	} cases[] = {{60, 1, true},   {60, 8, true}, {60, 9, false},
		     {60, 60, false}, {0, 1, true},  {0, 2, false},
		     {43, 2, true},   {44, 1, true}, {44, 2, false},
		     {50, 1, false},  {59, 1, false}};

	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		uint32_t len = with_chain(cases[i].type, cases[i].n);
		int before = sim.ends->datagrams;

		input_at_edge(packet, len);
		ck_assert_msg((sim.ends != canary_end &&
			       sim.ends->datagrams > before) == cases[i].passes,
			      "type %d, %d times", cases[i].type, cases[i].n);
		for (uint32_t n = 0; n < len; n++)
			input_at_edge(packet, n);
	}
}
END_TEST

START_TEST(extension_lengths_that_lie)
{
	for (int type = 0; type < 256; type++) {
		for (int size = 0; size < 256; size++) {
			uint32_t len = with_chain(60, 2);

			packet[6] = (uint8_t)type;
			packet[41] = (uint8_t)size;
			input_at_edge(packet, len);
		}
	}
	for (int option = 0; option < 256; option++) {
		uint32_t len = with_chain(60, 1);

		packet[43] = (uint8_t)option;
		input_at_edge(packet, len);
	}
}
END_TEST

START_TEST(hostile_addresses_are_dropped)
{
	static const char *const odd[] = {
		"127.0.0.1", "0.0.0.0", "224.0.0.251", "255.255.255.255",
		"::1",	     "::",	"ff02::1",     "::ffff:127.0.0.1"};

	for (size_t i = 0; i < sizeof odd / sizeof *odd; i++) {
		struct path p =
			i < 4 ? path4(9000, odd[i], 9) : path6(9000, odd[i], 9);

		input_at_edge(packet, make_udp(packet, &p, "x", 1));
		ck_assert_uint_eq(sim_counter("drop_address"), i + 1);
	}
	ck_assert_ptr_eq(sim.ends, canary_end);
}
END_TEST

/* One fragment of an IPv6 packet: bytes [at, at + len). */
static void fragment6(uint32_t id, uint32_t at, uint32_t len, bool more)
{
	struct path p = path6(9000, "2001:db8::1", 9);
	uint8_t body[2048] = {0};
	uint32_t n;

	body[0] = IPPROTO_UDP;
	body[2] = (uint8_t)(at >> 8);
	body[3] = (uint8_t)((at & 0xf8) | more);
	body[7] = (uint8_t)id;
	n = make_ip(packet, &p, 44, body, 8 + len);
	input_at_edge(packet, n);
}

START_TEST(overlapping_fragments_condemn_the_datagram)
{
	fragment6(1, 0, 800, true);
	fragment6(1, 792, 800, true);
	fragment6(1, 800, 100, false);
	ck_assert_uint_ge(sim_counter("fragments_dropped"), 2);
	fragment6(2, 800, 100, false);
	fragment6(2, 0, 808, true);
	fragment6(2, 0, 800, true);
	fragment6(3, 65528, 100, false); /* beyond what a packet holds */
	fragment6(4, 0, 801, true);	 /* not a multiple of 8 */
	fragment6(5, 800, 0, false);
	fragment6(6, 1600, 100, false);
	fragment6(6, 800, 100, false); /* two ends */
	for (uint32_t i = 0; i < 5000; i++)
		fragment6(7 + i % 3, random_below(100) * 8,
			  random_below(200) * 8, random_below(3));
	ck_assert_ptr_eq(sim.ends, canary_end);
	sim_run(31000 * SIM_MS);
}
END_TEST

START_TEST(segments_outside_the_window_do_no_harm)
{
	struct client evil = canary;

	for (uint32_t i = 0; i < 20000; i++) {
		evil.seq = random_below(2)
				   ? canary.seq + (1u << 24) +
					     random_below(1u << 30)
				   : canary.seq - 100 - random_below(1u << 30);
		evil.ack = canary.ack + random_below(1000);
		input_at_edge(packet,
			      make_tcp(packet, &evil, (uint8_t)random_below(64),
				       "evil", 4));
		sim_flush(&tun);
	}
}
END_TEST

SUITE("gate", t)
{
	tcase_add_checked_fixture(t, begin, end);
	tcase_set_timeout(t, 120);
	tcase_add_loop_test(t, every_truncation_is_dropped, 0, VARIANTS);
	tcase_add_loop_test(t, every_shortened_packet_is_dropped, 0, VARIANTS);
	tcase_add_loop_test(t, every_byte_damaged, 0, 6);
	tcase_add_test(t, random_damage);
	tcase_add_test(t, short_chains_pass_and_long_ones_do_not);
	tcase_add_test(t, extension_lengths_that_lie);
	tcase_add_test(t, hostile_addresses_are_dropped);
	tcase_add_test(t, overlapping_fragments_condemn_the_datagram);
	tcase_add_test(t, segments_outside_the_window_do_no_harm);
}
