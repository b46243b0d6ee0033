/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Keypairs through their rotation, keys of the configuration, and peers that
 * come and go. */
#include "tests/unit/wgbed.h"

#include "device.h"

#include <stdlib.h>

/* A second session, begun by node 0, without a byte of data in it yet. */
static void renew_silently(struct bed *b)
{
	bed_run(b, 6);
	b->nodes[0].silent = true;
	wg_peer_connect(bed_find(b, 0, 1), true, b->now_us);
	bed_flush(b);
	bed_receive(b, 1, &b->nodes[0].address,
		    bed_last(b, 0, MESSAGE_INITIATION, 0)->bytes,
		    MESSAGE_INITIATION_BYTES, 0);
	bed_run_us(b, 2 * BED_DELAY_US);
	b->nodes[0].silent = false;
	ck_assert_uint_eq(b->nodes[0].events[WG_EVENT_HANDSHAKE], 2);
}

START_TEST(the_next_key_waits_for_authenticated_data)
{
	struct keypair *current;
	struct wg_peer *p;
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	p = bed_find(&b, 1, 0);
	current = p->current;
	renew_silently(&b);
	ck_assert_ptr_eq(p->current, current);
	ck_assert_ptr_nonnull(p->next);
	/* The responder goes on with the old one. */
	bed_send(&b, 1, 0, 100);
	s = bed_last(&b, 1, MESSAGE_DATA, 0);
	ck_assert_uint_eq(message_get32(s->bytes + 4), current->remote_index);
	/* A forged packet of the next key confirms nothing. */
	s = bed_last(&b, 0, MESSAGE_DATA, 0);
	ck_assert_uint_eq(message_get32(s->bytes + 4), p->next->local_index);
	s->bytes[s->len - 1] ^= 1;
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_ptr_eq(p->current, current);
	s->bytes[s->len - 1] ^= 1;
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_ptr_eq(p->previous, current);
	ck_assert_ptr_null(p->next);
	ck_assert_uint_eq(b.nodes[1].events[WG_EVENT_HANDSHAKE], 2);
	bed_fini(&b);
}
END_TEST

START_TEST(the_previous_key_still_opens_what_was_reordered)
{
	struct sent late;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].silent = true;
	bed_send(&b, 0, 1, 111);
	late = *bed_last(&b, 0, MESSAGE_DATA, 0);
	renew_silently(&b);
	bed_send(&b, 0, 1, 100);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert_ptr_nonnull(bed_find(&b, 1, 0)->previous);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	bed_receive(&b, 1, &b.nodes[0].address, late.bytes, late.len, 0);
	ck_assert_uint_eq(b.nodes[1].got_count, 3);
	ck_assert_uint_eq(b.nodes[1].got[2].len, 111);
	bed_fini(&b);
}
END_TEST

START_TEST(rotation_takes_old_indices_away)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	for (int i = 0; i < 10; i++) {
		bed_run(&b, 6);
		wg_peer_connect(bed_find(&b, i & 1, !(i & 1)), true, b.now_us);
		bed_run(&b, 1);
	}
	ck_assert_uint_eq(b.nodes[0].d->indices.count, 2);
	ck_assert_uint_eq(b.nodes[1].d->indices.count, 2);
	bed_fini(&b);
}
END_TEST

static bool set_key(struct bed *b, int at, uint8_t fill)
{
	struct wg_set s = {.flags = WG_SET_PRIVATE_KEY};
	struct weir_error e;
	bool done;

	memset(s.private_key, fill, WG_KEY_BYTES);
	done = wg_set(b->nodes[at].d, &s, b->now_us, &e);
	wg_get_keys(b->nodes[at].d, b->nodes[at].private_key,
		    b->nodes[at].public_key);
	return done;
}

START_TEST(a_changed_private_key_clears_sessions)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	ck_assert(set_key(&b, 0, 1)); /* the same */
	ck_assert_ptr_nonnull(bed_find(&b, 0, 1)->current);
	ck_assert(set_key(&b, 0, 99));
	ck_assert_ptr_null(bed_find(&b, 0, 1)->current);
	ck_assert_uint_eq(b.nodes[0].d->indices.count, 0);
	bed_peer(&b, 1, 0); /* under its new key */
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	bed_fini(&b);
}
END_TEST

START_TEST(a_changed_private_key_clears_a_session_that_waits)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	renew_silently(&b);
	ck_assert_ptr_nonnull(bed_find(&b, 1, 0)->next);
	ck_assert(set_key(&b, 1, 99));
	ck_assert_uint_eq(b.nodes[1].d->indices.count, 0);
	bed_fini(&b);
}
END_TEST

