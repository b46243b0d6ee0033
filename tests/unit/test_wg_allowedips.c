/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Which peer an address belongs to. */
#include "wg.h"

#include "allowedips.h"

#include <malloc.h>

#define PEERS 7
#define MANY 10000u
#define BYTES_A_PREFIX_MOST 200u

static struct allowedips table;
static struct allowed_owner peer[PEERS], many[MANY];

static struct weir_cidr cidr(const char *ip, uint32_t bits)
{
	struct weir_cidr c = {.bits = bits};
	bool is_ip6 = strchr(ip, ':');

	c.base.kind = is_ip6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4;
	ck_assert_int_eq(inet_pton(is_ip6 ? AF_INET6 : AF_INET, ip, c.base.ip),
			 1);
	return c;
}

static struct allowed_owner *give(int who, const char *ip, uint32_t bits)
{
	struct weir_cidr c = cidr(ip, bits);
	struct allowed_owner *was;

	ck_assert(allowedips_insert(&table, &c, &peer[who], &was));
	return was;
}

static bool take(int who, const char *ip, uint32_t bits)
{
	struct weir_cidr c = cidr(ip, bits);

	return allowedips_remove(&table, &c, &peer[who]);
}

/* The number of the peer, or -1. */
static int of(const char *ip)
{
	struct weir_cidr c = cidr(ip, 0);
	struct allowed_owner *o =
		c.base.kind == WEIR_ADDR_IP6
			? allowedips_lookup6(&table, c.base.ip)
			: allowedips_lookup4(&table, c.base.ip);

	return o ? (int)(o - peer) : -1;
}

START_TEST(the_most_specific_prefix_wins)
{
	give(0, "0.0.0.0", 0);
	give(1, "10.0.0.0", 8);
	give(2, "10.1.0.0", 16);
	give(3, "10.1.2.3", 32);
	give(4, "10.1.2.0", 23);
	ck_assert_int_eq(of("192.0.2.1"), 0);
	ck_assert_int_eq(of("10.9.9.9"), 1);
	ck_assert_int_eq(of("10.1.9.9"), 2);
	ck_assert_int_eq(of("10.1.2.3"), 3);
	ck_assert_int_eq(of("10.1.2.4"), 4);
	ck_assert_int_eq(of("10.1.3.255"), 4);
	ck_assert_int_eq(of("::1"), -1);
	give(5, "fd00::", 8);
	give(6, "fd00:0:0:1::", 64);
	give(5, "fd00:0:0:1::7", 128);
	ck_assert_int_eq(of("fdff::1"), 5);
	ck_assert_int_eq(of("fd00:0:0:1::8"), 6);
	ck_assert_int_eq(of("fd00:0:0:1::7"), 5);
	ck_assert_int_eq(of("2001:db8::1"), -1);
	allowedips_fini(&table);
}
END_TEST

START_TEST(host_bits_are_ignored_and_bad_lengths_refused)
{
	struct weir_cidr c = cidr("10.1.2.3", 33);

	give(1, "10.1.2.3", 24);
	ck_assert_int_eq(of("10.1.2.200"), 1);
	ck_assert_ptr_eq(give(2, "10.1.2.99", 24), &peer[1]);
	ck_assert_uint_eq(table.prefixes, 1);
	ck_assert(!allowedips_insert(&table, &c, &peer[0], NULL));
	ck_assert(!allowedips_remove(&table, &c, &peer[0]));
	c.base.kind = WEIR_ADDR_NONE;
	ck_assert(!allowedips_insert(&table, &c, &peer[0], NULL));
	ck_assert(!allowedips_remove(&table, &c, &peer[0]));
	allowedips_fini(&table);
}
END_TEST

START_TEST(a_stolen_prefix_says_from_whom)
{
	ck_assert_ptr_null(give(1, "10.0.0.0", 24));
	ck_assert_ptr_null(give(1, "10.0.0.0", 24)); /* its own */
	ck_assert_ptr_null(give(1, "10.0.0.0", 25)); /* another */
	ck_assert_ptr_eq(give(2, "10.0.0.0", 24), &peer[1]);
	ck_assert_int_eq(of("10.0.0.200"), 2);
	ck_assert_int_eq(of("10.0.0.1"), 1);
	ck_assert_uint_eq(peer[1].prefixes, 1);
	ck_assert_uint_eq(peer[2].prefixes, 1);
	ck_assert_ptr_eq(give(3, "10.0.0.7", 32), &peer[1]); /* out of it */
	ck_assert_ptr_null(give(3, "10.0.0.0", 8));	     /* around them */
	allowedips_fini(&table);
}
END_TEST

START_TEST(only_its_owner_loses_a_prefix)
{
	give(1, "10.0.0.0", 24);
	give(2, "10.0.0.0", 25);
	ck_assert(!take(2, "10.0.0.0", 24));
	ck_assert(!take(1, "10.0.0.0", 23));
	ck_assert(!take(1, "10.0.0.128", 25));
	ck_assert(take(1, "10.0.0.0", 24));
	ck_assert(!take(1, "10.0.0.0", 24));
	ck_assert_int_eq(of("10.0.0.200"), -1);
	ck_assert_int_eq(of("10.0.0.1"), 2);
	ck_assert(take(2, "10.0.0.0", 25));
	ck_assert_ptr_null(table.root4);
}
END_TEST

