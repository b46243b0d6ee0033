/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Where peers are: endpoints follow authenticated packets and nothing else. */
#include "tests/unit/wgbed.h"

#include "device.h"

static const struct weir_addr elsewhere = {
	.kind = WEIR_ADDR_IP4, .port = 4711, .ip = {203, 0, 113, 5}};

START_TEST(a_peer_that_moves_is_followed)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].address = elsewhere;
	bed_send(&b, 0, 1, 100);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert(bed_is_at(&b, 1, 0, &elsewhere));
	ck_assert_uint_eq(b.nodes[1].events[WG_EVENT_ENDPOINT], 1);
	bed_send(&b, 1, 0, 100);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert_uint_eq(b.nodes[0].got_count, 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_handshake_moves_the_endpoint_of_either_side)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	b.nodes[0].address = elsewhere;
	bed_send(&b, 0, 1, 100);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert(bed_is_at(&b, 1, 0, &elsewhere));
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_HANDSHAKE], 1);
	bed_fini(&b);

	bed_init(&b);
	bed_pair(&b, 0, 1);
	b.nodes[1].silent = true;
	bed_send(&b, 0, 1, 100);
	bed_run_us(&b, SECOND_US / 2);
	s = bed_last(&b, 1, MESSAGE_RESPONSE, 0);
	bed_receive(&b, 0, &elsewhere, s->bytes, s->len, 0);
	ck_assert(bed_is_at(&b, 0, 1, &elsewhere));
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_HANDSHAKE], 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_peer_without_endpoint_is_learnt)
{
	struct bed b;

	bed_init(&b);
	bed_peer(&b, 0, 1);
	bed_peer_set(&b, 1, 0, (struct wg_peer_set){0});
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert(bed_is_at(&b, 1, 0, &b.nodes[0].address));
	bed_fini(&b);
}
END_TEST

/* The last data message of node 0, with a byte changed, from elsewhere. */
static void forge(struct bed *b, uint32_t at)
{
	struct sent *s = bed_last(b, 0, MESSAGE_DATA, 0);

	s->bytes[at] ^= 1;
	bed_receive(b, 1, &elsewhere, s->bytes, s->len, 0);
	s->bytes[at] ^= 1;
}

START_TEST(forged_and_replayed_packets_move_nothing)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_send(&b, 0, 1, 100);
	forge(&b, 8);
	forge(&b, 40);
	bed_run(&b, 1);
	s = bed_last(&b, 0, MESSAGE_DATA, 0); /* by now received */
	bed_receive(&b, 1, &elsewhere, s->bytes, s->len, 0);
	s = bed_last(&b, 0, MESSAGE_INITIATION, 0);
	bed_receive(&b, 1, &elsewhere, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_AUTH), 2);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_WINDOW), 1);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_REPLAYED), 1);
	ck_assert(bed_is_at(&b, 1, 0, &b.nodes[0].address));
	ck_assert_uint_eq(b.nodes[1].events[WG_EVENT_ENDPOINT], 0);
	bed_fini(&b);
}
END_TEST

START_TEST(a_reordered_packet_of_the_old_place_moves_back)
{
	struct weir_addr old;
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	old = b.nodes[0].address;
	b.nodes[0].silent = true;
	bed_send(&b, 0, 1, 100);
	s = bed_last(&b, 0, MESSAGE_DATA, 0);
	bed_receive(&b, 1, &elsewhere, s->bytes, s->len, 0);
	ck_assert(bed_is_at(&b, 1, 0, &elsewhere));
	bed_send(&b, 0, 1, 100);
	s = bed_last(&b, 0, MESSAGE_DATA, 0);
	bed_receive(&b, 1, &old, s->bytes, s->len, 0);
	ck_assert(bed_is_at(&b, 1, 0, &old));
	bed_fini(&b);
}
END_TEST

/* Node 1 hears node 0 at one of its own addresses. */
static void hear_at(struct bed *b, uint8_t last)
{
	struct wg_endpoint from = {
		.addr = b->nodes[0].address,
		.local_if = 2,
		.local = {.kind = WEIR_ADDR_IP4, .ip = {192, 0, 2, last}}};
	struct sent *s;
	struct wg_datagrams v;

	bed_send(b, 0, 1, 100);
	s = bed_last(b, 0, MESSAGE_DATA, 0);
	v = (struct wg_datagrams){s->bytes, s->len, 0, 0, &from};
	wg_receive(b->nodes[1].d, &v, 1, b->now_us);
	bed_flush(b);
}

