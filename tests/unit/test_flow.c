/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Flows of datagrams: a client, any number of peers, a leg an outbound. */
#include "core/flow.h"
#include "core/backlog.h"
#include "core/leg.h"
#include "fake.h"

static struct fake *world;
static struct fake_part *in, *out, *other;
static struct fake_flow client;

/* UDP to port 53 goes to `other`. */
static struct weir_range dns_port = {53, 53};
static struct config_rule rules[1];

static void setup(void)
{
	world = fake_pair();
	fake_add(world, WEIR_OUTBOUND, "other");
	rules[0].port = (struct weir_list){&dns_port, 1};
	rules[0].outbound = "other";
	world->config.rules = (struct weir_list){rules, 1};
	in = fake_part(world, "in");
	out = fake_part(world, "out");
	other = fake_part(world, "other");
	fake_start(world);
	fake_flow_init(&client);
}

static void setup_ready(void)
{
	setup();
	out->answer = other->answer = FAKE_READY;
	ck_assert_ptr_nonnull(fake_accept_flow(in, &client, "192.0.2.1:9"));
}

static void send_to(const char *peer, const char *text)
{
	struct weir_addr a = fake_addr(peer);

	fake_flow_deliver(&client, &a, text);
}

static void reply_from(struct fake_flow *leg, const char *peer,
		       const char *text)
{
	struct weir_addr a = fake_addr(peer);

	fake_flow_deliver(leg, &a, text);
}

static struct fake_flow *leg(struct fake_part *p)
{
	return &fake_opened(p, 0)->flow;
}

static void finish_test(void)
{
	int status = fake_stop(world);

	ck_assert_int_eq(status, 0);
	ck_assert_int_eq(client.closes, 1);
}

START_TEST(flow_routes_each_destination_on_its_own)
{
	setup_ready();
	send_to("192.0.2.1:9", "a");
	send_to("192.0.2.1:53", "b");
	send_to("192.0.2.2:9", "c");
	ck_assert_int_eq(out->open_count, 1);
	ck_assert_int_eq(other->open_count, 1);
	ck_assert_int_eq(leg(out)->heard_count, 2);
	ck_assert_int_eq(leg(other)->heard_count, 1);
	ck_assert_str_eq(leg(out)->heard[1].text, "c");
	ck_assert_str_eq(leg(other)->heard[0].text, "b");
	finish_test();
}
END_TEST

START_TEST(flow_splits_one_batch_by_destination)
{
	struct weir_addr a = fake_addr("192.0.2.1:9");
	struct weir_addr b = fake_addr("192.0.2.1:53");
	struct weir_addr c = fake_addr("192.0.2.3:9");
	struct weir_datagram v[] = {
		{.peer = &a, .data = "1", .len = 1},
		{.peer = &c, .data = "2", .len = 1},
		{.peer = &b, .data = "3", .len = 1},
		{.peer = &b, .data = "456", .len = 3, .segment = 1},
		{.peer = &a, .data = "7", .len = 1},
	};

	setup_ready();
	client.calling = true;
	in->host->deliver(client.handle, v, 5);
	client.calling = false;
	ck_assert_int_eq(leg(out)->heard_count, 3);
	ck_assert_str_eq(leg(out)->heard[2].text, "7");
	ck_assert_int_eq(leg(other)->heard_count, 2);
	ck_assert_uint_eq(leg(other)->heard[1].segment, 1);
	finish_test();
}
END_TEST

START_TEST(flow_bytes_are_counted_to_each_outbound_as_they_pass)
{
	setup_ready();
	send_to("192.0.2.1:9", "four");
	send_to("192.0.2.1:53", "is");
	reply_from(leg(other), "192.0.2.1:53", "it");
	reply_from(leg(other), "192.0.2.1:53", "is it");
	ck_assert_uint_eq(in->instance->up_bytes, 6);
	ck_assert_uint_eq(in->instance->down_bytes, 7);
	ck_assert_uint_eq(out->instance->up_bytes, 4);
	ck_assert_uint_eq(out->instance->down_bytes, 0);
	ck_assert_uint_eq(other->instance->up_bytes, 2);
	ck_assert_uint_eq(other->instance->down_bytes, 7);
	finish_test();
}
END_TEST

START_TEST(flow_remembers_decisions_and_survives_their_overflow)
{
	char peer[32];

	setup_ready();
	for (int round = 0; round < 3; round++)
		for (int i = 1; i <= 20; i++) {
			snprintf(peer, sizeof peer, "192.0.2.%d:%d", i,
				 i % 2 ? 9 : 53);
			send_to(peer, i % 2 ? "odd" : "even");
		}
	ck_assert_int_eq(out->open_count, 1);
	ck_assert_int_eq(other->open_count, 1);
	ck_assert_int_eq(leg(out)->heard_count, 30);
	ck_assert_int_eq(leg(other)->heard_count, 30);
	for (int i = 0; i < 30; i++) {
		ck_assert_str_eq(leg(out)->heard[i].text, "odd");
		ck_assert_str_eq(leg(other)->heard[i].text, "even");
	}
	ck_assert_uint_eq(out->instance->sessions, 1);
	finish_test();
}
END_TEST

