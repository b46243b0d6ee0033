/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Chaining: an outbound opens its transport through another one. */
#include "core/dial.h"
#include "fake.h"

static struct fake *world;
static struct fake_part *a, *b; /* a dials through b */

static struct {
	struct weir_dial *dial;
	const struct weir_stream_ops *stream;
	const struct weir_flow_ops *flow;
	void *object;
	int readies, notices, delivered, unreachables, failures, err;
	bool hang_up; /* in the next call */
	char why[64];
} dialler;

static void maybe_hang_up(void)
{
	if (dialler.hang_up)
		a->host->hang_up(dialler.dial, ECONNRESET);
	dialler.hang_up = false;
}

static void on_stream(void *arg, const struct weir_stream_ops *ops, void *s)
{
	ck_assert_ptr_eq(arg, &dialler);
	dialler.readies++;
	dialler.stream = ops;
	dialler.object = s;
	if (!dialler.hang_up)
		ops->write(s, &(struct iovec){(char *)"hi", 2}, 1);
	maybe_hang_up();
}

static void on_flow(void *arg, const struct weir_flow_ops *ops, void *f)
{
	ck_assert_ptr_eq(arg, &dialler);
	dialler.readies++;
	dialler.flow = ops;
	dialler.object = f;
}

static void on_notify(void *arg, unsigned events)
{
	struct iovec view;

	(void)arg, (void)events;
	dialler.notices++;
	dialler.stream->peek(dialler.object, &view, 1);
	maybe_hang_up();
}

static void on_deliver(void *arg, const struct weir_datagram *v, int n)
{
	(void)arg, (void)v;
	dialler.delivered += n;
	maybe_hang_up();
}

static void on_unreachable(void *arg, const struct weir_addr *peer, int err)
{
	(void)arg, (void)peer;
	dialler.unreachables++;
	dialler.err = err;
}

static void on_failed(void *arg, int err, const char *why)
{
	(void)arg;
	dialler.failures++;
	dialler.err = err;
	dialler.dial = NULL;
	snprintf(dialler.why, sizeof dialler.why, "%s", why);
}

static const struct weir_dialer_ops dialler_ops = {
	.size = sizeof dialler_ops,
	.stream_ready = on_stream,
	.flow_ready = on_flow,
	.notify = on_notify,
	.deliver = on_deliver,
	.unreachable = on_unreachable,
	.failed = on_failed,
};

static struct weir_dial *dial(const char *tag, enum weir_net net)
{
	struct weir_addr to = fake_addr("192.0.2.1:51820");

	dialler.dial = a->host->dial(a->instance, tag, &to, net, &dialler_ops,
				     &dialler);
	return dialler.dial;
}

static void setup(void)
{
	world = fake_new();
	fake_add(world, WEIR_INBOUND, "in");
	a = fake_add(world, WEIR_OUTBOUND, "a");
	b = fake_add(world, WEIR_OUTBOUND, "b");
	world->outbounds[0].via = "b";
	fake_start(world);
}

START_TEST(dial_calls_nothing_back_inside_dial)
{
	setup();
	b->answer = FAKE_READY;
	ck_assert_ptr_nonnull(dial("b", WEIR_NET_TCP));
	ck_assert_int_eq(b->open_count, 0);
	fake_wait(world, 2);
	ck_assert_int_eq(dialler.readies, 1);
	ck_assert_str_eq(fake_end_sent(&fake_opened(b, 0)->stream), "hi");
	fake_stop(world);
}
END_TEST

START_TEST(dial_fails_where_the_flow_lacks_functions)
{
	setup();
	dial("b", WEIR_NET_UDP);
	fake_turn(world);
	fake_opened(b, 0)->flow.ops.send = NULL;
	fake_open_ready(fake_opened(b, 0));
	fake_turn(world);
	ck_assert_int_eq(dialler.readies, 0);
	ck_assert_int_eq(dialler.failures, 1);
	ck_assert_int_eq(fake_opened(b, 0)->flow.closes, 1);
	fake_stop(world);
}
END_TEST

START_TEST(dial_without_a_tag_goes_through_via)
{
	setup();
	ck_assert_ptr_nonnull(dial(NULL, WEIR_NET_TCP));
	fake_turn(world);
	ck_assert_int_eq(fake_opened(b, 0)->target.port, 51820);
	fake_stop(world);
}
END_TEST

static uint32_t mtu_of_1400(void *self)
{
	(void)self;
	return 1400;
}

START_TEST(an_outbound_hears_what_its_via_carries)
{
	struct weir_outbound_ops ops;

	setup();
	ops = *(const struct weir_outbound_ops *)b->component.ops;
	b->component.ops = &ops;
	ops.mtu = mtu_of_1400;
	ck_assert_uint_eq(a->host->via_mtu(a->instance), 1400);
	errno = 0;
	ck_assert_uint_eq(b->host->via_mtu(b->instance), 0);
	ck_assert_int_eq(errno, ENOENT);
	ops.mtu = NULL;
	ck_assert_uint_eq(a->host->via_mtu(a->instance), 0);
	ck_assert_int_eq(errno, 0);
	ops.mtu = mtu_of_1400;
	ops.size = offsetof(struct weir_outbound_ops, mtu); /* 1.3 */
	ck_assert_uint_eq(a->host->via_mtu(a->instance), 0);
	fake_stop(world);
}
END_TEST

