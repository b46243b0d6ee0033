/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The engine's five timers, each at its second. */
#include "tests/unit/wgbed.h"

#include "device.h"

#define JITTER_US (REKEY_JITTER_US + 2 * WHEEL_TICK_US)

/* A packet a second both ways for so long. */
static void chat(struct bed *b, unsigned seconds)
{
	for (unsigned i = 0; i < seconds; i++) {
		bed_send(b, 0, 1, 100);
		bed_send(b, 1, 0, 100);
		bed_run(b, 1);
	}
}

START_TEST(the_initiator_rekeys_at_120_seconds)
{
	struct bed b;
	uint64_t first_us;

	bed_init(&b);
	bed_session(&b, 0, 1);
	first_us = bed_last(&b, 0, MESSAGE_INITIATION, 0)->at_us;
	chat(&b, 119);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 1);
	chat(&b, 3);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 2);
	ck_assert_uint_ge(bed_last(&b, 0, MESSAGE_INITIATION, 0)->at_us,
			  first_us + REKEY_AFTER_TIME_US);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 0);
	bed_fini(&b);
}
END_TEST

START_TEST(the_responder_does_not_rekey_by_time)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].silent = true; /* nothing comes that could be answered */
	for (int i = 0; i < 9; i++) {
		bed_run(&b, 14); /* each is answered in the responder's eyes */
		bed_send(&b, 1, 0, 100);
		timers_authenticated_received(bed_find(&b, 1, 0), b.now_us);
	}
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 0);
	bed_fini(&b);
}
END_TEST

START_TEST(a_key_of_180_seconds_seals_no_more)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].silent = true;
	bed_run(&b, 178);
	bed_send(&b, 1, 0, 100);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_DATA), 1 + 1);
	bed_run(&b, 2);
	bed_send(&b, 1, 0, 100);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_DATA), 1 + 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 1);
	bed_fini(&b);
}
END_TEST

START_TEST(a_key_of_180_seconds_opens_no_more)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].silent = true;
	bed_send(&b, 0, 1, 100);
	bed_send(&b, 0, 1, 100);
	bed_run_us(&b, 179 * SECOND_US);
	s = bed_last(&b, 0, MESSAGE_DATA, 0);
	/* Renewed by then, so that only the previous key is asked for. */
	s = s->len == WG_OVERHEAD ? bed_last(&b, 0, MESSAGE_DATA, 1) : s;
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	bed_run_us(&b, 2 * SECOND_US);
	s = bed_last(&b, 0, MESSAGE_DATA, bed_count(&b, 0, MESSAGE_DATA) - 2);
	bed_receive(&b, 1, &b.nodes[0].address, s->bytes, s->len, 0);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	ck_assert_uint_eq(bed_drops(&b, 1, WG_DROP_KEY_OLD), 1);
	bed_fini(&b);
}
END_TEST

START_TEST(received_data_is_answered_by_a_keepalive_after_10_seconds)
{
	struct sent *s;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_run(&b, 9);
	ck_assert_uint_eq(bed_keepalives(&b, 1), 0);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_keepalives(&b, 1), 1);
	s = bed_last(&b, 1, MESSAGE_DATA, 0);
	ck_assert_uint_eq(s->len, 32);
	ck_assert_uint_eq(s->tos, 0);
	/* A keepalive is no data: nobody answers it. */
	bed_run(&b, 60);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_DATA), 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_DATA), 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 1);
	bed_fini(&b);
}
END_TEST

START_TEST(an_answer_takes_the_keepalives_place)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_run(&b, 5);
	bed_send(&b, 1, 0, 100);
	bed_run(&b, 9);
	ck_assert_uint_eq(bed_keepalives(&b, 1), 0);
	bed_fini(&b);
}
END_TEST

START_TEST(data_meanwhile_asks_for_another_keepalive)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_run(&b, 5);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 6);
	ck_assert_uint_eq(bed_keepalives(&b, 1), 1);
	bed_run(&b, 10);
	ck_assert_uint_eq(bed_keepalives(&b, 1), 2);
	bed_run(&b, 30);
	ck_assert_uint_eq(bed_keepalives(&b, 1), 2);
	bed_fini(&b);
}
END_TEST

