/* SPDX-License-Identifier: GPL-2.0-or-later */
/* One stream session, from accept to close. */
#include "core/session.h"
#include "fake.h"

#define SHAPE (FAKE_PEEK | FAKE_WRITE)

static struct fake *world;
static struct fake_part *in, *out;
static struct fake_end client;
static struct weir_policy *limits;

static void setup(void)
{
	world = fake_pair();
	in = fake_part(world, "in");
	out = fake_part(world, "out");
	limits = &world->levels[0].policy;
	fake_start(world);
	fake_end_init(&client, SHAPE);
}

static struct fake_end *far_end(void)
{
	return &fake_opened(out, 0)->stream;
}

static void dial_out(void)
{
	setup();
	ck_assert_ptr_nonnull(fake_accept(in, &client, "192.0.2.1:80"));
}

static void connect_through(void)
{
	dial_out();
	fake_open_ready(fake_opened(out, 0));
	fake_turn(world);
	ck_assert_int_eq(client.accepts, 1);
}

/* Real time: a machine under load may be late by half of it. */
#define LIMIT_MS 1000

static void await_close(void)
{
	while (!client.closes)
		fake_wait(world, 1);
}

static void finish_test(void)
{
	ck_assert_int_eq(client.closes, 1);
	ck_assert_uint_eq(fake_core(world)->session_count, 0);
	fake_stop(world);
}

static void client_resets(void)
{
	fake_end_fail(&client, ECONNRESET, "reset");
	fake_turn(world);
}

START_TEST(session_accepts_the_handshake_only_when_the_outbound_is_ready)
{
	dial_out();
	fake_wait(world, 10);
	ck_assert_int_eq(client.accepts, 0);
	fake_open_ready(fake_opened(out, 0));
	ck_assert_int_eq(client.accepts, 0);
	fake_turn(world);
	ck_assert_int_eq(client.accepts, 1);
	client_resets();
	finish_test();
}
END_TEST

START_TEST(session_hands_the_target_to_the_outbound)
{
	struct weir_addr target = fake_addr("[2001:db8::1]:443");
	const struct weir_session_info *info;

	setup();
	fake_accept(in, &client, "[2001:db8::1]:443");
	ck_assert(weir_addr_equal(&fake_opened(out, 0)->target, &target));
	ck_assert_int_eq(fake_opened(out, 0)->net, WEIR_NET_TCP);
	info = out->host->info(fake_opened(out, 0)->end);
	ck_assert(weir_addr_equal(&info->target, &target));
	ck_assert_int_eq(info->source.port, 40000);
	ck_assert_uint_eq(out->host->policy(client.handle)->buffer_bytes, 4096);
	client_resets();
	finish_test();
}
END_TEST

START_TEST(session_keeps_the_names_that_its_inbound_told)
{
	char source[] = "laptop.example", target[] = "www.example";
	struct weir_session_info told = {
		.size = sizeof told,
		.net = WEIR_NET_TCP,
		.source = {.kind = WEIR_ADDR_NAME, .port = 1, .name = source},
		.target = {.kind = WEIR_ADDR_NAME, .port = 2, .name = target},
	};
	const struct weir_session_info *kept;

	setup();
	client.host = in->host;
	client.handle = in->host->accept_stream(in->instance, &told,
						&client.ops, &client);
	memset(source, 'x', sizeof source - 1); /* borrowed for the call */
	memset(target, 'x', sizeof target - 1);
	kept = in->host->info(client.handle);
	ck_assert_str_eq(kept->source.name, "laptop.example");
	ck_assert_str_eq(kept->target.name, "www.example");
	client_resets();
	finish_test();
}
END_TEST

START_TEST(session_tells_the_client_why_the_outbound_failed)
{
	dial_out();
	fake_open_fail(fake_opened(out, 0), ECONNREFUSED, "refused");
	ck_assert_int_eq(client.closes, 0);
	fake_turn(world);
	ck_assert_int_eq(client.accepts, 0);
	ck_assert_int_eq(client.close_err, ECONNREFUSED);
	ck_assert_int_eq(fake_opened(out, 0)->abandons, 0);
	finish_test();
}
END_TEST

START_TEST(session_takes_answers_given_inside_open)
{
	setup();
	out->answer = FAKE_READY;
	fake_accept(in, &client, "192.0.2.1:80");
	ck_assert_int_eq(client.accepts, 0);
	fake_turn(world);
	ck_assert_int_eq(client.accepts, 1);
	fake_end_fail(&client, ECONNRESET, NULL);
	fake_turn(world);
	ck_assert_int_eq(far_end()->closes, 1);
	ck_assert_int_eq(far_end()->close_err, ECONNRESET);
	finish_test();
}
END_TEST

