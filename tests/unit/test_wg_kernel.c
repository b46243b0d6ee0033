/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between a tunnel and the kernel: what passes, and trains of what does. */
#include <check.h>

#include "cut.h"
#include "plugins/outbound-wireguard/guard.h"
#include "plugins/outbound-wireguard/merge.h"
#include "tests/suite.h"

#define HEADERS 40u
#define FLAGS_AT 33u
#define PAYLOAD 1000u
#define ACK 0x10
#define TCP_BYTES 32u /* with timestamps */
#define SYN 0x02
#define PSH 0x08

static const uint8_t own[4] = {10, 7, 0, 2}, far[4] = {10, 7, 0, 1};

/* IPv4, from the far end to us. */
static uint8_t *packet(uint8_t protocol, uint32_t len)
{
	static uint8_t p[2048];

	memset(p, 0, sizeof p);
	p[0] = 0x45;
	p[2] = (uint8_t)(len >> 8);
	p[3] = (uint8_t)len;
	p[8] = 64;
	p[9] = protocol;
	memcpy(p + 12, far, 4);
	memcpy(p + 16, own, 4);
	p[21] = 80; /* source port */
	p[22] = 0x99;
	p[32] = 0x50; /* TCP's header: 20 bytes */
	p[FLAGS_AT] = ACK;
	return p;
}

/* ---- the guard */

static const struct weir_cidr addresses[] = {
	{.base = {.kind = WEIR_ADDR_IP6, .ip = {0xfd, 7}}, .bits = 64},
	{.base = {.kind = WEIR_ADDR_IP4, .ip = {10, 7, 0, 2}}, .bits = 24},
};

static struct guard guard_new(void)
{
	return (struct guard){.addresses = addresses, .count = 2};
}

START_TEST(answers_enter_and_calls_do_not)
{
	struct guard g = guard_new();
	uint8_t *p = packet(6, HEADERS);

	ck_assert(guard_enters(&g, p, HEADERS));
	p[FLAGS_AT] = SYN | ACK;
	ck_assert(guard_enters(&g, p, HEADERS));
	p[FLAGS_AT] = SYN;
	ck_assert(!guard_enters(&g, p, HEADERS));
	ck_assert(!guard_enters(&g, p, 25)); /* cut off */
}
END_TEST

START_TEST(datagrams_enter_where_some_have_left)
{
	struct guard g = guard_new();
	uint8_t *p = packet(17, HEADERS);

	ck_assert(!guard_enters(&g, p, HEADERS));
	memcpy(p + 12, own, 4);
	memcpy(p + 16, far, 4);
	memcpy(p + 20, (uint8_t[]){0x99, 0, 0, 80}, 4);
	p[7] = 1; /* no ports: it is a later fragment */
	ck_assert(guard_leaves(&g, p, HEADERS));
	p[7] = 0;
	p[23]++;
	p[20] = 0x12;
	p[21] = 0x35;
	ck_assert(guard_leaves(&g, p, HEADERS));
	p = packet(17, HEADERS);
	for (unsigned port = 0; port < GUARD_PORTS; port++) {
		p[22] = (uint8_t)(port >> 8);
		p[23] = (uint8_t)port;
		ck_assert(guard_enters(&g, p, HEADERS) == (port == 0x1235));
	}
}
END_TEST

/* What could be a call is in the first. */
START_TEST(fragments_of_answers_enter)
{
	struct guard g = guard_new();
	uint8_t *p = packet(6, HEADERS);
	uint8_t six[80] = {0x60, [6] = 44, [24] = 0xfd, 7, [40] = 6};

	p[FLAGS_AT] = six[48 + 13] = SYN;
	p[6] = 0x20; /* more follow */
	ck_assert(!guard_enters(&g, p, HEADERS));
	p[7] = 1;
	ck_assert(guard_enters(&g, p, HEADERS));
	ck_assert(!guard_enters(&g, six, sizeof six));
	six[43] = 1;
	ck_assert(!guard_enters(&g, six, sizeof six));
	six[43] = 8;
	ck_assert(guard_enters(&g, six, sizeof six));
	ck_assert(!guard_enters(&g, six, 47)); /* cut off */
	six[43] = 0;
	six[48 + 13] = ACK;
	ck_assert(guard_enters(&g, six, sizeof six));
	ck_assert(!guard_enters(&g, six, 51));
}
END_TEST

START_TEST(only_own_addresses_pass)
{
	struct guard g = guard_new();
	uint8_t *p = packet(6, HEADERS), six[60] = {0x60, [8] = 0xfd, 7};

	ck_assert(!guard_leaves(&g, p, HEADERS)); /* from another */
	p[19]++;
	ck_assert(!guard_enters(&g, p, HEADERS));
	ck_assert(!guard_enters(&g, p, 0));
	p[0] = 0x35;
	ck_assert(!guard_enters(&g, p, HEADERS));
	ck_assert(guard_leaves(&g, six, sizeof six));
	six[23]++;
	ck_assert(!guard_leaves(&g, six, sizeof six));
}
END_TEST