START_TEST(flow_keeps_a_bounded_backlog_while_its_outbound_opens)
{
	char text[16];

	setup();
	fake_accept_flow(in, &client, "192.0.2.1:9");
	for (int i = 0; i < BACKLOG_DATAGRAMS + 5; i++) {
		snprintf(text, sizeof text, "%d", i);
		send_to("192.0.2.1:9", text);
	}
	fake_open_ready(fake_opened(out, 0));
	ck_assert_int_eq(leg(out)->heard_count, 0);
	send_to("192.0.2.1:9", "last"); /* waits behind the others: full */
	fake_turn(world);
	ck_assert_int_eq(leg(out)->heard_count, BACKLOG_DATAGRAMS);
	for (int i = 0; i < BACKLOG_DATAGRAMS; i++) {
		snprintf(text, sizeof text, "%d", i);
		ck_assert_str_eq(leg(out)->heard[i].text, text);
	}
	finish_test();
}
END_TEST

START_TEST(flow_delivers_what_any_peer_sends)
{
	struct weir_addr stranger = fake_addr("203.0.113.9:777");

	setup_ready();
	send_to("192.0.2.1:9", "hello");
	reply_from(leg(out), "192.0.2.1:9", "known");
	reply_from(leg(out), "203.0.113.9:777", "stranger");
	ck_assert_int_eq(client.heard_count, 2);
	ck_assert_str_eq(client.heard[1].text, "stranger");
	ck_assert(weir_addr_equal(&client.heard[1].peer, &stranger));
	finish_test();
}
END_TEST

START_TEST(flow_puts_an_answer_inside_send_aside)
{
	setup_ready();
	send_to("192.0.2.1:9", "open");
	leg(out)->reply = "pong";
	send_to("192.0.2.1:9", "ping");
	ck_assert_int_eq(client.heard_count, 0);
	fake_turn(world);
	ck_assert_int_eq(client.heard_count, 1);
	ck_assert_str_eq(client.heard[0].text, "pong");
	finish_test();
}
END_TEST

START_TEST(flow_puts_a_clients_answer_inside_send_aside)
{
	setup_ready();
	send_to("192.0.2.1:9", "open");
	client.reply = "ack";
	reply_from(leg(out), "192.0.2.1:9", "data");
	ck_assert_int_eq(leg(out)->heard_count, 1);
	client.reply = NULL;
	fake_turn(world);
	ck_assert_int_eq(leg(out)->heard_count, 2);
	ck_assert_str_eq(leg(out)->heard[1].text, "ack");
	finish_test();
}
END_TEST

START_TEST(flow_tells_the_client_what_could_not_be_delivered)
{
	setup();
	fake_accept_flow(in, &client, "192.0.2.1:9");
	send_to("192.0.2.1:9", "a");
	fake_open_fail(fake_opened(out, 0), ENETUNREACH, "no route");
	ck_assert_int_eq(client.error_count, 0);
	fake_turn(world);
	ck_assert_int_eq(client.error_count, 1);
	ck_assert_int_eq(client.errors[0], ENETUNREACH);
	send_to("192.0.2.7:9", "b"); /* the leg is down: told, not opened */
	fake_turn(world);
	ck_assert_int_eq(client.error_count, 2);
	ck_assert_int_eq(out->open_count, 1);
	finish_test();
}
END_TEST

START_TEST(flow_counts_the_errors_that_a_turn_has_no_room_for)
{
	struct weir_addr peer = fake_addr("192.0.2.1:9");

	setup_ready();
	send_to("192.0.2.1:9", "a");
	for (int i = 0; i < ERRORS_MAX + 2; i++)
		out->host->unreachable(leg(out)->handle, &peer, ECONNREFUSED);
	fake_turn(world);
	ck_assert_int_eq(client.error_count, ERRORS_MAX);
	ck_assert_uint_eq(*instance_counter(in->instance, "flow_errors_full"),
			  2);
	finish_test();
}
END_TEST

START_TEST(flow_passes_an_outbounds_unreachable_on)
{
	struct weir_addr peer = fake_addr("192.0.2.1:9");

	setup_ready();
	send_to("192.0.2.1:9", "a");
	out->host->unreachable(leg(out)->handle, &peer, ECONNREFUSED);
	fake_turn(world);
	ck_assert_int_eq(client.error_count, 1);
	ck_assert_int_eq(client.errors[0], ECONNREFUSED);
	ck_assert(weir_addr_equal(&client.unreachable[0], &peer));
	finish_test();
}
END_TEST