START_TEST(a_private_key_takes_with_it_what_was_made_of_it)
{
	struct remote *r;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	r = &bed_find(&b, 0, 1)->remote;
	ck_assert(!crypto_is_zero(r->static_static, WG_KEY_BYTES));
	ck_assert(set_key(&b, 0, 0));
	ck_assert(crypto_is_zero(r->static_static, WG_KEY_BYTES));
	ck_assert(crypto_is_zero(&b.nodes[0].d->checker,
				 sizeof b.nodes[0].d->checker));
	bed_fini(&b);
}
END_TEST

START_TEST(without_a_private_key_nothing_happens)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	ck_assert(set_key(&b, 1, 0));
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 0);
	bed_send(&b, 1, 0, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 0);
	bed_fini(&b);
}
END_TEST

/* Set one peer with this key at node 0. */
static bool add(struct bed *b, const uint8_t *key, unsigned flags,
		struct weir_error *e)
{
	struct wg_peer_set p = {.name = "bob"};
	struct wg_set s = {.flags = flags, .peers = &p, .peer_count = 1};

	memcpy(p.public_key, key, WG_KEY_BYTES);
	memcpy(s.private_key, b->nodes[0].private_key, WG_KEY_BYTES);
	return wg_set(b->nodes[0].d, &s, b->now_us, e);
}

START_TEST(points_of_low_order_are_nobodys_key)
{
	uint8_t key[WG_KEY_BYTES] = {0};
	struct weir_error e;
	struct bed b;

	bed_init(&b);
	ck_assert(!add(&b, key, 0, &e));
	ck_assert_str_eq(e.text, "bob: this is nobody's public key");
	key[0] = 1;
	ck_assert(!add(&b, key, 0, &e));
	key[31] = 0x80; /* the most significant bit says nothing */
	ck_assert(!add(&b, key, 0, &e));
	memset(key, 0xff, sizeof key);
	key[0] = 0xec;
	ck_assert(!add(&b, key, 0, &e));
	key[0] = 0xed;
	ck_assert(!add(&b, key, 0, &e));
	key[0] = 0xee;
	ck_assert(!add(&b, key, 0, &e));
	ck_assert_ptr_null(wg_peer_next(b.nodes[0].d, NULL));
	bed_fini(&b);
}
END_TEST

START_TEST(the_devices_own_key_makes_no_peer)
{
	struct weir_error e;
	struct bed b;

	bed_init(&b);
	ck_assert(add(&b, b.nodes[0].public_key, 0, &e));
	ck_assert_ptr_null(wg_peer_next(b.nodes[0].d, NULL));
	ck_assert(!add(&b, b.nodes[0].public_key, WG_SET_STRICT, &e));
	ck_assert_str_eq(e.text, "bob: this is the device's own key");
	ck_assert(!add(&b, b.nodes[0].public_key,
		       WG_SET_STRICT | WG_SET_PRIVATE_KEY, &e));
	/* One that becomes the device's own goes. */
	bed_pair(&b, 0, 1);
	ck_assert(set_key(&b, 0, 2));
	ck_assert_ptr_null(wg_peer_next(b.nodes[0].d, NULL));
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_REMOVED], 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_prefix_moves_to_who_took_it_last)
{
	struct weir_addr a = {.kind = WEIR_ADDR_IP4, .ip = {10, 0, 0, 2}};
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_peer(&b, 0, 2);
	ck_assert_ptr_eq(wg_peer_of(b.nodes[0].d, &a), bed_find(&b, 0, 1));
	bed_peer_set(&b, 0, 2,
		     (struct wg_peer_set){
			     .allowed = &(struct wg_allowed){.prefix = {a, 32}},
			     .allowed_count = 1,
		     });
	ck_assert_ptr_eq(wg_peer_of(b.nodes[0].d, &a), bed_find(&b, 0, 2));
	bed_send(&b, 1, 0, 100); /* what it sends is now a lie */
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_SOURCE), 1);
	ck_assert_uint_eq(b.nodes[0].got_count, 0);
	bed_fini(&b);
}
END_TEST

/* Two peers of node 0, both with 10.9.0.0/16. */
static bool add_two(struct bed *b, unsigned flags, struct weir_error *e)
{
	struct wg_allowed a = {
		.prefix = {{.kind = WEIR_ADDR_IP4, .ip = {10, 9}}, 16}};
	struct wg_peer_set p[2] = {
		{.name = "alice", .allowed = &a, .allowed_count = 1},
		{.allowed = &a, .allowed_count = 1}};
	struct wg_set s = {.flags = flags, .peers = p, .peer_count = 2};

	memcpy(p[0].public_key, b->nodes[1].public_key, WG_KEY_BYTES);
	memcpy(p[1].public_key, b->nodes[2].public_key, WG_KEY_BYTES);
	return wg_set(b->nodes[0].d, &s, b->now_us, e);
}

