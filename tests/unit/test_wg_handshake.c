/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's handshakes: who begins, who answers, what is refused. */
#include "tests/unit/wgbed.h"

#include "cookie.h"
#include "device.h"

static const struct weir_addr stranger = {
	.kind = WEIR_ADDR_IP4, .port = 4711, .ip = {203, 0, 113, 5}};

START_TEST(a_first_packet_begins_a_session_and_goes_through_it)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	ck_assert_uint_eq(b.nodes[1].got[0].len, 100);
	ck_assert_ptr_eq(b.nodes[1].got[0].peer, bed_find(&b, 1, 0));
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_HANDSHAKE], 1);
	ck_assert_uint_eq(b.nodes[1].events[WG_EVENT_HANDSHAKE], 1);
	bed_send(&b, 1, 0, 200);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[0].got_count, 1);
	ck_assert_uint_eq(b.nodes[0].got[0].len, 200);
	bed_fini(&b);
}
END_TEST

START_TEST(handshakes_are_marked_0x88_and_have_their_sizes)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	ck_assert_uint_eq(bed_last(&b, 0, MESSAGE_INITIATION, 0)->len, 148);
	ck_assert_uint_eq(bed_last(&b, 0, MESSAGE_INITIATION, 0)->tos, 0x88);
	ck_assert_uint_eq(bed_last(&b, 1, MESSAGE_RESPONSE, 0)->len, 92);
	ck_assert_uint_eq(bed_last(&b, 1, MESSAGE_RESPONSE, 0)->tos, 0x88);
	ck_assert_uint_eq(bed_last(&b, 0, MESSAGE_DATA, 0)->tos, 0);
	bed_fini(&b);
}
END_TEST

START_TEST(the_initiator_speaks_at_once_even_without_data)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	wg_peer_connect(bed_find(&b, 0, 1), false, b.now_us);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_DATA), 1);
	ck_assert_uint_eq(bed_keepalives(&b, 0), 1);
	ck_assert_uint_eq(b.nodes[1].events[WG_EVENT_HANDSHAKE], 1);
	bed_fini(&b);
}
END_TEST

static bool connects_with(uint8_t psk0, uint8_t psk1)
{
	struct wg_peer_set s = {.flags = WG_PEER_PSK | WG_PEER_ENDPOINT};
	struct bed b;
	bool up;

	bed_init(&b);
	memset(s.psk, psk0, WG_KEY_BYTES);
	s.endpoint.addr = b.nodes[1].address;
	bed_peer_set(&b, 0, 1, s);
	memset(s.psk, psk1, WG_KEY_BYTES);
	s.endpoint.addr = b.nodes[0].address;
	bed_peer_set(&b, 1, 0, s);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 2);
	up = b.nodes[1].got_count == 1;
	bed_fini(&b);
	return up;
}

START_TEST(both_sides_need_the_same_pre_shared_key)
{
	ck_assert(connects_with(7, 7));
	ck_assert(!connects_with(7, 8));
	ck_assert(!connects_with(7, 0));
}
END_TEST

START_TEST(traffic_begins_one_handshake_in_5_seconds)
{
	struct bed b;

	bed_init(&b);
	bed_peer(&b, 0, 1);
	for (int i = 0; i < 49; i++) {
		bed_send(&b, 0, 1, 100);
		bed_run_us(&b, SECOND_US / 10);
	}
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 1);
	bed_fini(&b);
}
END_TEST

/* Whatever becomes of the session that it asks for. */
START_TEST(who_begins_one_is_not_silent)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[1].silent = true;
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 5);
	b.nodes[1].silent = false;
	wg_peer_connect(bed_find(&b, 1, 0), true, b.now_us);
	bed_flush(&b);
	b.nodes[1].silent = true;
	bed_run(&b, 14);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_RESPONSE), 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 1);
	bed_fini(&b);
}
END_TEST

START_TEST(both_may_begin_at_once)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	bed_send(&b, 0, 1, 100);
	bed_send(&b, 1, 0, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[0].got_count, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	for (int i = 0; i < 5; i++) {
		bed_send(&b, 0, 1, 100);
		bed_send(&b, 1, 0, 100);
		bed_run(&b, 1);
	}
	ck_assert_uint_eq(b.nodes[0].got_count, 6);
	ck_assert_uint_eq(b.nodes[1].got_count, 6);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 1);
	bed_fini(&b);
}
END_TEST

