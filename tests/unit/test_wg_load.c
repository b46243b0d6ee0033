/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Floods of handshakes: what they cost, and who still gets in. */
#include "tests/unit/wgbed.h"

#include "cookie.h"
#include "train.h"

#include <sys/mman.h>
#include <unistd.h>

/* Of the messages that wait; the places are somewhat larger. */
#define INBOX_BYTES ((size_t)HANDSHAKE_QUEUE_MAX * MESSAGE_INITIATION_BYTES)

/* An initiation that is signed but leads nowhere, as who knows the public key
 * of node 1 can make any number of. */
static void junk(struct bed *b, struct message_initiation *m, uint32_t seed)
{
	struct cookie_jar jar;

	memset(m, 0, sizeof *m);
	m->header.type = MESSAGE_INITIATION;
	memcpy(m->ephemeral, &seed, sizeof seed);
	m->ephemeral[5] = 9;
	cookie_jar_init(&jar, b->nodes[1].public_key);
	cookie_sign(&jar, m, sizeof *m, b->now_us);
}

static struct weir_addr source_of(uint32_t seed)
{
	return (struct weir_addr){
		.kind = WEIR_ADDR_IP4,
		.port = 1234,
		.ip = {198, 18, (uint8_t)(seed >> 8), (uint8_t)seed}};
}

/* `n` of them in one turn, from as many addresses. */
static void flood(struct bed *b, unsigned n)
{
	struct message_initiation m;

	for (unsigned i = 0; i < n; i++) {
		struct wg_endpoint from = {.addr = source_of(i)};
		struct wg_datagrams v = {(uint8_t *)&m, sizeof m, 0, 0, &from};

		junk(b, &m, i);
		wg_receive(b->nodes[1].d, &v, 1, b->now_us);
	}
}

/* Node 0 begins a session while node 1 is under load: it is given a cookie. */
static void begin_under_load(struct bed *b)
{
	bed_init(b);
	bed_pair(b, 0, 1);
	b->nodes[1].d->loaded_until_us = UINT64_MAX;
	bed_send(b, 0, 1, 100);
	bed_run(b, 1);
}

/* What it sends then, with the cookie; node 1 has not had it. */
static struct sent *proven_initiation(struct bed *b)
{
	begin_under_load(b);
	b->nodes[0].silent = true;
	bed_run(b, 5);
	return bed_last(b, 0, MESSAGE_INITIATION, 0);
}

START_TEST(a_turn_does_a_bounded_number_of_handshakes)
{
	struct bed b;

	bed_init(&b);
	flood(&b, 100);
	ck_assert_uint_eq(b.nodes[1].d->inbox_count, 100);
	b.nodes[1].flush_wanted = false;
	wg_flush(b.nodes[1].d, b.now_us);
	ck_assert_uint_eq(b.nodes[1].d->inbox_count, 100 - HANDSHAKES_A_TURN);
	ck_assert(b.nodes[1].flush_wanted);
	bed_flush(&b);
	ck_assert_uint_eq(b.nodes[1].d->inbox_count, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_HANDSHAKE), 100);
	bed_fini(&b);
}
END_TEST

START_TEST(under_load_an_unproven_source_gets_a_cookie_and_no_place)
{
	struct bed b;

	bed_init(&b);
	flood(&b, HANDSHAKE_QUEUE_MARK + 10);
	ck_assert_uint_eq(b.nodes[1].d->inbox_count, HANDSHAKE_QUEUE_MARK);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_COOKIE), 10);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_COOKIE_REPLY), 10);
	ck_assert_uint_eq(bed_last(&b, 1, MESSAGE_COOKIE_REPLY, 0)->len, 64);
	bed_fini(&b);
}
END_TEST

START_TEST(load_lasts_a_second_after_its_cause)
{
	struct bed b;

	bed_init(&b);
	flood(&b, HANDSHAKE_QUEUE_MARK + 1);
	bed_flush(&b);
	bed_run_us(&b, SECOND_US - 1000);
	flood(&b, 1);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_COOKIE), 2);
	bed_run_us(&b, 2000);
	flood(&b, 1);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_COOKIE), 2);
	bed_fini(&b);
}
END_TEST

START_TEST(a_peer_with_a_cookie_gets_in_under_load)
{
	struct bed b;

	begin_under_load(&b);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_COOKIE_REPLY), 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 0);
	bed_run(&b, 5); /* its second has the cookie */
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 2);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_cookie_is_good_for_its_address_only)
{
	struct weir_addr other = source_of(7);
	struct sent *s;
	struct bed b;

	s = proven_initiation(&b);
	bed_receive(&b, 1, &other, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_COOKIE), 2);
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_COOKIE), 2);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_forged_cookie_reply_changes_nothing)
{
	uint8_t bytes[MESSAGE_COOKIE_REPLY_BYTES] = {MESSAGE_COOKIE_REPLY};
	struct wg_peer *p;
	struct bed b;

	bed_init(&b);
	bed_peer(&b, 0, 1);
	bed_send(&b, 0, 1, 100);
	p = bed_find(&b, 0, 1);
	message_put32(bytes + 4, p->handshake.local_index);
	bed_receive(&b, 0, &b.nodes[1].address, bytes, sizeof bytes, 0);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_HANDSHAKE), 1);
	ck_assert(!p->jar.has_cookie);
	message_put32(bytes + 4, p->handshake.local_index + 1);
	bed_receive(&b, 0, &b.nodes[1].address, bytes, sizeof bytes, 0);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_INDEX), 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_source_with_a_cookie_may_begin_5_at_once)
{
	struct sent *s;
	struct bed b;

	s = proven_initiation(&b);
	for (int i = 0; i < 10; i++)
		bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_RATE), 5);
	bed_fini(&b);
}
END_TEST