START_TEST(an_initiation_is_repeated_every_5_seconds_and_a_bit)
{
	struct bed b;

	bed_init(&b);
	bed_peer(&b, 0, 1);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 60);
	ck_assert_uint_ge(bed_count(&b, 0, MESSAGE_INITIATION), 11);
	for (unsigned i = 0; i < 10; i++) {
		uint64_t gap_us =
			bed_last(&b, 0, MESSAGE_INITIATION, i)->at_us -
			bed_last(&b, 0, MESSAGE_INITIATION, i + 1)->at_us;

		ck_assert_uint_ge(gap_us, REKEY_TIMEOUT_US);
		ck_assert_uint_le(gap_us, REKEY_TIMEOUT_US + JITTER_US);
	}
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_START], 1);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_RETRY],
			  bed_count(&b, 0, MESSAGE_INITIATION) - 1);
	bed_fini(&b);
}
END_TEST

START_TEST(it_gives_up_after_90_seconds_and_traffic_begins_again)
{
	struct bed b;

	bed_init(&b);
	bed_peer(&b, 0, 1);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 89);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_GAVE_UP], 0);
	bed_run(&b, 8);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_GAVE_UP], 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 18);
	ck_assert_uint_eq(bed_drops(&b, 0, WG_DROP_GAVE_UP), 1);
	bed_run(&b, 300);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 18);
	bed_peer(&b, 1, 0);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 19);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_START], 2);
	ck_assert_uint_eq(b.nodes[1].got_count, 1);
	bed_fini(&b);
}
END_TEST

START_TEST(fifteen_seconds_of_silence_begin_a_new_handshake)
{
	uint64_t sent_us, begun_us;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_run(&b, 20);
	b.nodes[1].silent = true;
	sent_us = b.now_us;
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 14);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 1);
	bed_run(&b, 2);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 2);
	begun_us = bed_last(&b, 0, MESSAGE_INITIATION, 0)->at_us;
	ck_assert_uint_ge(begun_us, sent_us + SILENCE_US);
	ck_assert_uint_le(begun_us, sent_us + SILENCE_US + JITTER_US);
	ck_assert_uint_eq(b.nodes[0].events[WG_EVENT_RETRY], 1);
	bed_fini(&b);
}
END_TEST

/* Both begin; only 0's handshake gets through. */
START_TEST(what_a_responder_sends_first_is_answered_or_tried_again)
{
	struct bed b;

	bed_init(&b);
	bed_pair(&b, 0, 1);
	b.nodes[1].silent = true;
	bed_send(&b, 1, 0, 100);
	b.nodes[1].silent = false;
	bed_send(&b, 0, 1, 100);
	bed_run_us(&b, 2 * BED_DELAY_US + BED_DELAY_US / 2);
	b.nodes[1].silent = true; /* its data gets lost */
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_DATA), 1);
	b.nodes[1].silent = false;
	bed_run(&b, 13);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 1);
	bed_run(&b, 2);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 2);
	bed_fini(&b);
}
END_TEST

START_TEST(data_received_with_a_key_of_165_seconds_rekeys_once)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	b.nodes[0].silent = true; /* its attempts come to nothing */
	bed_run(&b, 163);
	bed_send(&b, 1, 0, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 1);
	bed_run(&b, 1);
	bed_send(&b, 1, 0, 100);
	bed_run_us(&b, SECOND_US / 2);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 2);
	exchange_clear(bed_find(&b, 0, 1));
	timers_stop(bed_find(&b, 0, 1));
	bed_run(&b, 6);
	bed_send(&b, 1, 0, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 2);
	/* Once a session. */
	b.nodes[0].silent = false;
	wg_peer_connect(bed_find(&b, 0, 1), true, b.now_us);
	bed_run(&b, 166);
	bed_send(&b, 1, 0, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 4);
	bed_fini(&b);
}
END_TEST

START_TEST(the_responder_does_not_rekey_by_what_it_receives)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_run(&b, 170);
	/* Which would make the initiator rekey, and the rekey hide this. */
	bed_find(&b, 0, 1)->current->initiator = false;
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 0);
	bed_fini(&b);
}
END_TEST