START_TEST(flow_tells_nothing_of_a_silent_refusal)
{
	setup();
	out->answer = FAKE_REFUSE;
	out->refuse_errno = WEIR_ESILENT;
	fake_accept_flow(in, &client, "192.0.2.1:9");
	send_to("192.0.2.1:9", "a");
	fake_turn(world);
	ck_assert_int_eq(client.error_count, 0);
	finish_test();
}
END_TEST

START_TEST(flow_opens_a_failed_leg_again_after_a_second)
{
	setup_ready();
	send_to("192.0.2.1:9", "a");
	leg(out)->calling = true;
	out->host->fail(leg(out)->handle, ENETDOWN, "down");
	leg(out)->calling = false;
	ck_assert_int_eq(leg(out)->closes, 0);
	fake_turn(world);
	ck_assert_int_eq(leg(out)->closes, 1);
	send_to("192.0.2.1:9", "b");
	ck_assert_int_eq(out->open_count, 1);
	fake_wait(world, 1020);
	send_to("192.0.2.1:9", "c");
	ck_assert_int_eq(out->open_count, 2);
	ck_assert_str_eq(fake_opened(out, 1)->flow.heard[0].text, "c");
	finish_test();
}
END_TEST

START_TEST(flow_counts_what_a_full_end_did_not_take)
{
	struct weir_instance *i;

	setup_ready();
	i = in->instance;
	send_to("192.0.2.1:9", "a");
	leg(out)->full = true;
	send_to("192.0.2.1:9", "b");
	client.full = true;
	reply_from(leg(out), "192.0.2.1:9", "c");
	in->host->fail(client.handle, ECONNRESET, "gone");
	fake_turn(world);
	ck_assert_uint_eq(*instance_counter(i, "flow_dropped_full"), 2);
	finish_test();
}
END_TEST

START_TEST(flow_ends_when_idle_and_resets_nothing)
{
	setup();
	world->levels[0].policy.idle_ms = 1000;
	out->answer = FAKE_READY;
	fake_accept_flow(in, &client, "192.0.2.1:9");
	send_to("192.0.2.1:9", "a");
	fake_wait(world, 600);
	reply_from(leg(out), "192.0.2.1:9", "b");
	fake_wait(world, 600);
	ck_assert_int_eq(client.closes, 0);
	while (!client.closes)
		fake_wait(world, 1);
	ck_assert_int_eq(client.close_err, 0);
	ck_assert_int_eq(leg(out)->closes, 1);
	ck_assert_uint_eq(fake_core(world)->session_count, 0);
	finish_test();
}
END_TEST

/* Real time: a machine under load may be late by half of it. */
#define EXCHANGE_MS 1000u

/* The flow that an inbound made with a shorter time for exchanges. */
static void ask(void)
{
	client.exchange_ms = EXCHANGE_MS;
	out->answer = FAKE_READY;
	fake_accept_flow(in, &client, "192.0.2.1:9");
	send_to("192.0.2.1:9", "a");
}

START_TEST(flow_that_was_one_exchange_ends_sooner)
{
	setup();
	ask();
	fake_wait(world, EXCHANGE_MS + EXCHANGE_MS / 10);
	ck_assert_int_eq(client.closes, 0); /* the answer may take its time */
	reply_from(leg(out), "192.0.2.1:9", "b");
	fake_wait(world, EXCHANGE_MS / 2);
	ck_assert_int_eq(client.closes, 0);
	while (!client.closes)
		fake_wait(world, 1);
	ck_assert_int_eq(client.close_err, 0);
	finish_test();
}
END_TEST

START_TEST(flow_that_is_a_conversation_has_the_policys_idle_time)
{
	setup();
	ask();
	for (int i = 0; i < 6; i++) {
		reply_from(leg(out), "192.0.2.1:9", "b");
		fake_wait(world, EXCHANGE_MS / 2);
		ck_assert_int_eq(client.closes, 0);
	}
	fake_wait(world, 2 * EXCHANGE_MS);
	ck_assert_int_eq(client.closes, 0);
	finish_test();
}
END_TEST

START_TEST(flow_ends_with_the_client_and_abandons_what_opens)
{
	setup();
	other->answer = FAKE_READY;
	fake_accept_flow(in, &client, "192.0.2.1:9");
	send_to("192.0.2.1:9", "a");
	send_to("192.0.2.1:53", "b");
	client.calling = true;
	in->host->fail(client.handle, ECONNRESET, "gone");
	client.calling = false;
	fake_turn(world);
	ck_assert_int_eq(fake_opened(out, 0)->abandons, 1);
	ck_assert_int_eq(leg(other)->closes, 1);
	finish_test();
}
END_TEST