START_TEST(redirects_and_advertisements_do_not_enter)
{
	struct guard g = guard_new();
	uint8_t *q = packet(1, HEADERS),
		p[64] = {0x60, [6] = 58, [24] = 0xfd, [25] = 7};

	for (unsigned type = 0; type < 256; type++) {
		bool wanted = type < 128 || type == 128 || type == 129;

		p[40] = (uint8_t)type;
		ck_assert_msg(guard_enters(&g, p, sizeof p) == wanted,
			      "ICMPv6 type %u", type);
		wanted = type == 0 || type == 3 || type == 8 || type == 11 ||
			 type == 12;
		q[20] = (uint8_t)type;
		ck_assert_msg(guard_enters(&g, q, HEADERS) == wanted,
			      "ICMP type %u", type);
	}
}
END_TEST

/* ---- the trains */

static struct merge merge;
static uint8_t sent[8][2048];
static uint32_t sent_len[8];
static int sent_count;

static bool ip6; /* the family of the trains */

static uint32_t tcp_at(void)
{
	return ip6 ? 40 : 20;
}

/* From the far end to us. */
static uint8_t *segment(uint32_t seq, uint32_t payload, uint8_t flags)
{
	uint32_t at = tcp_at(), len = TCP_BYTES + payload;
	uint8_t *p = packet(6, at + len);

	if (ip6) {
		memset(p, 0, 40);
		p[0] = 0x60;
		p[4] = (uint8_t)(len >> 8);
		p[5] = (uint8_t)len;
		p[6] = 6;
		p[8] = p[24] = 0xfd;
	}
	p[at + 1] = 80; /* source port */
	p[at + 6] = (uint8_t)(seq >> 8);
	p[at + 7] = (uint8_t)seq;
	p[at + 12] = TCP_BYTES << 2;
	p[at + 13] = flags;
	p[at + 14] = 0x12; /* window */
	p[at + 15] = 0x34;
	for (uint32_t i = 0; i < payload; i++)
		p[at + TCP_BYTES + i] = (uint8_t)(seq + i * 7);
	return p;
}

static bool add_packet(const uint8_t *p, uint32_t payload)
{
	uint32_t len = tcp_at() + TCP_BYTES + payload;

	memcpy(merge_room(&merge, len), p, len);
	return merge_add(&merge, len);
}

static bool add(uint32_t seq, uint32_t payload, uint8_t flags)
{
	uint8_t *p = segment(seq, payload, flags);

	if (!ip6)
		p[5] = (uint8_t)sent_count; /* identification */
	sent_len[sent_count] = tcp_at() + TCP_BYTES + payload;
	memcpy(sent[sent_count], p, sent_len[sent_count]);
	sent_count++;
	return add_packet(p, payload);
}

static void merge_reset(void)
{
	memset(&merge, 0, sizeof merge);
	merge.trains = true;
	sent_count = 0;
}

/* What comes out of the cutter but for the checksums, which it fills in. */
static void check_pieces(const struct weir_egress *e, int n)
{
	uint8_t piece[2048];
	struct cut c;

	ck_assert(cut_begin(&c, e));
	for (int i = 0; i < n; i++) {
		ck_assert(cut_more(&c));
		ck_assert_uint_eq(cut_len(&c), sent_len[i]);
		cut_write(&c, piece);
		if (!ip6)
			memset(piece + 10, 0, 2);
		memset(piece + tcp_at() + 16, 0, 2);
		ck_assert_mem_eq(piece, sent[i], sent_len[i]);
	}
	ck_assert(!cut_more(&c));
}

static uint32_t word_at(const uint8_t *p)
{
	return (uint32_t)p[0] << 8 | p[1];
}

static uint32_t words(const uint8_t *p, size_t len, uint32_t total)
{
	for (size_t i = 0; i < len; i += 2)
		total += word_at(p + i);
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return total;
}

/* Lengths and checksums as for one packet; TCP's is begun. */
static void check_headers(const struct weir_egress *e, uint32_t payload)
{
	const uint8_t *p = e->view[0].iov_base;
	uint32_t tcp = tcp_at(), tcp_len = TCP_BYTES + payload;

	ck_assert_uint_eq(e->header_len, tcp + TCP_BYTES);
	ck_assert_uint_eq(e->flags, WEIR_CSUM_PARTIAL);
	ck_assert_uint_eq(e->csum_start, tcp);
	ck_assert_uint_eq(e->csum_offset, 16);
	if (ip6) {
		ck_assert_uint_eq(word_at(p + 4), tcp_len);
	} else {
		ck_assert_uint_eq(word_at(p + 2), tcp + tcp_len);
		ck_assert_uint_eq(words(p, tcp, 0), 0xffff);
	}
	ck_assert_uint_eq(word_at(p + tcp + 16),
			  words(p + (ip6 ? 8 : 12), ip6 ? 32 : 8, 6 + tcp_len));
}