START_TEST(one_prefix_for_two_peers_of_a_file_names_both)
{
	struct weir_error e;
	struct bed b;

	bed_init(&b);
	ck_assert(!add_two(&b, WG_SET_STRICT, &e));
	ck_assert_ptr_nonnull(strstr(e.text, "10.9.0.0/16"));
	ck_assert_ptr_nonnull(strstr(e.text, "alice"));
	ck_assert_ptr_nonnull(strstr(e.text, "=")); /* the other's key */
	ck_assert_ptr_null(wg_peer_next(b.nodes[0].d, NULL));
	ck_assert(add_two(&b, 0, &e));
	bed_fini(&b);
}
END_TEST

START_TEST(a_set_that_fails_changes_nothing)
{
	struct wg_peer_set p[2] = {{.flags = WG_PEER_REMOVE}, {.name = "zero"}};
	struct wg_set s = {.flags = WG_SET_PRIVATE_KEY | WG_SET_REPLACE_PEERS,
			   .private_key = {5},
			   .peers = p,
			   .peer_count = 2};
	uint8_t before[WG_KEY_BYTES], after[WG_KEY_BYTES], pub[WG_KEY_BYTES];
	struct weir_error e;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	memcpy(p[0].public_key, b.nodes[1].public_key, WG_KEY_BYTES);
	wg_get_keys(b.nodes[0].d, before, pub);
	ck_assert(!wg_set(b.nodes[0].d, &s, b.now_us, &e));
	wg_get_keys(b.nodes[0].d, after, pub);
	ck_assert_mem_eq(before, after, WG_KEY_BYTES);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 1);
	bed_fini(&b);
}
END_TEST

static bool count_prefix(void *arg, const struct weir_cidr *prefix)
{
	unsigned *bits = arg;

	*bits += prefix->bits;
	return true;
}

START_TEST(peers_are_updated_replaced_and_removed)
{
	struct wg_allowed a = {
		.prefix = {{.kind = WEIR_ADDR_IP4, .ip = {10, 9}}, 16}};
	struct wg_peer_set p = {.flags = WG_PEER_UPDATE_ONLY |
					 WG_PEER_REPLACE_ALLOWED,
				.keepalive_s = 25, /* these have no flags */
				.reserved = {1},
				.psk = {1},
				.allowed = &a,
				.allowed_count = 1};
	struct wg_peer_info info;
	unsigned bits = 0;
	struct bed b;

	bed_init(&b);
	ck_assert_ptr_null(bed_peer_set(&b, 0, 1, p));
	bed_session(&b, 0, 1);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_ADDED], 1);
	bed_peer_set(&b, 0, 1, p);
	info = bed_info(&b, 0, 1);
	ck_assert_uint_eq(info.keepalive_s + info.reserved[0], 0);
	ck_assert_uint_eq(wg_peer_psk(bed_find(&b, 0, 1))[0], 0);
	wg_peer_allowed(bed_find(&b, 0, 1), NULL, count_prefix, &bits);
	ck_assert_uint_eq(bits, 16);
	ck_assert_ptr_nonnull(bed_find(&b, 0, 1)->current);
	a.remove = true;
	p.flags = 0;
	bed_peer_set(&b, 0, 1, p);
	wg_peer_allowed(bed_find(&b, 0, 1), NULL, count_prefix, &bits);
	ck_assert_uint_eq(bits, 16);
	p.flags = WG_PEER_REMOVE;
	ck_assert_ptr_null(bed_peer_set(&b, 0, 1, p));
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_REMOVED], 1);
	ck_assert_uint_eq(b.nodes[0].d->indices.count, 0);
	ck_assert_uint_eq(b.nodes[0].d->wheel.armed, 0);
	bed_run(&b, 30); /* the other one speaks to nobody now */
	ck_assert_uint_ge(bed_drops(&b, 0, WG_DROP_INDEX), 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_peer_can_go_with_packets_in_every_queue)
{
	struct wg_peer_set gone = {.flags = WG_PEER_REMOVE};
	uint8_t packet[100];
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_peer(&b, 0, 2);
	bed_packet(packet, 0, 1, sizeof packet);
	ck_assert(bed_offer(&b, 0, packet, sizeof packet)); /* a train */
	bed_packet(packet, 0, 2, sizeof packet);
	ck_assert(bed_offer(&b, 0, packet, sizeof packet)); /* staged */
	bed_peer_set(&b, 0, 1, gone);
	bed_peer_set(&b, 0, 2, gone);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[0].d->trains_open, 0);
	ck_assert_uint_eq(b.nodes[0].d->staged_bytes, 0);
	bed_fini(&b);
}
END_TEST

