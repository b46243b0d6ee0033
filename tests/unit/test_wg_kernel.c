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

static const struct weir_cidr address = {
	.base = {.kind = WEIR_ADDR_IP4, .ip = {10, 7, 0, 2}}, .bits = 24};

static struct guard guard_new(void)
{
	return (struct guard){.addresses = &address, .count = 1};
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
	ck_assert(guard_leaves(&g, p, HEADERS));
	p = packet(17, HEADERS);
	ck_assert(guard_enters(&g, p, HEADERS));
	p[23]++;
	ck_assert(!guard_enters(&g, p, HEADERS));
}
END_TEST

START_TEST(only_own_addresses_pass)
{
	struct guard g = guard_new();
	uint8_t *p = packet(6, HEADERS);

	ck_assert(!guard_leaves(&g, p, HEADERS)); /* from another */
	p[19]++;
	ck_assert(!guard_enters(&g, p, HEADERS));
	ck_assert(!guard_enters(&g, p, 0));
	p[0] = 0x35;
	ck_assert(!guard_enters(&g, p, HEADERS));
}
END_TEST

START_TEST(redirects_and_advertisements_do_not_enter)
{
	static const struct weir_cidr six = {
		.base = {.kind = WEIR_ADDR_IP6, .ip = {0xfd, 7}}, .bits = 64};
	struct guard g = {.addresses = &six, .count = 1}, g4 = guard_new();
	uint8_t *q, p[64] = {0x60, [6] = 58, [24] = 0xfd, [25] = 7};

	for (unsigned type = 0; type < 256; type++) {
		bool wanted = type < 128 || type == 128 || type == 129;

		p[40] = (uint8_t)type;
		ck_assert_msg(guard_enters(&g, p, sizeof p) == wanted,
			      "ICMPv6 type %u", type);
	}
	q = packet(1, HEADERS);
	q[20] = 0; /* an echo's answer */
	ck_assert(guard_enters(&g4, q, HEADERS));
	q[20] = 5; /* a redirect */
	ck_assert(!guard_enters(&g4, q, HEADERS));
}
END_TEST

/* ---- the trains */

static struct merge merge;
static uint8_t sent[8][2048];
static uint32_t sent_len[8];
static int sent_count;

static bool add(uint32_t seq, uint32_t payload, uint8_t flags)
{
	uint8_t *p = packet(6, HEADERS + payload);
	uint32_t len = HEADERS + payload;

	p[26] = (uint8_t)(seq >> 8);
	p[27] = (uint8_t)seq;
	p[FLAGS_AT] = flags;
	p[5] = (uint8_t)sent_count; /* identification */
	for (uint32_t i = 0; i < payload; i++)
		p[HEADERS + i] = (uint8_t)(seq + i * 7);
	memcpy(merge_room(&merge, len), p, len);
	memcpy(sent[sent_count], p, len);
	sent_len[sent_count++] = len;
	return merge_add(&merge, len);
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
		memset(piece + 10, 0, 2);
		memset(piece + 36, 0, 2);
		ck_assert_mem_eq(piece, sent[i], sent_len[i]);
	}
	ck_assert(!cut_more(&c));
}

START_TEST(a_run_becomes_a_train_that_can_be_cut_again)
{
	struct weir_egress e;

	merge_reset();
	ck_assert(add(0, PAYLOAD, ACK));
	ck_assert(add(PAYLOAD, PAYLOAD, ACK));
	ck_assert(add(2 * PAYLOAD, 500, ACK | PSH));
	ck_assert(!add(2 * PAYLOAD + 500, PAYLOAD, ACK)); /* it is closed */
	ck_assert(merge_take(&merge, &e));
	ck_assert_uint_eq(e.gso, WEIR_GSO_TCP4);
	ck_assert_uint_eq(e.gso_size, PAYLOAD);
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

SUITE("wg_kernel", t)
{
	tcase_add_test(t, answers_enter_and_calls_do_not);
	tcase_add_test(t, datagrams_enter_where_some_have_left);
	tcase_add_test(t, only_own_addresses_pass);
	tcase_add_test(t, redirects_and_advertisements_do_not_enter);
	tcase_add_test(t, a_run_becomes_a_train_that_can_be_cut_again);
	tcase_add_test(t, a_lone_packet_stays_as_it_came);
	tcase_add_test(t, what_does_not_follow_ends_a_train);
}