static void deliver_in_close(void *f, int err)
{
	struct fake_flow *fl = f;

	send_to("192.0.2.1:9", "from close");
	ck_assert_int_eq(out->open_count, 1);
	fl->closes++;
	fl->close_err = err;
}

START_TEST(flow_that_is_closed_passes_nothing_more)
{
	setup_ready();
	send_to("192.0.2.1:9", "a");
	client.ops.close = deliver_in_close;
	fake_wait(world, 1);
	finish_test();
}
END_TEST

START_TEST(flow_is_refused_past_the_bound_and_while_weir_drains)
{
	struct fake_flow *second = calloc(1, sizeof *second);

	setup();
	fake_flow_init(second);
	world->config.max_sessions = 1;
	fake_accept_flow(in, &client, "192.0.2.1:9");
	ck_assert_ptr_null(fake_accept_flow(in, second, "192.0.2.1:9"));
	ck_assert_uint_eq(fake_core(world)->refused_full, 1);
	world->config.max_sessions = 10;
	daemon_quit(world->daemon, 0);
	ck_assert_ptr_null(fake_accept_flow(in, second, "192.0.2.1:9"));
	free(second);
	finish_test();
}
END_TEST

/* A bound of four sessions is one of two flows. */
START_TEST(flow_that_was_idle_longest_makes_way)
{
	struct fake_flow more[2];

	setup();
	out->answer = FAKE_READY;
	world->config.max_sessions = 4;
	fake_flow_init(&more[0]);
	fake_flow_init(&more[1]);
	fake_accept_flow(in, &client, "192.0.2.1:9");
	fake_accept_flow(in, &more[0], "192.0.2.1:9");
	send_to("192.0.2.1:9", "I am in use");
	ck_assert_ptr_nonnull(fake_accept_flow(in, &more[1], "192.0.2.1:9"));
	fake_turn(world);
	ck_assert_int_eq(client.closes, 0);
	ck_assert_int_eq(more[0].closes, 1);
	ck_assert_int_eq(more[0].close_err, ENOBUFS);
	ck_assert_uint_eq(fake_core(world)->flow_count, 2);
	ck_assert_uint_eq(fake_core(world)->session_count, 2);
	ck_assert_uint_eq(fake_core(world)->flows_evicted, 1);
	finish_test();
}
END_TEST

START_TEST(flow_makes_way_for_a_stream_where_descriptors_are_short)
{
	struct fake_end streams[2];

	setup();
	out->answer = FAKE_READY;
	fake_core(world)->fd_limit = 4; /* one is reserved */
	fake_end_init(&streams[0], FAKE_PEEK | FAKE_WRITE);
	fake_end_init(&streams[1], FAKE_PEEK | FAKE_WRITE);
	fake_accept_flow(in, &client, "192.0.2.1:9");
	ck_assert_ptr_nonnull(fake_accept(in, &streams[0], "192.0.2.1:9"));
	ck_assert_ptr_nonnull(fake_accept(in, &streams[1], "192.0.2.1:9"));
	fake_turn(world);
	ck_assert_int_eq(client.closes, 1);
	fake_flow_init(&client);
	ck_assert_ptr_nonnull(fake_accept_flow(in, &client, "192.0.2.1:9"));
	finish_test();
}
END_TEST

FAKE_MAIN("flow", flow_routes_each_destination_on_its_own,
	  flow_splits_one_batch_by_destination,
	  flow_bytes_are_counted_to_each_outbound_as_they_pass,
	  flow_remembers_decisions_and_survives_their_overflow,
	  flow_keeps_a_bounded_backlog_while_its_outbound_opens,
	  flow_delivers_what_any_peer_sends,
	  flow_puts_an_answer_inside_send_aside,
	  flow_puts_a_clients_answer_inside_send_aside,
	  flow_tells_the_client_what_could_not_be_delivered,
	  flow_counts_the_errors_that_a_turn_has_no_room_for,
	  flow_passes_an_outbounds_unreachable_on,
	  flow_tells_nothing_of_a_silent_refusal,
	  flow_opens_a_failed_leg_again_after_a_second,
	  flow_counts_what_a_full_end_did_not_take,
	  flow_ends_when_idle_and_resets_nothing,
	  flow_that_was_one_exchange_ends_sooner,
	  flow_that_is_a_conversation_has_the_policys_idle_time,
	  flow_ends_with_the_client_and_abandons_what_opens,
	  flow_that_is_closed_passes_nothing_more,
	  flow_is_refused_past_the_bound_and_while_weir_drains,
	  flow_that_was_idle_longest_makes_way,
	  flow_makes_way_for_a_stream_where_descriptors_are_short)