#define MANY 10000u

/* Peers with a prefix each, and keys that nobody holds. */
static void many(struct wg_peer_set *p, struct wg_allowed *a)
{
	for (uint32_t i = 0; i < MANY; i++) {
		memcpy(p[i].public_key, &i, sizeof i);
		p[i].public_key[9] = 1;
		a[i].prefix.base = (struct weir_addr){
			.kind = WEIR_ADDR_IP4,
			.ip = {10, 1, (uint8_t)(i >> 8), (uint8_t)i}};
		a[i].prefix.bits = 32;
		p[i].allowed = &a[i];
		p[i].allowed_count = 1;
	}
}

START_TEST(ten_thousand_peers_are_set_and_found)
{
	struct wg_peer_set *p = calloc(MANY, sizeof *p);
	struct wg_allowed *a = calloc(MANY, sizeof *a);
	struct wg_set s = {
		.flags = WG_SET_STRICT, .peers = p, .peer_count = MANY};
	struct weir_addr one = {.kind = WEIR_ADDR_IP4, .ip = {10, 1, 2, 3}};
	unsigned n = 0;
	struct weir_error e;
	struct bed b;

	many(p, a);
	bed_init(&b);
	ck_assert(wg_set(b.nodes[0].d, &s, b.now_us, &e));
	for (struct wg_peer *q = NULL; (q = wg_peer_next(b.nodes[0].d, q));)
		n++;
	ck_assert_uint_eq(n, MANY);
	ck_assert_ptr_eq(wg_peer_of(b.nodes[0].d, &one),
			 wg_peer_find(b.nodes[0].d, p[2 * 256 + 3].public_key));
	bed_session(&b, 0, 1);
	/* With keys of three sessions; what waits for a key comes on top. */
	ck_assert_uint_le(sizeof(struct wg_peer) + 3 * sizeof(struct keypair),
			  10000);
	bed_fini(&b);
	free(p);
	free(a);
}
END_TEST

#define MANY_PEERS 1000u

static void key_of_many(uint8_t key[WG_KEY_BYTES], unsigned n)
{
	memcpy(key, "they all begin with the same...", WG_KEY_BYTES);
	memcpy(key + WG_KEY_BYTES - sizeof n, &n, sizeof n);
}

START_TEST(peers_are_found_whichever_of_them_went)
{
	struct wg_peer *made[MANY_PEERS], *p;
	uint8_t key[WG_KEY_BYTES];
	struct peers all;

	peers_init(&all);
	ck_assert(peers_reserve(&all, MANY_PEERS));
	for (unsigned i = 0; i < MANY_PEERS; i++) {
		key_of_many(key, i);
		ck_assert_ptr_null(peers_find(&all, key));
		made[i] = peers_add(&all, key);
	}
	for (unsigned i = 0; i < MANY_PEERS; i += 3)
		peers_remove(&all, made[i]);
	p = all.first;
	for (unsigned i = 0; i < MANY_PEERS; i++) {
		key_of_many(key, i);
		if (i % 3 == 0) {
			ck_assert_ptr_null(peers_find(&all, key));
			continue;
		}
		ck_assert_ptr_eq(peers_find(&all, key), made[i]);
		ck_assert_ptr_eq(p, made[i]);
		p = p->after;
	}
	ck_assert_ptr_null(p);
	while (all.first)
		peers_remove(&all, all.first);
	peers_fini(&all);
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, peers_are_found_whichever_of_them_went);
	tcase_add_test(t, the_next_key_waits_for_authenticated_data);
	tcase_add_test(t, the_previous_key_still_opens_what_was_reordered);
	tcase_add_test(t, rotation_takes_old_indices_away);
	tcase_add_test(t, a_changed_private_key_clears_sessions);
	tcase_add_test(t, a_changed_private_key_clears_a_session_that_waits);
	tcase_add_test(t, a_private_key_takes_with_it_what_was_made_of_it);
	tcase_add_test(t, without_a_private_key_nothing_happens);
	tcase_add_test(t, points_of_low_order_are_nobodys_key);
	tcase_add_test(t, the_devices_own_key_makes_no_peer);
	tcase_add_test(t, a_prefix_moves_to_who_took_it_last);
	tcase_add_test(t, one_prefix_for_two_peers_of_a_file_names_both);
	tcase_add_test(t, a_set_that_fails_changes_nothing);
	tcase_add_test(t, peers_are_updated_replaced_and_removed);
	tcase_add_test(t, a_peer_can_go_with_packets_in_every_queue);
	tcase_add_test(t, ten_thousand_peers_are_set_and_found);
}

int main(void)
{
	return bed_main("wg_keys", tests);
}