START_TEST(renewals_that_cross_leave_two_keys)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	for (unsigned n = 1; n <= 2; n++) {
		bed_run(&b, 6);
		wg_peer_connect(bed_find(&b, 0, 1), true, b.now_us);
		wg_peer_connect(bed_find(&b, 1, 0), true, b.now_us);
		bed_run(&b, 1);
		ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_RESPONSE), n);
		ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), n + 1);
		ck_assert_uint_eq(b.nodes[0].d->indices.count, 2);
		ck_assert_uint_eq(b.nodes[1].d->indices.count, 2);
	}
	bed_fini(&b);
}
END_TEST

START_TEST(a_replayed_initiation_gets_no_reply)
{
	struct sent *first;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	first = bed_last(&b, 0, MESSAGE_INITIATION, 0);
	bed_receive(&b, 1, &stranger, first->bytes, first->len, 0);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_REPLAYED), 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 1);
	ck_assert(bed_is_at(&b, 1, 0, &b.nodes[0].address));
	bed_fini(&b);
}
END_TEST

START_TEST(a_clock_that_is_set_back_ends_no_tunnel)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	ck_assert_int_eq(bed_find(&b, 0, 1)->stamped.tv_sec,
			 bed_info(&b, 0, 1).last_handshake.tv_sec);
	b.nodes[0].wall_s = -86400;
	for (int i = 0; i < 3; i++) {
		bed_run(&b, 200); /* the key is too old */
		bed_send(&b, 0, 1, 100);
		bed_run(&b, 1);
	}
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_REPLAYED), 0);
	ck_assert_uint_eq(b.nodes[1].got_count, 1 + 3);
	bed_fini(&b);
}
END_TEST

/* Two initiations `gap_us` apart; the stamp's steps are 16.8 ms. */
static void twice(struct bed *b, uint64_t gap_us)
{
	bed_init(b);
	bed_pair(b, 0, 1);
	for (int i = 0; i < 2; i++) {
		wg_peer_connect(bed_find(b, 0, 1), true, b->now_us);
		bed_flush(b);
		bed_run_us(b, gap_us);
	}
	bed_run(b, 1);
}

START_TEST(initiations_less_than_20_ms_apart_are_dropped)
{
	struct bed b;

	twice(&b, 19000);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_EARLY), 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 1);
	bed_fini(&b);
	twice(&b, 21000);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_EARLY), 0);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 2);
	bed_fini(&b);
}
END_TEST

START_TEST(strangers_get_no_reply)
{
	struct bed b;

	bed_init(&b);
	bed_peer(&b, 0, 1);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_HANDSHAKE), 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_wrong_first_mac_gets_no_reply_of_any_kind)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	b.nodes[0].silent = true;
	bed_send(&b, 0, 1, 100);
	s = bed_last(&b, 0, MESSAGE_INITIATION, 0);
	s->bytes[120] ^= 1;
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_MAC1), 1);
	s->bytes[120] ^= 1;
	s->bytes[60] ^= 1; /* the MAC covers all */
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_MAC1), 2);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 0);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_COOKIE_REPLY), 0);
	bed_fini(&b);
}
END_TEST

/* Sign again what was changed, as its sender could. */
static void sign_for(struct bed *b, int to, struct sent *s)
{
	struct cookie_jar jar;

	cookie_jar_init(&jar, b->nodes[to].public_key);
	cookie_sign(&jar, s->bytes, s->len, b->now_us);
}

START_TEST(a_low_order_ephemeral_is_refused)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	b.nodes[0].silent = true;
	bed_send(&b, 0, 1, 100);
	s = bed_last(&b, 0, MESSAGE_INITIATION, 0);
	memset(s->bytes + offsetof(struct message_initiation, ephemeral), 0,
	       WG_KEY_BYTES);
	sign_for(&b, 1, s);
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_HANDSHAKE), 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_RESPONSE), 0);
	bed_fini(&b);
}
END_TEST

START_TEST(a_forged_response_does_not_spoil_the_right_one)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	b.nodes[1].silent = true;
	bed_send(&b, 0, 1, 100);
	bed_run_us(&b, SECOND_US / 2);
	s = bed_last(&b, 1, MESSAGE_RESPONSE, 0);
	s->bytes[20] ^= 1;
	sign_for(&b, 0, s);
	bed_receive(&b, 0, &stranger, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_HANDSHAKE), 1);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_HANDSHAKE], 0);
	s->bytes[20] ^= 1;
	sign_for(&b, 0, s);
	bed_receive(&b, 0, &b.nodes[1].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_HANDSHAKE], 1);
	bed_receive(&b, 0, &stranger, s->bytes, s->len, 0);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_INDEX), 1);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_HANDSHAKE], 1);
	bed_fini(&b);
}
END_TEST

