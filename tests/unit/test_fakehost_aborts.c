/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake host, and sessions of a plugin that breaks its promises: what the
 * core would not survive ends the plugin's own test. */
#include "fakehost_null.h"

START_TEST(fakehost_aborts_a_second_answer)
{
	struct weir_end *one = fakehost_open(instance, &target, WEIR_NET_TCP);

	host->fail(one, EPIPE, "again");
}
END_TEST

static void ends(void *s)
{
	(void)s;
}

START_TEST(fakehost_aborts_the_use_of_a_freed_timer)
{
	struct weir_timer *t = host->timer_new(instance, ends, NULL);

	host->timer_free(t);
	host->timer_set(t, 1);
}
END_TEST

static void far_ready(void *arg, const struct weir_stream_ops *ops, void *s)
{
	(void)arg;
	ops->close(s, 0);
}

static void far_failed(void *arg, int err, const char *why)
{
	(void)arg, (void)err, (void)why;
}

START_TEST(fakehost_aborts_the_close_of_what_was_dialled)
{
	static const struct weir_dialer_ops dialer = {.size = sizeof dialer,
						      .stream_ready = far_ready,
						      .failed = far_failed};

	fakehost_let_dial(fake, true);
	host->dial(instance, "x", &target, WEIR_NET_TCP, &dialer, NULL);
	fakehost_dial_ready(fakehost_dialled(fake, 0));
}
END_TEST

static int shown; /* what peek says */
static size_t shown_bytes;

static int shows(void *s, struct iovec *view, int max)
{
	static char text[] = "last";

	(void)s, (void)max;
	view[0] = (struct iovec){text, shown_bytes};
	return shown;
}

static void takes(void *s, size_t n)
{
	(void)s, (void)n;
}

static ssize_t no_room(void *s, const struct iovec *v, int n)
{
	(void)s, (void)v, (void)n;
	return 0;
}

static void closes(void *s, int err)
{
	(void)s, (void)err;
}

static const struct weir_stream_ops stream_ops = {
	.size = sizeof stream_ops,
	.peek = shows,
	.consume = takes,
	.write = no_room,
	.finish = ends,
	.close = closes,
};

static int no_send(void *f, const struct weir_datagram *v, int n)
{
	(void)f, (void)v, (void)n;
	return 0;
}

static const struct weir_flow_ops flow_ops = {
	.size = sizeof flow_ops,
	.send = no_send,
	.close = closes,
};

static struct weir_session_info info_of(enum weir_net net)
{
	return (struct weir_session_info){
		.size = sizeof(struct weir_session_info),
		.net = net,
		.source = target,
		.target = target,
		.exchange_ms = 15000};
}

START_TEST(fakehost_shows_what_an_inbound_said_of_its_session)
{
	struct weir_session_info info = info_of(WEIR_NET_UDP);

	host->accept_flow(instance, &info, &flow_ops, NULL);
	ck_assert_uint_eq(fakehost_accepted(fake, 0)->info.exchange_ms, 15000);
}
END_TEST

START_TEST(fakehost_reads_what_came_before_a_failure)
{
	struct weir_session_info info = info_of(WEIR_NET_TCP);
	struct weir_end *one;
	char got[8];

	one = host->accept_stream(instance, &info, &stream_ops, NULL);
	shown = 1;
	shown_bytes = 4;
	host->fail(one, ECONNRESET, "reset");
	ck_assert_int_eq(one->state, FAKEHOST_FAILED);
	ck_assert_uint_eq(fakehost_read(one, got, sizeof got), 4);
	fakehost_close(one, ECONNRESET);
	ck_assert_uint_eq(fakehost_read(one, got, sizeof got), 0);
}
END_TEST

START_TEST(fakehost_aborts_what_an_inbound_may_not_say)
{
	struct weir_session_info info = info_of(WEIR_NET_UDP);
	struct weir_end *flow;

	flow = host->accept_flow(instance, &info, &flow_ops, NULL);
	host->unreachable(flow, &target, ECONNREFUSED);
}
END_TEST

START_TEST(fakehost_aborts_a_session_of_another_network)
{
	struct weir_session_info udp = info_of(WEIR_NET_UDP);
	struct weir_session_info tcp = info_of(WEIR_NET_TCP);

	if (_i)
		host->accept_stream(instance, &udp, &stream_ops, NULL);
	else
		host->accept_flow(instance, &tcp, &flow_ops, NULL);
}
END_TEST

START_TEST(fakehost_aborts_a_peek_that_shows_nothing)
{
	static const int wrong[] = {1, 9, -2};
	struct weir_session_info info = info_of(WEIR_NET_TCP);
	struct weir_end *one;
	char got[4];

	one = host->accept_stream(instance, &info, &stream_ops, NULL);
	shown = 0;
	ck_assert_uint_eq(fakehost_read(one, got, sizeof got), 0);
	shown = wrong[_i];
	fakehost_read(one, got, sizeof got);
}
END_TEST

SUITE("fakehost_aborts", t)
{
	tcase_add_checked_fixture(t, start, end);
	tcase_add_test(t, fakehost_shows_what_an_inbound_said_of_its_session);
	tcase_add_test(t, fakehost_reads_what_came_before_a_failure);
	tcase_add_test_raise_signal(t, fakehost_aborts_a_second_answer, 6);
	tcase_add_test_raise_signal(t, fakehost_aborts_the_use_of_a_freed_timer,
				    6);
	tcase_add_test_raise_signal(
		t, fakehost_aborts_the_close_of_what_was_dialled, 6);
	tcase_add_test_raise_signal(
		t, fakehost_aborts_what_an_inbound_may_not_say, 6);
	tcase_add_loop_test_raise_signal(
		t, fakehost_aborts_a_session_of_another_network, 6, 0, 2);
	tcase_add_loop_test_raise_signal(
		t, fakehost_aborts_a_peek_that_shows_nothing, 6, 0, 3);
}