START_TEST(the_queue_is_bounded_and_counted)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	flood(&b, 1);
	b.nodes[1].d->inbox_count = HANDSHAKE_QUEUE_MAX; /* as if full */
	flood(&b, 3);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_QUEUE), 3);
	b.nodes[1].d->inbox_count = 1;
	bed_fini(&b);
}
END_TEST

START_TEST(cookies_are_bounded_at_once_and_a_second)
{
	struct bed b;

	bed_init(&b);
	b.nodes[1].d->loaded_until_us = UINT64_MAX;
	flood(&b, COOKIES_AT_ONCE + 500);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_COOKIE_REPLY),
			  COOKIES_AT_ONCE);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_COOKIE), COOKIES_AT_ONCE);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_QUEUE), 500);
	for (unsigned seconds = 1; seconds <= 3; seconds++) {
		bed_run(&b, 1);
		flood(&b, COOKIES_A_SECOND + 500);
		ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_COOKIE_REPLY),
				  COOKIES_AT_ONCE + seconds * COOKIES_A_SECOND);
	}
	bed_fini(&b);
}
END_TEST

START_TEST(who_shows_a_cookie_is_heard_when_no_more_are_given)
{
	struct bed b;

	begin_under_load(&b);
	flood(&b, COOKIES_AT_ONCE + 500);
	bed_run(&b, 5);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_tunnel_that_stands_goes_on_under_a_flood)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	for (unsigned i = 0; i < 200; i++) {
		flood(&b, 50); /* 50,000 a second */
		bed_send(&b, 0, 1, 100);
		bed_run_us(&b, 1000);
	}
	bed_run_us(&b, BED_DELAY_US);
	ck_assert_uint_eq(b.nodes[1].got_count, 201);
	bed_fini(&b);
}
END_TEST

/* How many of the whole pages of this memory there are, and are in use. */
static size_t pages_used(uint8_t *from, size_t len, size_t *all)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE), used = 0;
	uint8_t *at = from + (-(uintptr_t)from & (page - 1));
	unsigned char there;

	for (; at + page <= from + len; at += page, ++*all) {
		ck_assert_int_eq(mincore(at, page, &there), 0);
		used += there & 1;
	}
	return used;
}

static size_t train_pages_used(struct bed *b, size_t *all)
{
	size_t used = 0;

	*all = 0;
	for (struct train *t = b->nodes[0].d->trains_free; t; t = t->next)
		used += pages_used(t->buffer, sizeof t->buffer, all);
	return used;
}

/* Node 0 sends until its socket holds it up; then that has room again. Returns
 * how many packets that were. */
static unsigned burst(struct bed *b)
{
	uint8_t packet[BED_MTU];
	unsigned sent = 0;

	bed_packet(packet, 0, 1, sizeof packet);
	b->nodes[0].full = true;
	while (bed_offer(b, 0, packet, sizeof packet))
		sent++;
	ck_assert(bed_unblock(b, 0));
	bed_run(b, 1);
	return sent;
}

START_TEST(trains_of_a_burst_go_back_to_the_system)
{
	unsigned sent;
	size_t all;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	sent = burst(&b);
	ck_assert_uint_gt(sent, 30);
	ck_assert_uint_gt(train_pages_used(&b, &all), 10);
	wg_trim(b.nodes[0].d);
	ck_assert_uint_eq(train_pages_used(&b, &all), 0);
	ck_assert_uint_gt(all, 10);
	sent += burst(&b);
	ck_assert_uint_eq(b.nodes[1].got_count, 1 + sent);
	bed_fini(&b);
}
END_TEST

START_TEST(places_of_a_flood_go_back_to_the_system)
{
	uint8_t *inbox;
	size_t all = 0;
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	flood(&b, HANDSHAKE_QUEUE_MARK);
	inbox = (uint8_t *)b.nodes[1].d->inbox;
	wg_trim(b.nodes[1].d);
	ck_assert_uint_gt(pages_used(inbox, INBOX_BYTES, &all), 10);
	bed_flush(&b);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_HANDSHAKE),
			  HANDSHAKE_QUEUE_MARK);
	wg_trim(b.nodes[1].d);
	ck_assert_uint_eq(pages_used(inbox, INBOX_BYTES, &all), 0);
	bed_fini(&b);
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, a_turn_does_a_bounded_number_of_handshakes);
	tcase_add_test(
		t, under_load_an_unproven_source_gets_a_cookie_and_no_place);
	tcase_add_test(t, load_lasts_a_second_after_its_cause);
	tcase_add_test(t, a_peer_with_a_cookie_gets_in_under_load);
	tcase_add_test(t, a_cookie_is_good_for_its_address_only);
	tcase_add_test(t, a_forged_cookie_reply_changes_nothing);
	tcase_add_test(t, a_source_with_a_cookie_may_begin_5_at_once);
	tcase_add_test(t, the_queue_is_bounded_and_counted);
	tcase_add_test(t, who_shows_a_cookie_is_heard_when_no_more_are_given);
	tcase_add_test(t, cookies_are_bounded_at_once_and_a_second);
	tcase_add_test(t, a_tunnel_that_stands_goes_on_under_a_flood);
	tcase_add_test(t, trains_of_a_burst_go_back_to_the_system);
	tcase_add_test(t, places_of_a_flood_go_back_to_the_system);
}

int main(void)
{
	return bed_main("wg_load", tests);
}