START_TEST(session_takes_refusals_given_inside_open)
{
	setup();
	out->answer = FAKE_REFUSE;
	out->refuse_errno = WEIR_ESILENT;
	ck_assert_ptr_nonnull(fake_accept(in, &client, "192.0.2.1:80"));
	fake_turn(world);
	ck_assert_int_eq(client.close_err, WEIR_ESILENT);
	finish_test();
}
END_TEST

START_TEST(session_ends_when_the_outbound_does_not_answer_in_time)
{
	setup();
	limits->handshake_ms = LIMIT_MS;
	fake_accept(in, &client, "192.0.2.1:80");
	fake_wait(world, LIMIT_MS / 2);
	ck_assert_int_eq(client.closes, 0);
	await_close();
	ck_assert_int_eq(client.close_err, ETIMEDOUT);
	ck_assert_int_eq(fake_opened(out, 0)->abandons, 1);
	finish_test();
}
END_TEST

START_TEST(session_abandons_an_open_once_when_the_client_is_gone)
{
	dial_out();
	fake_end_fail(&client, ECONNRESET, "reset");
	fake_end_fail(&client, ECONNRESET, "reset");
	ck_assert_int_eq(fake_opened(out, 0)->abandons, 0);
	fake_wait(world, 5);
	ck_assert_int_eq(fake_opened(out, 0)->abandons, 1);
	finish_test();
}
END_TEST

START_TEST(session_closes_a_stream_that_came_after_the_client_went)
{
	dial_out();
	fake_end_fail(&client, ECONNRESET, "reset");
	fake_open_ready(fake_opened(out, 0));
	fake_turn(world);
	ck_assert_int_eq(client.accepts, 0);
	ck_assert_int_eq(far_end()->closes, 1);
	ck_assert_int_eq(fake_opened(out, 0)->abandons, 0);
	finish_test();
}
END_TEST

START_TEST(session_closes_both_ends_when_the_client_does_not_accept)
{
	setup();
	client.accept_errno = ECONNRESET;
	fake_accept(in, &client, "192.0.2.1:80");
	fake_open_ready(fake_opened(out, 0));
	fake_turn(world);
	ck_assert_int_eq(far_end()->close_err, ECONNRESET);
	finish_test();
}
END_TEST

START_TEST(session_relays_and_closes_in_order)
{
	connect_through();
	fake_end_receive(&client, "GET");
	fake_end_receive(far_end(), "200");
	fake_turn(world);
	ck_assert_str_eq(fake_end_sent(far_end()), "GET");
	ck_assert_str_eq(fake_end_sent(&client), "200");
	client.in_eof = far_end()->in_eof = true;
	fake_end_notify(&client, WEIR_READABLE);
	fake_end_notify(far_end(), WEIR_READABLE);
	fake_turn(world);
	ck_assert_int_eq(far_end()->finishes, 1);
	ck_assert_int_eq(client.finishes, 1);
	ck_assert_int_eq(client.close_err, 0);
	ck_assert_int_eq(far_end()->closes, 1);
	ck_assert_int_eq(far_end()->close_err, 0);
	finish_test();
}
END_TEST

START_TEST(session_resets_the_client_when_the_far_end_fails)
{
	connect_through();
	fake_end_fail(far_end(), ECONNRESET, "reset by peer");
	ck_assert_int_eq(far_end()->closes, 0);
	fake_turn(world);
	ck_assert_int_eq(far_end()->closes, 1);
	ck_assert_int_eq(client.close_err, ECONNRESET);
	finish_test();
}
END_TEST

START_TEST(session_passes_on_what_came_before_a_failure)
{
	connect_through();
	fake_end_receive(&client, "GET");
	fake_end_fail(&client, ECONNRESET, "reset by the client");
	fake_turn(world);
	ck_assert_str_eq(fake_end_sent(far_end()), "GET");
	ck_assert_int_eq(far_end()->close_err, ECONNRESET);
	finish_test();
}
END_TEST

START_TEST(session_opens_for_a_far_end_that_failed_as_soon_as_it_was_ready)
{
	dial_out();
	fake_open_ready(fake_opened(out, 0));
	fake_end_fail(far_end(), ECONNRESET, "reset by peer");
	fake_turn(world);
	ck_assert_int_eq(client.accepts, 1);
	ck_assert_int_eq(client.close_err, ECONNRESET);
	finish_test();
}
END_TEST