START_TEST(dial_is_refused_where_there_is_no_such_outbound)
{
	setup();
	ck_assert_ptr_null(dial("nowhere", WEIR_NET_TCP));
	ck_assert_ptr_null(dial("in", WEIR_NET_TCP));
	world->outbounds[0].via = NULL;
	ck_assert_ptr_null(dial(NULL, WEIR_NET_TCP));
	fake_stop(world);
}
END_TEST

START_TEST(dial_by_its_own_tag_comes_back_to_the_outbound)
{
	setup();
	ck_assert_ptr_nonnull(dial("a", WEIR_NET_UDP));
	fake_turn(world);
	ck_assert_int_eq(a->open_count, 1);
	fake_stop(world);
}
END_TEST

START_TEST(dial_hung_up_before_it_was_opened_opens_nothing)
{
	setup();
	dial("b", WEIR_NET_TCP);
	a->host->hang_up(dialler.dial, 0);
	fake_wait(world, 2);
	ck_assert_int_eq(b->open_count, 0);
	fake_stop(world);
}
END_TEST

START_TEST(dial_hung_up_before_it_was_ready_is_abandoned_once)
{
	setup();
	dial("b", WEIR_NET_TCP);
	fake_turn(world);
	a->host->hang_up(dialler.dial, 0);
	fake_wait(world, 2);
	ck_assert_int_eq(fake_opened(b, 0)->abandons, 1);
	ck_assert_int_eq(dialler.failures, 0);
	fake_stop(world);
}
END_TEST

START_TEST(dial_hung_up_when_ready_closes_with_the_errno)
{
	setup();
	dial("b", WEIR_NET_TCP);
	fake_turn(world);
	fake_open_ready(fake_opened(b, 0));
	fake_turn(world);
	ck_assert_int_eq(dialler.readies, 1);
	a->host->hang_up(dialler.dial, ECONNRESET);
	fake_turn(world);
	ck_assert_int_eq(fake_opened(b, 0)->stream.closes, 1);
	ck_assert_int_eq(fake_opened(b, 0)->stream.close_err, ECONNRESET);
	fake_stop(world);
}
END_TEST

START_TEST(dial_may_be_hung_up_inside_any_of_its_calls)
{
	setup();
	b->answer = FAKE_READY;
	dialler.hang_up = true;
	dial("b", WEIR_NET_TCP);
	fake_wait(world, 2);
	ck_assert_int_eq(fake_opened(b, 0)->stream.closes, 1);
	dial("b", WEIR_NET_TCP);
	fake_wait(world, 2);
	dialler.hang_up = true;
	fake_end_notify(&fake_opened(b, 1)->stream, WEIR_READABLE);
	fake_wait(world, 2);
	ck_assert_int_eq(fake_opened(b, 1)->stream.closes, 1);
	fake_stop(world);
}
END_TEST

START_TEST(dial_tells_news_outside_the_outbounds_call)
{
	setup();
	b->answer = FAKE_READY;
	dial("b", WEIR_NET_TCP);
	fake_wait(world, 2);
	fake_end_notify(&fake_opened(b, 0)->stream, WEIR_READABLE);
	fake_turn(world);
	ck_assert_int_eq(dialler.notices, 1);
	fake_stop(world);
}
END_TEST

START_TEST(dial_tells_a_failure_before_ready)
{
	setup();
	b->answer = FAKE_REFUSE;
	b->refuse_errno = ECONNREFUSED;
	dial("b", WEIR_NET_TCP);
	fake_wait(world, 2);
	ck_assert_int_eq(dialler.failures, 1);
	ck_assert_int_eq(dialler.err, ECONNREFUSED);
	ck_assert_str_eq(dialler.why, "refused");
	ck_assert_int_eq(fake_opened(b, 0)->abandons, 0);
	fake_stop(world);
}
END_TEST

START_TEST(dial_tells_a_failure_after_ready_and_closes_once)
{
	setup();
	b->answer = FAKE_READY;
	dial("b", WEIR_NET_TCP);
	fake_wait(world, 2);
	fake_end_fail(&fake_opened(b, 0)->stream, ECONNRESET, "reset");
	fake_turn(world);
	ck_assert_int_eq(dialler.failures, 0);
	fake_wait(world, 2);
	ck_assert_int_eq(dialler.failures, 1);
	ck_assert_int_eq(fake_opened(b, 0)->stream.closes, 1);
	fake_stop(world);
}
END_TEST