START_TEST(all_keys_are_gone_540_seconds_after_the_last_session)
{
	struct wg_peer *p;
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	p = bed_find(&b, 0, 1);
	bed_run(&b, 538);
	ck_assert_ptr_nonnull(p->current);
	bed_run(&b, 2);
	ck_assert_ptr_null(p->current);
	ck_assert_ptr_null(p->previous);
	ck_assert_ptr_null(bed_find(&b, 1, 0)->current);
	ck_assert_uint_eq(b.nodes[0].d->indices.count, 0);
	ck_assert_uint_eq(b.nodes[1].d->indices.count, 0);
	bed_fini(&b);
}
END_TEST

/* The clock stands still meanwhile. */
START_TEST(keys_age_while_the_machine_sleeps)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_run(&b, 8); /* between two handshakes */
	wg_slept(b.nodes[0].d, 170 * SECOND_US);
	bed_send(&b, 0, 1, 100); /* with a key of 178 s, which is renewed */
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_DATA), 2);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 2);
	bed_run(&b, 8);
	wg_slept(b.nodes[0].d, 172 * SECOND_US);
	bed_send(&b, 0, 1, 100);
	ck_assert_uint_eq(b.nodes[1].got_count, 2);
	ck_assert_uint_eq(bed_count(&b, 0, MESSAGE_INITIATION), 3);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[1].got_count, 3);
	wg_slept(b.nodes[0].d, ZERO_KEYS_US);
	ck_assert_ptr_null(bed_find(&b, 0, 1)->current);
	bed_fini(&b);
}
END_TEST

START_TEST(giving_up_leaves_the_keys_540_seconds)
{
	struct bed b;

	bed_init(&b);
	bed_peer(&b, 0, 1);
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 100);
	ck_assert(timer_armed(&bed_find(&b, 0, 1)->timers[TIMER_ZERO_KEYS]));
	ck_assert_uint_eq(b.nodes[0].d->indices.count, 0);
	bed_run(&b, 545);
	ck_assert(!timer_armed(&bed_find(&b, 0, 1)->timers[TIMER_ZERO_KEYS]));
	bed_fini(&b);
}
END_TEST

START_TEST(a_persistent_keepalive_keeps_its_interval)
{
	struct wg_peer_set s = {.flags = WG_PEER_ENDPOINT | WG_PEER_KEEPALIVE,
				.keepalive_s = 25};
	struct bed b;

	bed_init(&b);
	bed_peer(&b, 1, 0);
	s.endpoint.addr = b.nodes[1].address;
	bed_peer_set(&b, 0, 1, s);
	bed_run(&b, 1); /* begins by itself */
	ck_assert_uint_eq(b.nodes[1].events[WG_EVENT_HANDSHAKE], 1);
	ck_assert_uint_eq(bed_keepalives(&b, 0), 1);
	bed_run(&b, 24);
	ck_assert_uint_eq(bed_keepalives(&b, 0), 1);
	bed_run(&b, 1);
	ck_assert_uint_eq(bed_keepalives(&b, 0), 2);
	bed_run(&b, 20);
	/* Anything authenticated counts, so does the answer 10 s later. */
	bed_send(&b, 0, 1, 100);
	bed_run(&b, 34);
	ck_assert_uint_eq(bed_keepalives(&b, 0), 2);
	bed_run(&b, 2);
	ck_assert_uint_eq(bed_keepalives(&b, 0), 3);
	bed_fini(&b);
}
END_TEST

START_TEST(a_persistent_keepalive_that_is_set_again_begins_at_once)
{
	static const uint16_t intervals_s[] = {3600, 0, 5};
	struct wg_peer_set s = {.flags = WG_PEER_KEEPALIVE};
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_run(&b, 20);
	for (int i = 0; i < 3; i++) {
		s.keepalive_s = intervals_s[i];
		bed_peer_set(&b, 0, 1, s);
		bed_flush(&b);
	}
	ck_assert_uint_eq(bed_keepalives(&b, 0), 2);
	bed_run(&b, 6);
	ck_assert_uint_eq(bed_keepalives(&b, 0), 3);
	bed_fini(&b);
}
END_TEST