START_TEST(replies_leave_from_the_address_that_was_spoken_to)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].silent = true;
	hear_at(&b, 77);
	bed_send(&b, 1, 0, 100);
	s = bed_last(&b, 1, MESSAGE_DATA, 0);
	ck_assert_uint_eq(s->to.local.ip[3], 77);
	ck_assert_uint_eq(s->to.local_if, 2);
	/* The peer has not moved: the plugin has nothing to do. */
	ck_assert_uint_eq(b.nodes[1].events[WG_EVENT_ENDPOINT], 0);
	wg_peer_clear_source(bed_find(&b, 1, 0));
	bed_send(&b, 1, 0, 100);
	s = bed_last(&b, 1, MESSAGE_DATA, 0);
	ck_assert_uint_eq(s->to.local.kind, WEIR_ADDR_NONE);
	ck_assert_uint_eq(s->to.local_if, 0);
	bed_fini(&b);
}
END_TEST

START_TEST(a_retry_forgets_the_sticky_source)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].silent = true;
	hear_at(&b, 77);
	bed_send(&b, 1, 0, 100);
	bed_run(&b, 16); /* silence: it begins a handshake */
	s = bed_last(&b, 1, MESSAGE_INITIATION, 0);
	ck_assert_ptr_nonnull(s);
	ck_assert_uint_eq(s->to.local.kind, WEIR_ADDR_NONE);
	ck_assert_uint_eq(b.nodes[1].events[WG_EVENT_RETRY], 1);
	hear_at(&b, 78);
	bed_run(&b, 6); /* no answer: it tries again */
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 2);
	s = bed_last(&b, 1, MESSAGE_INITIATION, 0);
	ck_assert_uint_eq(s->to.local.kind, WEIR_ADDR_NONE);
	bed_fini(&b);
}
END_TEST

static void move_on_retry(struct node *n, struct wg_peer *p,
			  enum wg_event event)
{
	struct wg_endpoint to = {.addr = n->bed->nodes[1].address};

	if (event == WG_EVENT_RETRY)
		wg_peer_set_endpoint(p, &to);
}

START_TEST(a_name_that_resolves_anew_is_followed_by_the_retry)
{
	struct wg_peer_set s = {.flags = WG_PEER_ENDPOINT,
				.endpoint.addr = elsewhere};
	struct bed b;

	bed_init(&b);
	bed_peer_set(&b, 0, 1, s);
	bed_peer(&b, 1, 0);
	b.nodes[0].on_event = move_on_retry;
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 6);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_changed_network_begins_at_once)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	wg_peer_connect(bed_find(&b, 0, 1), false, b.now_us);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 1);
	wg_peer_connect(bed_find(&b, 0, 1), true, b.now_us);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 2);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_HANDSHAKE], 2);
	bed_fini(&b);
}
END_TEST

START_TEST(what_comes_from_port_0_is_dropped)
{
	struct weir_addr nowhere = elsewhere;
	struct sent *s;
	struct bed b;

	nowhere.port = 0;
	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].silent = true;
	bed_send(&b, 0, 1, 100);
	s = bed_last(&b, 0, MESSAGE_DATA, 0);
	bed_receive(&b, 1, &nowhere, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_MALFORMED), 1);
	ck_assert(bed_is_at(&b, 1, 0, &b.nodes[0].address));
	bed_receive(&b, 1, &elsewhere, s->bytes, s->len, 0);
	ck_assert(bed_is_at(&b, 1, 0, &elsewhere));
	bed_fini(&b);
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, a_peer_that_moves_is_followed);
	tcase_add_test(t, a_handshake_moves_the_endpoint_of_either_side);
	tcase_add_test(t, a_peer_without_endpoint_is_learnt);
	tcase_add_test(t, forged_and_replayed_packets_move_nothing);
	tcase_add_test(t, a_reordered_packet_of_the_old_place_moves_back);
	tcase_add_test(t, replies_leave_from_the_address_that_was_spoken_to);
	tcase_add_test(t, a_retry_forgets_the_sticky_source);
	tcase_add_test(t, a_name_that_resolves_anew_is_followed_by_the_retry);
	tcase_add_test(t, a_changed_network_begins_at_once);
	tcase_add_test(t, what_comes_from_port_0_is_dropped);
}

int main(void)
{
	return bed_main("wg_roaming", tests);
}
