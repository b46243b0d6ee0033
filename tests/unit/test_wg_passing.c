/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses that pass from one peer to another: when it is told. */
#include "tests/unit/wgbed.h"

#include <stdlib.h>

#define MANY 5000u

static struct weir_cidr net(unsigned n, unsigned bits)
{
	return (struct weir_cidr){
		.base = {.kind = WEIR_ADDR_IP4,
			 .ip = {10, (uint8_t)(n >> 16), (uint8_t)(n >> 8),
				(uint8_t)n}},
		.bits = bits};
}

/* A set of one entry for the peer `of` of node 0; how often it was told that
 * addresses have passed on. */
static unsigned told(struct bed *b, int of, struct wg_peer_set s)
{
	struct wg_set set = {.peers = &s, .peer_count = 1};
	unsigned before = b->nodes[0].passed_on;
	struct weir_error e;

	memcpy(s.public_key, b->nodes[of].public_key, WG_KEY_BYTES);
	ck_assert(wg_set(b->nodes[0].d, &set, b->now_us, &e));
	return b->nodes[0].passed_on - before;
}

static unsigned told_of_prefix(struct bed *b, int of, unsigned n, unsigned bits,
			       bool remove)
{
	struct wg_allowed a = {.prefix = net(n, bits), .remove = remove};

	return told(b, of,
		    (struct wg_peer_set){.allowed = &a, .allowed_count = 1});
}

/* Node 1 has 10.0.0.2, node 2 has 10.0.0.3. */
static void begin(struct bed *b)
{
	bed_init(b);
	bed_peer(b, 0, 1);
	bed_peer(b, 0, 2);
	ck_assert_uint_eq(b->nodes[0].passed_on, 0);
}

START_TEST(a_peer_that_goes_leaves_its_addresses)
{
	struct bed b;

	begin(&b);
	ck_assert_uint_eq(
		told(&b, 1, (struct wg_peer_set){.flags = WG_PEER_REMOVE}), 1);
	ck_assert_uint_eq(/* it is not there any more */
			  told(&b, 1,
			       (struct wg_peer_set){.flags = WG_PEER_REMOVE}),
			  0);
	bed_fini(&b);
}
END_TEST

START_TEST(a_prefix_that_is_taken_away_passes_on)
{
	struct bed b;

	begin(&b);
	ck_assert_uint_eq(told_of_prefix(&b, 1, 3, 32, true), 0); /* not its */
	ck_assert_uint_eq(told_of_prefix(&b, 1, 2, 32, true), 1);
	ck_assert_uint_eq(told_of_prefix(&b, 2, 2, 32, false), 0); /* free */
	ck_assert_uint_eq(
		told(&b, 2,
		     (struct wg_peer_set){.flags = WG_PEER_REPLACE_ALLOWED}),
		1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_prefix_that_is_taken_by_another_passes_on)
{
	struct bed b;

	begin(&b);
	ck_assert_uint_eq(told_of_prefix(&b, 1, 3, 32, false), 1);
	ck_assert_uint_eq(told_of_prefix(&b, 1, 0x100, 24, false), 0);
	ck_assert_uint_eq(told_of_prefix(&b, 2, 0x107, 32, false), 1);
	ck_assert_uint_eq(told_of_prefix(&b, 2, 0, 8, false), 0); /* around */
	bed_fini(&b);
}
END_TEST

START_TEST(what_moves_no_address_is_not_told)
{
	struct bed b;

	begin(&b);
	ck_assert_uint_eq(told_of_prefix(&b, 1, 2, 32, false), 0); /* again */
	ck_assert_uint_eq(told(&b, 1,
			       (struct wg_peer_set){.flags = WG_PEER_KEEPALIVE |
							     WG_PEER_PSK,
						    .keepalive_s = 25}),
			  0);
	bed_fini(&b);
}
END_TEST

/* Whoever hears of it looks through all sessions. */
START_TEST(a_set_of_many_peers_is_told_once)
{
	struct wg_peer_set *peers = calloc(MANY, sizeof *peers);
	struct wg_allowed *allowed = calloc(MANY, sizeof *allowed);
	struct wg_set set = {.flags = WG_SET_REPLACE_PEERS,
			     .peers = peers,
			     .peer_count = MANY};
	struct weir_error e;
	struct bed b;

	begin(&b);
	for (unsigned i = 0; i < MANY; i++) {
		memcpy(peers[i].public_key, &i, sizeof i);
		peers[i].public_key[9] = 1;
		allowed[i].prefix = net(i, 32);
		peers[i].allowed = &allowed[i];
		peers[i].allowed_count = 1;
	}
	for (unsigned times = 1; times < 4; times++) {
		ck_assert(wg_set(b.nodes[0].d, &set, b.now_us, &e));
		ck_assert_uint_eq(b.nodes[0].passed_on, times);
	}
	free(allowed);
	free(peers);
	bed_fini(&b);
}
END_TEST

static struct wg_peer *owner_when_told;

static void look(struct node *n)
{
	struct weir_cidr c = net(2, 32);

	owner_when_told = wg_peer_of(n->d, &c.base);
}

START_TEST(who_is_told_sees_whose_they_are_now)
{
	struct bed b;

	begin(&b);
	b.nodes[0].on_passed_on = look;
	told_of_prefix(&b, 2, 2, 32, false);
	ck_assert_ptr_nonnull(owner_when_told);
	ck_assert_ptr_eq(owner_when_told, bed_find(&b, 0, 2));
	bed_fini(&b);
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, a_peer_that_goes_leaves_its_addresses);
	tcase_add_test(t, a_prefix_that_is_taken_away_passes_on);
	tcase_add_test(t, a_prefix_that_is_taken_by_another_passes_on);
	tcase_add_test(t, what_moves_no_address_is_not_told);
	tcase_add_test(t, a_set_of_many_peers_is_told_once);
	tcase_add_test(t, who_is_told_sees_whose_they_are_now);
}

int main(void)
{
	return bed_main("wg_passing", tests);
}