START_TEST(messages_of_wrong_length_or_type_are_dropped)
{
	uint8_t bytes[200] = {MESSAGE_INITIATION};
	struct bed b;

	bed_init(&b);
	bed_receive(&b, 1, &stranger, bytes, 149, 0);
	bed_receive(&b, 1, &stranger, bytes, 147, 0);
	bed_receive(&b, 1, &stranger, bytes, 1, 0);
	bytes[0] = MESSAGE_RESPONSE;
	bed_receive(&b, 1, &stranger, bytes, 93, 0);
	bytes[0] = MESSAGE_DATA;
	bed_receive(&b, 1, &stranger, bytes, 31, 0);
	bytes[0] = 5;
	bed_receive(&b, 1, &stranger, bytes, 64, 0);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_MALFORMED), 6);
	ck_assert_uint_eq(b.sent_count, 0);
	bed_fini(&b);
}
END_TEST

START_TEST(an_attempt_without_endpoint_waits_for_one)
{
	struct wg_endpoint to = {.addr.kind = WEIR_ADDR_NONE};
	struct bed b;

	bed_init(&b);
	bed_peer_set(&b, 0, 1, (struct wg_peer_set){0});
	bed_peer(&b, 1, 0);
	bed_send(&b, 0, 1, 100);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_START], 1);
	for (int i = 0; i < 10; i++)
		bed_send(&b, 0, 1, 100); /* asks for nothing more */
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_START], 1);
	ck_assert_uint_eq(b.sent_count, 0);
	to.addr = b.nodes[1].address;
	wg_peer_set_endpoint(bed_find(&b, 0, 1), &to);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert_uint_eq(b.nodes[1].got_count, 11);
	bed_fini(&b);
}
END_TEST

static void answer_event(struct node *n, struct wg_peer *p, enum wg_event event)
{
	struct wg_endpoint to = {.addr = n->bed->nodes[1].address};

	if (event == WG_EVENT_START || event == WG_EVENT_RETRY)
		wg_peer_set_endpoint(p, &to);
}

START_TEST(an_endpoint_given_in_the_event_is_used_at_once)
{
	struct bed b;

	bed_init(&b);
	bed_peer_set(&b, 0, 1, (struct wg_peer_set){0});
	bed_peer(&b, 1, 0);
	b.nodes[0].on_event = answer_event;
	bed_send(&b, 0, 1, 100);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_session_comes_up_over_a_bad_path)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	b.loss_percent = 30;
	b.reorder_us = 50000;
	for (int i = 0; i < 60; i++) {
		bed_send(&b, 0, 1, 100);
		bed_send(&b, 1, 0, 100);
		bed_run(&b, 1);
	}
	ck_assert_uint_gt(b.nodes[0].got_count, 25);
	ck_assert_uint_gt(b.nodes[1].got_count, 25);
	bed_fini(&b);
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, a_first_packet_begins_a_session_and_goes_through_it);
	tcase_add_test(t, handshakes_are_marked_0x88_and_have_their_sizes);
	tcase_add_test(t, the_initiator_speaks_at_once_even_without_data);
	tcase_add_test(t, both_sides_need_the_same_pre_shared_key);
	tcase_add_test(t, traffic_begins_one_handshake_in_5_seconds);
	tcase_add_test(t, who_begins_one_is_not_silent);
	tcase_add_test(t, both_may_begin_at_once);
	tcase_add_test(t, renewals_that_cross_leave_two_keys);
	tcase_add_test(t, a_replayed_initiation_gets_no_reply);
	tcase_add_test(t, a_clock_that_is_set_back_ends_no_tunnel);
	tcase_add_test(t, initiations_less_than_20_ms_apart_are_dropped);
	tcase_add_test(t, strangers_get_no_reply);
	tcase_add_test(t, a_wrong_first_mac_gets_no_reply_of_any_kind);
	tcase_add_test(t, a_low_order_ephemeral_is_refused);
	tcase_add_test(t, a_forged_response_does_not_spoil_the_right_one);
	tcase_add_test(t, messages_of_wrong_length_or_type_are_dropped);
	tcase_add_test(t, an_attempt_without_endpoint_waits_for_one);
	tcase_add_test(t, an_endpoint_given_in_the_event_is_used_at_once);
	tcase_add_test(t, a_session_comes_up_over_a_bad_path);
}

int main(void)
{
	return bed_main("wg_handshake", tests);
}