START_TEST(a_run_becomes_a_train_that_can_be_cut_again)
{
	struct weir_egress e;

	ip6 = _i;
	merge_reset();
	ck_assert(add(0, PAYLOAD, ACK));
	ck_assert(add(PAYLOAD, PAYLOAD, ACK));
	ck_assert(add(2 * PAYLOAD, 500, ACK | PSH));
	ck_assert(!add(2 * PAYLOAD + 500, PAYLOAD, ACK)); /* it is closed */
	ck_assert(merge_take(&merge, &e));
	ck_assert_uint_eq(e.gso, ip6 ? WEIR_GSO_TCP6 : WEIR_GSO_TCP4);
	ck_assert_uint_eq(e.gso_size, PAYLOAD);
	check_headers(&e, 2 * PAYLOAD + 500);
	check_pieces(&e, 3);
	ck_assert(!merge_take(&merge, &e));
}
END_TEST

START_TEST(a_lone_packet_stays_as_it_came)
{
	struct weir_egress e;

	merge_reset();
	ck_assert(add(0, PAYLOAD, ACK));
	ck_assert(merge_take(&merge, &e));
	ck_assert_uint_eq(e.gso, WEIR_GSO_NONE);
	ck_assert_uint_eq(e.flags, 0);
	ck_assert_uint_eq(e.view[0].iov_len, sent_len[0]);
	ck_assert_mem_eq(e.view[0].iov_base, sent[0], sent_len[0]);
}
END_TEST

START_TEST(what_does_not_follow_ends_a_train)
{
	struct weir_egress e;

	merge_reset();
	ck_assert(add(0, PAYLOAD, ACK));
	ck_assert(!add(PAYLOAD + 1, PAYLOAD, ACK)); /* a gap */
	ck_assert(!add(PAYLOAD, PAYLOAD + 1, ACK)); /* longer */
	ck_assert(!add(PAYLOAD, 0, ACK));
	ck_assert(!add(PAYLOAD, PAYLOAD, ACK | 1)); /* FIN */
	ck_assert(add(PAYLOAD, PAYLOAD, ACK));
	ck_assert(merge_take(&merge, &e));
	ck_assert_uint_eq(e.views, 2);
	merge_reset();
	merge.trains = false; /* a device without offloads */
	ck_assert(add(0, PAYLOAD, ACK));
	ck_assert(!add(PAYLOAD, PAYLOAD, ACK));
}
END_TEST

/* Not by what each packet has of its own: identification and checksums. The
 * urgent pointer says nothing without its flag. */
static bool is_its_own(uint32_t at)
{
	return at / 4 == tcp_at() / 4 + 4 ||
	       (!ip6 && (at / 2 == 2 || at / 2 == 5));
}

START_TEST(what_differs_in_its_headers_ends_a_train)
{
	ip6 = _i;
	for (uint32_t at = 0; at < tcp_at() + TCP_BYTES; at++) {
		uint8_t *p;

		merge_reset();
		ck_assert(add(0, PAYLOAD, ACK));
		p = segment(PAYLOAD, PAYLOAD, ACK);
		p[at] ^= 1;
		ck_assert_msg(add_packet(p, PAYLOAD) == is_its_own(at),
			      "byte %u", at);
	}
}
END_TEST

START_TEST(a_push_or_a_short_packet_is_a_trains_last)
{
	merge_reset();
	ck_assert(add(0, PAYLOAD, ACK | PSH));
	ck_assert(!add(PAYLOAD, PAYLOAD, ACK));
	merge_reset();
	ck_assert(add(0, PAYLOAD, ACK));
	ck_assert(add(PAYLOAD, PAYLOAD - 1, ACK));
	ck_assert(!add(2 * PAYLOAD - 1, PAYLOAD - 1, ACK));
}
END_TEST

START_TEST(a_train_is_no_longer_than_the_kernel_takes)
{
	const uint32_t payloads[] = {1, PAYLOAD};
	struct weir_egress e;

	for (int i = 0; i < 2; i++) {
		uint32_t seq = 0, payload = payloads[i];

		merge_reset();
		while (add_packet(segment(seq, payload, ACK), payload))
			seq += payload;
		ck_assert(merge_take(&merge, &e));
		ck_assert_uint_eq(e.views, payload == 1 ? MERGE_VIEWS : 65);
		check_headers(&e, seq);
	}
}
END_TEST

SUITE("wg_kernel", t)
{
	tcase_add_test(t, answers_enter_and_calls_do_not);
	tcase_add_test(t, datagrams_enter_where_some_have_left);
	tcase_add_test(t, fragments_of_answers_enter);
	tcase_add_test(t, only_own_addresses_pass);
	tcase_add_test(t, redirects_and_advertisements_do_not_enter);
	tcase_add_loop_test(t, a_run_becomes_a_train_that_can_be_cut_again, 0,
			    2);
	tcase_add_test(t, a_lone_packet_stays_as_it_came);
	tcase_add_test(t, what_does_not_follow_ends_a_train);
	tcase_add_loop_test(t, what_differs_in_its_headers_ends_a_train, 0, 2);
	tcase_add_test(t, a_push_or_a_short_packet_is_a_trains_last);
	tcase_add_test(t, a_train_is_no_longer_than_the_kernel_takes);
}