START_TEST(a_persistent_keepalive_keeps_the_session_for_ever)
{
	struct wg_peer_set s = {.flags = WG_PEER_ENDPOINT | WG_PEER_KEEPALIVE,
				.keepalive_s = 25};
	struct bed b;

	bed_init(&b);
	bed_peer(&b, 1, 0);
	s.endpoint.addr = b.nodes[1].address;
	bed_peer_set(&b, 0, 1, s);
	bed_run(&b, 3600);
	bed_send(&b, 1, 0, 100);
	ck_assert_uint_eq(bed_count(&b, 1, MESSAGE_INITIATION), 0);
	bed_run(&b, 1);
	ck_assert_uint_eq(b.nodes[0].got_count, 1);
	bed_fini(&b);
}
END_TEST

/* A peer with a keepalive whose endpoint is not known for so long. */
static void resolved_late(struct bed *b, uint16_t keepalive_s)
{
	struct wg_peer_set s = {.flags = WG_PEER_KEEPALIVE,
				.keepalive_s = keepalive_s};
	struct wg_endpoint to = {.addr = {.kind = WEIR_ADDR_NONE}};

	bed_init(b);
	bed_peer(b, 1, 0);
	bed_peer_set(b, 0, 1, s);
	bed_run(b, 200);
	to.addr = b->nodes[1].address;
	wg_peer_set_endpoint(bed_find(b, 0, 1), &to);
	bed_run(b, 60);
	ck_assert_uint_eq(b->nodes[0].events[WG_EVENT_HANDSHAKE], 1);
	bed_fini(b);
}

START_TEST(a_persistent_keepalive_never_stops_trying)
{
	struct bed b;

	resolved_late(&b, 25);
	resolved_late(&b, 3);
}
END_TEST

START_TEST(an_idle_device_asks_for_no_more_wakes)
{
	struct bed b;

	bed_init(&b);
	bed_session(&b, 0, 1);
	bed_run(&b, 600);
	ck_assert_uint_eq(b.nodes[0].wake_us, UINT64_MAX);
	ck_assert_uint_eq(b.nodes[1].wake_us, UINT64_MAX);
	bed_fini(&b);
}
END_TEST

static void tests(TCase *t)
{
	tcase_add_test(t, the_initiator_rekeys_at_120_seconds);
	tcase_add_test(t, the_responder_does_not_rekey_by_time);
	tcase_add_test(t, a_key_of_180_seconds_seals_no_more);
	tcase_add_test(t, a_key_of_180_seconds_opens_no_more);
	tcase_add_test(
		t, received_data_is_answered_by_a_keepalive_after_10_seconds);
	tcase_add_test(t, an_answer_takes_the_keepalives_place);
	tcase_add_test(t, data_meanwhile_asks_for_another_keepalive);
	tcase_add_test(t, an_initiation_is_repeated_every_5_seconds_and_a_bit);
	tcase_add_test(t,
		       it_gives_up_after_90_seconds_and_traffic_begins_again);
	tcase_add_test(t, fifteen_seconds_of_silence_begin_a_new_handshake);
	tcase_add_test(t,
		       what_a_responder_sends_first_is_answered_or_tried_again);
	tcase_add_test(t, data_received_with_a_key_of_165_seconds_rekeys_once);
	tcase_add_test(t, the_responder_does_not_rekey_by_what_it_receives);
	tcase_add_test(t, all_keys_are_gone_540_seconds_after_the_last_session);
	tcase_add_test(t, keys_age_while_the_machine_sleeps);
	tcase_add_test(t, giving_up_leaves_the_keys_540_seconds);
	tcase_add_test(t, a_persistent_keepalive_keeps_its_interval);
	tcase_add_test(t,
		       a_persistent_keepalive_that_is_set_again_begins_at_once);
	tcase_add_test(t, a_persistent_keepalive_keeps_the_session_for_ever);
	tcase_add_test(t, a_persistent_keepalive_never_stops_trying);
	tcase_add_test(t, an_idle_device_asks_for_no_more_wakes);
}

int main(void)
{
	return bed_main("wg_timers", tests);
}