START_TEST(dial_fails_where_what_it_got_cannot_be_read)
{
	setup();
	dial("b", WEIR_NET_TCP);
	fake_wait(world, 2);
	fake_opened(b, 0)->stream.ops.consume = NULL;
	fake_open_ready(fake_opened(b, 0));
	fake_turn(world);
	ck_assert_int_eq(dialler.readies, 0);
	ck_assert_int_eq(dialler.failures, 1);
	ck_assert_int_eq(dialler.err, EIO);
	ck_assert_int_eq(fake_opened(b, 0)->stream.closes, 1);
	fake_stop(world);
}
END_TEST

START_TEST(dial_shows_what_came_before_a_failure_to_a_chain_of_diallers)
{
	struct iovec view;

	setup();
	b->answer = FAKE_READY;
	dial("b", WEIR_NET_TCP);
	fake_wait(world, 2);
	fake_end_receive(&fake_opened(b, 0)->stream, "last");
	fake_end_fail(&fake_opened(b, 0)->stream, ECONNRESET, "reset");
	for (int i = 0; i < 4; i++)
		fake_turn(world);
	ck_assert_int_eq(dialler.failures, 0);
	ck_assert_int_gt(dialler.notices, 0);
	ck_assert_int_eq(dialler.stream->peek(dialler.object, &view, 1), 1);
	ck_assert_uint_eq(view.iov_len, 4);
	fake_wait(world, 2);
	ck_assert_int_eq(dialler.failures, 1);
	fake_stop(world);
}
END_TEST

START_TEST(dial_that_fails_as_soon_as_it_is_ready_was_ready)
{
	setup();
	dial("b", WEIR_NET_TCP);
	fake_turn(world);
	fake_open_ready(fake_opened(b, 0));
	fake_end_fail(&fake_opened(b, 0)->stream, ECONNRESET, "reset");
	fake_turn(world);
	ck_assert_int_eq(dialler.readies, 1);
	fake_turn(world);
	fake_wait(world, 2);
	ck_assert_int_eq(dialler.failures, 1);
	ck_assert_int_eq(dialler.err, ECONNRESET);
	dialler.hang_up = true; /* when it hears of the first */
	dial("b", WEIR_NET_TCP);
	fake_turn(world);
	fake_open_ready(fake_opened(b, 1));
	fake_end_fail(&fake_opened(b, 1)->stream, ECONNRESET, "reset");
	fake_turn(world);
	fake_wait(world, 2);
	ck_assert_int_eq(dialler.readies, 2);
	ck_assert_int_eq(dialler.failures, 1);
	ck_assert_int_eq(fake_opened(b, 1)->stream.closes, 1);
	fake_stop(world);
}
END_TEST

START_TEST(dial_carries_flows)
{
	struct fake_flow *f;
	struct weir_addr peer = fake_addr("192.0.2.1:51820");

	setup();
	b->answer = FAKE_READY;
	dial("b", WEIR_NET_UDP);
	fake_wait(world, 2);
	f = &fake_opened(b, 0)->flow;
	ck_assert_ptr_eq(dialler.object, f);
	fake_flow_deliver(f, &peer, "packet");
	ck_assert_int_eq(dialler.delivered, 1);
	b->host->unreachable(f->handle, &peer, ECONNREFUSED);
	ck_assert_int_eq(dialler.unreachables, 1);
	dialler.hang_up = true; /* inside the outbound's call */
	fake_flow_deliver(f, &peer, "packet");
	fake_turn(world);
	ck_assert_int_eq(f->closes, 1);
	fake_stop(world);
}
END_TEST

START_TEST(dial_ends_before_the_outbound_it_goes_through_stops)
{
	setup();
	b->answer = FAKE_READY;
	dial("b", WEIR_NET_TCP);
	fake_wait(world, 2);
	fake_stop(world); /* b stops first: a learns it, b is not used again */
	ck_assert_int_eq(dialler.failures, 1);
}
END_TEST

START_TEST(dial_left_behind_unopened_is_swept)
{
	setup();
	dial("b", WEIR_NET_TCP);
	fake_stop(world);
}
END_TEST

FAKE_MAIN("dial", dial_calls_nothing_back_inside_dial,
	  dial_fails_where_the_flow_lacks_functions,
	  dial_without_a_tag_goes_through_via,
	  an_outbound_hears_what_its_via_carries,
	  dial_is_refused_where_there_is_no_such_outbound,
	  dial_by_its_own_tag_comes_back_to_the_outbound,
	  dial_hung_up_before_it_was_opened_opens_nothing,
	  dial_hung_up_before_it_was_ready_is_abandoned_once,
	  dial_hung_up_when_ready_closes_with_the_errno,
	  dial_may_be_hung_up_inside_any_of_its_calls,
	  dial_tells_news_outside_the_outbounds_call,
	  dial_tells_a_failure_before_ready,
	  dial_tells_a_failure_after_ready_and_closes_once,
	  dial_fails_where_what_it_got_cannot_be_read,
	  dial_shows_what_came_before_a_failure_to_a_chain_of_diallers,
	  dial_that_fails_as_soon_as_it_is_ready_was_ready, dial_carries_flows,
	  dial_ends_before_the_outbound_it_goes_through_stops,
	  dial_left_behind_unopened_is_swept)