START_TEST(a_peer_is_removed_with_all_its_prefixes)
{
	struct weir_cidr c = cidr("10.0.2.0", 24);

	for (int i = 0; i < 12; i++) {
		char ip[32];

		snprintf(ip, sizeof ip, "10.0.%d.0", i);
		give(i % 3, ip, 24);
		snprintf(ip, sizeof ip, "fd00:%d::", i);
		give(i % 3, ip, 32);
	}
	give(2, "0.0.0.0", 0);
	allowedips_remove_owner(&table, &peer[2]);
	ck_assert_uint_eq(peer[2].prefixes, 0);
	ck_assert_ptr_null(peer[2].first);
	ck_assert_uint_eq(table.prefixes, 16);
	ck_assert_int_eq(of("10.0.2.1"), -1);
	ck_assert(!allowedips_remove(&table, &c, &peer[2]));
	ck_assert_int_eq(of("10.0.3.1"), 0);
	ck_assert_int_eq(of("10.0.4.1"), 1);
	ck_assert_int_eq(of("fd00:4::1"), 1);
	ck_assert_int_eq(of("fd00:5::1"), -1);
	allowedips_remove_owner(&table, &peer[0]);
	allowedips_remove_owner(&table, &peer[1]);
	ck_assert_ptr_null(table.root4);
	ck_assert_ptr_null(table.root6);
}
END_TEST

struct walk {
	struct weir_cidr met[4];
	unsigned count, most;
};

static bool meet(void *arg, const struct weir_cidr *c)
{
	struct walk *w = arg;

	w->met[w->count++] = *c;
	return w->count < w->most;
}

/* What is met behind `after`, no more than `most`. */
static struct walk walk(const struct weir_cidr *after, unsigned most)
{
	struct walk w = {.most = most};

	allowedips_each(&table, &peer[0], after, meet, &w);
	return w;
}

static bool has_met(const struct walk *w, struct weir_cidr c)
{
	for (unsigned i = 0; i < w->count; i++)
		if (w->met[i].bits == c.bits &&
		    weir_addr_equal(&w->met[i].base, &c.base))
			return true;
	return false;
}

static void give_three_and_one(void)
{
	give(0, "10.0.0.0", 8);
	give(0, "fd00::7", 64); /* the host bits go */
	give(1, "10.0.0.0", 9);
	give(0, "0.0.0.0", 0);
}

START_TEST(a_peers_prefixes_can_be_walked)
{
	struct walk w = walk(NULL, 4);

	ck_assert_uint_eq(w.count, 0);
	give_three_and_one();
	w = walk(NULL, 4);
	ck_assert_uint_eq(w.count, 3);
	ck_assert(has_met(&w, cidr("10.0.0.0", 8)));
	ck_assert(has_met(&w, cidr("fd00::", 64)));
	ck_assert(has_met(&w, cidr("0.0.0.0", 0)));
	allowedips_fini(&table);
	ck_assert_ptr_null(peer[0].first);
}
END_TEST

START_TEST(a_walk_goes_on_behind_a_prefix_that_is_still_the_peers)
{
	const struct weir_cidr others = cidr("10.0.0.0", 9);
	struct walk first, rest;

	give_three_and_one();
	first = walk(NULL, 1);
	ck_assert_uint_eq(first.count, 1);
	rest = walk(&first.met[0], 4);
	ck_assert_uint_eq(rest.count, 2);
	ck_assert(!has_met(&rest, first.met[0]));
	ck_assert_uint_eq(walk(&others, 4).count, 0);
	allowedips_remove(&table, &first.met[0], &peer[0]);
	ck_assert_uint_eq(walk(&first.met[0], 4).count, 0);
	allowedips_fini(&table);
}
END_TEST

START_TEST(packets_are_looked_up_by_both_addresses)
{
	uint8_t packet[40] = {0x45};

	give(1, "10.0.0.1", 32);
	give(2, "10.0.0.2", 32);
	give(3, "fd00::1", 128);
	give(4, "fd00::2", 128);
	memcpy(packet + 12, "\x0a\0\0\x01\x0a\0\0\x02", 8);
	ck_assert_ptr_eq(allowedips_source(&table, packet, 20), &peer[1]);
	ck_assert_ptr_eq(allowedips_target(&table, packet, 20), &peer[2]);
	ck_assert_ptr_null(allowedips_target(&table, packet, 19));
	packet[0] = 0x60;
	ck_assert_int_eq(inet_pton(AF_INET6, "fd00::1", packet + 8), 1);
	ck_assert_int_eq(inet_pton(AF_INET6, "fd00::2", packet + 24), 1);
	ck_assert_ptr_eq(allowedips_source(&table, packet, 40), &peer[3]);
	ck_assert_ptr_eq(allowedips_target(&table, packet, 40), &peer[4]);
	ck_assert_ptr_null(allowedips_source(&table, packet, 39));
	packet[0] = 0x50;
	ck_assert_ptr_null(allowedips_source(&table, packet, 40));
	ck_assert_ptr_null(allowedips_source(&table, packet, 0));
	allowedips_fini(&table);
}
END_TEST