START_TEST(session_resets_a_far_end_that_offers_no_way_to_write)
{
	dial_out();
	fake_end_init(far_end(), FAKE_PEEK);
	far_end()->host = out->host;
	fake_open_ready(fake_opened(out, 0));
	fake_turn(world);
	ck_assert_int_eq(client.accepts, 0);
	ck_assert_int_eq(far_end()->closes, 1);
	finish_test();
}
END_TEST

START_TEST(session_ends_exactly_at_its_idle_time)
{
	uint64_t from_us, passed_us;

	setup();
	limits->idle_ms = LIMIT_MS;
	fake_accept(in, &client, "192.0.2.1:80");
	fake_open_ready(fake_opened(out, 0));
	fake_wait(world, LIMIT_MS / 2);
	fake_end_receive(&client, "x"); /* moves the limit */
	from_us = loop_now_us();
	fake_turn(world);
	await_close();
	passed_us = loop_now_us() - from_us;
	ck_assert_uint_ge(passed_us, (LIMIT_MS - 2) * 1000);
	ck_assert_uint_le(passed_us, 2 * LIMIT_MS * 1000);
	ck_assert_int_eq(client.close_err, ETIMEDOUT);
	ck_assert_int_eq(far_end()->close_err, ETIMEDOUT);
	finish_test();
}
END_TEST

static void half_close(struct fake_end *end, struct fake_end *other)
{
	fake_wait(world, LIMIT_MS + LIMIT_MS / 10);
	end->in_eof = true;
	fake_end_notify(end, WEIR_READABLE);
	for (size_t left = other->unacked; left; other->unacked = --left)
		fake_wait(world, LIMIT_MS + LIMIT_MS / 2);
	fake_wait(world, LIMIT_MS / 2);
	ck_assert_int_eq(client.closes, 0);
	await_close();
	ck_assert_int_eq(other->finishes, 1);
	ck_assert_int_eq(other->close_err, 0); /* it was finished */
	ck_assert_int_eq(end->close_err, ETIMEDOUT);
	finish_test();
}

START_TEST(session_gives_the_downlink_alone_its_whole_time)
{
	connect_through();
	limits->downlink_only_ms = LIMIT_MS;
	half_close(&client, far_end());
}
END_TEST

START_TEST(session_gives_the_uplink_alone_its_time_once_the_rest_has_arrived)
{
	connect_through();
	limits->uplink_only_ms = LIMIT_MS;
	client.unacked = 2;
	half_close(far_end(), &client);
}
END_TEST

START_TEST(session_keeps_a_half_closed_stream_while_bytes_move)
{
	connect_through();
	limits->downlink_only_ms = LIMIT_MS;
	client.in_eof = true;
	fake_end_notify(&client, WEIR_READABLE);
	for (int i = 0; i < 3; i++) {
		fake_wait(world, LIMIT_MS / 2);
		ck_assert_int_eq(client.closes, 0);
		fake_end_receive(far_end(), "x");
	}
	fake_turn(world);
	ck_assert_str_eq(fake_end_sent(&client), "xxx");
	await_close();
	finish_test();
}
END_TEST

START_TEST(session_parks_while_the_far_end_is_full)
{
	connect_through();
	far_end()->room = 2;
	fake_end_receive(&client, "abcdef");
	fake_wait(world, 5);
	ck_assert_str_eq(fake_end_sent(far_end()), "ab");
	ck_assert_uint_eq(client.in_off, 2);
	far_end()->room = 10;
	fake_end_notify(far_end(), WEIR_WRITABLE);
	fake_turn(world);
	ck_assert_str_eq(fake_end_sent(far_end()), "abcdef");
	client_resets();
	finish_test();
}
END_TEST

START_TEST(session_is_refused_past_the_bound_and_counted)
{
	struct fake_end *second = calloc(1, sizeof *second);

	setup();
	world->config.max_sessions = 1;
	fake_end_init(second, SHAPE);
	ck_assert_ptr_nonnull(fake_accept(in, &client, "192.0.2.1:80"));
	ck_assert_ptr_null(fake_accept(in, second, "192.0.2.1:80"));
	ck_assert_int_eq(second->closes, 0); /* still the caller's */
	ck_assert_uint_eq(fake_core(world)->refused_full, 1);
	ck_assert_int_eq(out->open_count, 1);
	client_resets();
	ck_assert_ptr_nonnull(fake_accept(in, second, "192.0.2.1:80"));
	fake_end_fail(second, ECONNRESET, "");
	fake_turn(world);
	free(second);
	finish_test();
}
END_TEST