/* A list in which the longest match is looked for by hand. */
#define MODEL_MOST 400
#define ALL_BITS 128
static struct {
	struct weir_cidr c;
	int who; /* -1: free */
} model[MODEL_MOST];

static uint64_t next_random(void)
{
	static uint64_t x = 88172645463325252ull;

	x ^= x << 13;
	x ^= x >> 7;
	x ^= x << 17;
	return x;
}

static bool within(const struct weir_cidr *c, const struct weir_addr *a)
{
	if (c->base.kind != a->kind)
		return false;
	for (uint32_t i = 0; i < c->bits; i++)
		if (((c->base.ip[i / 8] ^ a->ip[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return true;
}

/* Of prefixes of at most so many bits. */
static int model_find(const struct weir_addr *a, uint32_t most)
{
	uint32_t best_bits = 0;
	int best = -1;

	for (int i = 0; i < MODEL_MOST; i++)
		if (model[i].who >= 0 && model[i].c.bits <= most &&
		    within(&model[i].c, a) &&
		    (best < 0 || model[i].c.bits >= best_bits)) {
			best = model[i].who;
			best_bits = model[i].c.bits;
		}
	return best;
}

/* Few distinct bits, so that prefixes contain and meet each other. */
static struct weir_cidr random_prefix(void)
{
	struct weir_cidr c = {.base.kind = next_random() % 2 ? WEIR_ADDR_IP4
							     : WEIR_ADDR_IP6};
	uint32_t width = c.base.kind == WEIR_ADDR_IP4 ? 32 : 128;

	for (uint32_t i = 0; i < width / 8; i++)
		c.base.ip[i] = next_random() % 3 ? 0 : 0x81;
	c.bits = (uint32_t)(next_random() % (width + 1));
	for (uint32_t i = c.bits; i < width; i++)
		c.base.ip[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	return c;
}

static void model_step(int i)
{
	struct weir_cidr c = random_prefix();
	struct allowed_owner *was, *wanted = NULL;
	int who = (int)(next_random() % PEERS), around;

	if (model[i].who >= 0) {
		ck_assert(allowedips_remove(&table, &model[i].c,
					    &peer[model[i].who]));
		model[i].who = -1;
	}
	around = model_find(&c.base, c.bits);
	if (around >= 0 && around != who)
		wanted = &peer[around];
	for (int k = 0; k < MODEL_MOST; k++)
		if (model[k].who >= 0 && model[k].c.bits == c.bits &&
		    weir_addr_equal(&model[k].c.base, &c.base))
			model[k].who = -1;
	ck_assert(allowedips_insert(&table, &c, &peer[who], &was));
	ck_assert_ptr_eq(was, wanted);
	model[i].c = c;
	model[i].who = who;
}

START_TEST(random_tables_agree_with_a_list)
{
	for (int i = 0; i < MODEL_MOST; i++)
		model[i].who = -1;
	for (int step = 0; step < 6 * MODEL_MOST; step++) {
		struct weir_cidr asked = random_prefix();
		struct allowed_owner *o;

		model_step(step % MODEL_MOST);
		o = asked.base.kind == WEIR_ADDR_IP4
			    ? allowedips_lookup4(&table, asked.base.ip)
			    : allowedips_lookup6(&table, asked.base.ip);
		ck_assert_int_eq(o ? (int)(o - peer) : -1,
				 model_find(&asked.base, ALL_BITS));
	}
	for (int i = 0; i < PEERS; i++)
		allowedips_remove_owner(&table, &peer[i]);
	ck_assert_ptr_null(table.root4);
	ck_assert_ptr_null(table.root6);
}
END_TEST

START_TEST(ten_thousand_peers_cost_little)
{
	size_t before = mallinfo2().uordblks, after;

	for (uint32_t i = 0; i < MANY; i++) {
		struct weir_cidr c = cidr("10.0.0.0", 32);
		uint32_t ip = htonl(0x0a000000 + i * 3);

		memcpy(c.base.ip, &ip, sizeof ip);
		ck_assert(allowedips_insert(&table, &c, &many[i], NULL));
	}
	after = mallinfo2().uordblks;
	ck_assert_uint_lt((after - before) / MANY, BYTES_A_PREFIX_MOST);
	allowedips_fini(&table);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_most_specific_prefix_wins,
		host_bits_are_ignored_and_bad_lengths_refused,
		a_stolen_prefix_says_from_whom,
		only_its_owner_loses_a_prefix,
		a_peer_is_removed_with_all_its_prefixes,
		a_peers_prefixes_can_be_walked,
		a_walk_goes_on_behind_a_prefix_that_is_still_the_peers,
		packets_are_looked_up_by_both_addresses,
		random_tables_agree_with_a_list,
		ten_thousand_peers_cost_little,
	};

	return RUN("wg_allowedips", tests);
}