START_TEST(session_may_have_three_of_four_descriptors_where_they_are_few)
{
	struct fake_end ends[4];

	setup();
	fake_core(world)->fd_limit = 4;
	for (int i = 0; i < 4; i++) {
		fake_end_init(&ends[i], SHAPE);
		ck_assert_int_eq(fake_accept(in, &ends[i], "192.0.2.1:80") !=
					 NULL,
				 i < 3);
	}
	fake_stop(world);
}
END_TEST

START_TEST(session_is_refused_where_no_outbound_carries_tcp)
{
	struct weir_outbound_ops ops;

	setup();
	ops = *(const struct weir_outbound_ops *)out->component.ops;
	ops.nets = WEIR_NET_UDP;
	out->component.ops = &ops;
	fake_accept(in, &client, "192.0.2.1:80");
	fake_turn(world);
	ck_assert_int_eq(client.close_err, EACCES);
	ck_assert_int_eq(out->open_count, 0);
	finish_test();
}
END_TEST

START_TEST(session_is_refused_while_weir_drains)
{
	struct fake_end *second = calloc(1, sizeof *second);

	connect_through();
	fake_end_init(second, SHAPE);
	daemon_quit(world->daemon, 0);
	fake_turn(world);
	ck_assert_int_eq(client.closes, 0); /* what is there goes on */
	ck_assert_ptr_null(fake_accept(in, second, "192.0.2.1:80"));
	fake_end_receive(&client, "late");
	fake_turn(world);
	ck_assert_str_eq(fake_end_sent(far_end()), "late");
	ck_assert_int_eq(fake_stop(world), 0);
	ck_assert_int_eq(client.closes, 1);
	ck_assert_int_eq(client.close_err, ECONNABORTED);
	free(second);
}
END_TEST

START_TEST(session_that_is_opening_is_abandoned_when_weir_stops)
{
	dial_out();
	daemon_end(world->daemon, 0);
	fake_wait(world, 5);
	ck_assert_int_eq(fake_opened(out, 0)->abandons, 1);
	ck_assert_int_eq(client.close_err, ECONNABORTED);
	finish_test();
}
END_TEST

START_TEST(session_bytes_are_counted_to_both_instances)
{
	connect_through();
	fake_end_receive(&client, "12345");
	fake_end_receive(far_end(), "123");
	fake_turn(world);
	ck_assert_uint_eq(out->instance->up_bytes, 5); /* while it is open */
	client_resets();
	ck_assert_uint_eq(in->instance->up_bytes, 5);
	ck_assert_uint_eq(in->instance->down_bytes, 3);
	ck_assert_uint_eq(out->instance->up_bytes, 5);
	ck_assert_uint_eq(out->instance->sessions, 1);
	finish_test();
}
END_TEST

FAKE_MAIN("session",
	  session_accepts_the_handshake_only_when_the_outbound_is_ready,
	  session_hands_the_target_to_the_outbound,
	  session_keeps_the_names_that_its_inbound_told,
	  session_tells_the_client_why_the_outbound_failed,
	  session_takes_answers_given_inside_open,
	  session_takes_refusals_given_inside_open,
	  session_ends_when_the_outbound_does_not_answer_in_time,
	  session_abandons_an_open_once_when_the_client_is_gone,
	  session_closes_a_stream_that_came_after_the_client_went,
	  session_closes_both_ends_when_the_client_does_not_accept,
	  session_relays_and_closes_in_order,
	  session_resets_the_client_when_the_far_end_fails,
	  session_passes_on_what_came_before_a_failure,
	  session_opens_for_a_far_end_that_failed_as_soon_as_it_was_ready,
	  session_resets_a_far_end_that_offers_no_way_to_write,
	  session_ends_exactly_at_its_idle_time,
	  session_gives_the_downlink_alone_its_whole_time,
	  session_gives_the_uplink_alone_its_time_once_the_rest_has_arrived,
	  session_keeps_a_half_closed_stream_while_bytes_move,
	  session_parks_while_the_far_end_is_full,
	  session_is_refused_past_the_bound_and_counted,
	  session_may_have_three_of_four_descriptors_where_they_are_few,
	  session_is_refused_where_no_outbound_carries_tcp,
	  session_is_refused_while_weir_drains,
	  session_that_is_opening_is_abandoned_when_weir_stops,
	  session_bytes_are_counted_to_both_instances)
