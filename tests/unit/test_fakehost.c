/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake host, by its first user: a plugin that does nothing. */
#include "fakehost_null.h"

#include <unistd.h>

static char trace[64];

static void note(const char *what)
{
	strncat(trace, what, sizeof trace - strlen(trace) - 1);
}

static void fire(void *arg)
{
	note(arg);
}

START_TEST(fakehost_runs_a_null_plugin)
{
	struct weir_end *one = fakehost_open(instance, &target, WEIR_NET_TCP);

	ck_assert_int_eq(one->state, FAKEHOST_FAILED);
	ck_assert_int_eq(one->err, ECONNREFUSED);
	ck_assert_str_eq(one->why, "a null plugin");
	ck_assert(fakehost_stop(instance, 0));
}
END_TEST

START_TEST(fakehost_fires_timers_in_order_without_waiting)
{
	struct weir_timer *a = host->timer_new(instance, fire, "a");
	struct weir_timer *b = host->timer_new(instance, fire, "b");
	struct weir_timer *c = host->timer_new(instance, fire, "c");
	uint64_t began = host->now_us();

	trace[0] = '\0';
	host->timer_set(a, 3000000);
	host->timer_set(b, 2000000);
	host->timer_set(c, 1000000);
	host->timer_stop(c);
	ck_assert_uint_eq(fakehost_next_timer(fake), 2000000);
	fakehost_advance(fake, 2999999);
	ck_assert_str_eq(trace, "b");
	fakehost_advance(fake, 1);
	ck_assert_str_eq(trace, "ba");
	ck_assert_uint_eq(host->now_us() - began, 3000000);
	host->timer_free(a);
}
END_TEST

struct job {
	struct weir_task task;
	int runs;
};

static void job_run(struct weir_task *task)
{
	struct job *job = (struct job *)(void *)task;

	if (++job->runs < 2)
		host->defer(instance, task);
}

START_TEST(fakehost_runs_a_task_that_defers_itself_in_the_next_turn)
{
	struct job job = {.task.run = job_run};

	host->defer(instance, &job.task);
	host->defer(instance, &job.task);
	ck_assert_int_eq(job.runs, 0);
	fakehost_turn(fake);
	ck_assert_int_eq(job.runs, 1);
	fakehost_turn(fake);
	ck_assert_int_eq(job.runs, 2);
}
END_TEST

START_TEST(fakehost_runs_posts_in_order)
{
	trace[0] = '\0';
	host->post(instance, fire, "1");
	host->post(instance, fire, "2");
	host->post(instance, fire, "3");
	ck_assert_str_eq(trace, "");
	fakehost_turn(fake);
	ck_assert_str_eq(trace, "123");
}
END_TEST

static int answered, answer_err, answer_count;

static void answer(void *arg, int err, const struct weir_addr *addrs, int n)
{
	(void)arg, (void)addrs;
	answered++;
	answer_err = err;
	answer_count = n;
}

START_TEST(fakehost_answers_names_from_the_script)
{
	struct weir_addr found[] = {
		{WEIR_ADDR_IP4, 0, {.ip = {192, 0, 2, 1}}},
		{WEIR_ADDR_IP6, 0, {.ip = {0x20, 1, 0xd, 0xb8}}},
	};
	struct weir_query *q;

	answered = 0;
	fakehost_name(fake, "both.example", 0, found, 2);
	fakehost_name(fake, "slow.example", ETIMEDOUT, NULL, 0);
	host->resolve(instance, "both.example", 3, answer, NULL);
	ck_assert_int_eq(answered, 0);
	fakehost_turn(fake);
	ck_assert_int_eq(answered, 1);
	ck_assert_int_eq(answer_count, 2);
	host->resolve(instance, "both.example", 1, answer, NULL);
	fakehost_turn(fake);
	ck_assert_int_eq(answer_count, 1);
	host->resolve(instance, "slow.example", 3, answer, NULL);
	fakehost_turn(fake);
	ck_assert_int_eq(answer_err, ETIMEDOUT);
	host->resolve(instance, "no.example", 3, answer, NULL);
	fakehost_turn(fake);
	ck_assert_int_eq(answer_err, ENOENT);
	q = host->resolve(instance, "both.example", 3, answer, NULL);
	host->resolve_cancel(q);
	fakehost_turn(fake);
	ck_assert_int_eq(answered, 4);
}
END_TEST

static struct weir_watch *watch;
static unsigned watched;

static void ready(void *arg, unsigned events)
{
	(void)arg;
	watched |= events;
	host->watch_free(watch);
}

START_TEST(fakehost_watches_real_and_scripted_fds)
{
	int fds[2];

	ck_assert_int_eq(pipe(fds), 0);
	watched = 0;
	watch = host->watch_new(instance, fds[0], WEIR_READABLE, ready, NULL);
	ck_assert_int_eq(fakehost_poll(fake, 0), 0);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	ck_assert_int_eq(fakehost_poll(fake, 1000), 1);
	ck_assert_uint_eq(watched, WEIR_READABLE);
	ck_assert_int_eq(fakehost_poll(fake, 0), 0);
	watch = host->watch_new(instance, fds[1], WEIR_WRITABLE, ready, NULL);
	ck_assert_int_eq(fakehost_fire(fake, fds[1], WEIR_READABLE), 0);
	ck_assert_int_eq(fakehost_fire(fake, fds[1], WEIR_WRITABLE), 1);
	close(fds[0]);
	close(fds[1]);
}
END_TEST

START_TEST(fakehost_watches_an_fd_once)
{
	watch = host->watch_new(instance, 0, WEIR_READABLE, ready, NULL);
	errno = 0;
	ck_assert_ptr_null(
		host->watch_new(instance, 0, WEIR_WRITABLE, ready, NULL));
	ck_assert_int_eq(errno, EEXIST);
	host->watch_free(watch);
	ck_assert_ptr_nonnull(
		host->watch_new(instance, 0, WEIR_WRITABLE, ready, NULL));
}
END_TEST

START_TEST(fakehost_counts_and_logs)
{
	void *self;

	*host->counter(instance, "drops") += 2;
	*host->counter(instance, "drops") += 1;
	ck_assert_uint_eq(fakehost_counter(instance, "drops"), 3);
	host->log(instance, WEIR_WARN, "gone after %d s", 3);
	ck_assert_str_eq(fakehost_log(fake), "warn null: gone after 3 s\n");
	host->lost(instance, "unplugged");
	ck_assert_str_eq(fakehost_lost(instance), "unplugged");
	fakehost_offer(fake, "thing", 1, &target, &answered);
	ck_assert_ptr_eq(host->service(instance, "thing", 1, &self), &target);
	ck_assert_ptr_eq(self, &answered);
	ck_assert_ptr_null(host->service(instance, "thing", 2, &self));
	fakehost_offer(fake, "other", 2, &target, &answered);
	ck_assert_ptr_null(host->service(instance, "other", 1, &self));
}
END_TEST

static const struct weir_stream_ops *far;
static void *far_self;
static int failures;

static void far_ready(void *arg, const struct weir_stream_ops *ops, void *s)
{
	(void)arg;
	far = ops;
	far_self = s;
}

static void far_failed(void *arg, int err, const char *why)
{
	(void)arg, (void)err, (void)why;
	failures++;
}

static const struct weir_dialer_ops dialer = {
	.size = sizeof dialer,
	.stream_ready = far_ready,
	.failed = far_failed,
};

START_TEST(fakehost_plays_the_outbound_that_is_dialled)
{
	struct iovec out = {"ping", 4}, view[2];
	struct weir_dial *d;

	errno = 0;
	ck_assert_ptr_null(host->dial(instance, "x", &target, WEIR_NET_TCP,
				      &dialer, NULL));
	ck_assert_int_eq(errno, ENOENT);
	fakehost_let_dial(fake, true);
	d = host->dial(instance, "x", &target, WEIR_NET_TCP, &dialer, NULL);
	ck_assert_ptr_eq(fakehost_dialled(fake, 0), d);
	ck_assert_str_eq(d->tag, "x");
	fakehost_dial_ready(d);
	d->room = 3;
	ck_assert_int_eq(far->write(far_self, &out, 1), 3);
	ck_assert_int_eq(memcmp(d->out, "pin", 3), 0);
	ck_assert_int_eq(far->peek(far_self, view, 2), 0);
	fakehost_dial_push(d, "pong", 4);
	ck_assert_int_eq(far->peek(far_self, view, 2), 1);
	ck_assert_uint_eq(view[0].iov_len, 4);
	far->consume(far_self, 4);
	fakehost_dial_push(d, NULL, 0);
	ck_assert_int_eq(far->peek(far_self, view, 2), WEIR_PEEK_EOF);
	host->hang_up(d, 0);
	ck_assert_int_eq(d->state, FAKEHOST_HUNG_UP);
	d = host->dial(instance, NULL, &target, WEIR_NET_TCP, &dialer, NULL);
	fakehost_dial_fail(d, ECONNREFUSED, "refused");
	ck_assert_int_eq(failures, 1);
}
END_TEST

START_TEST(fakehost_says_what_the_via_carries)
{
	ck_assert_uint_eq(host->via_mtu(instance), 0);
	ck_assert_int_eq(errno, ENOENT);
	fakehost_via_mtu(fake, 1400);
	ck_assert_uint_eq(host->via_mtu(instance), 1400);
}
END_TEST

static struct weir_timer *own_timer;

static void destroy_with_timer(void *self)
{
	(void)self;
	host->timer_free(own_timer);
}

START_TEST(fakehost_leaves_handles_to_destroy)
{
	static struct weir_component c;
	struct weir_error e;

	ck_assert(fakehost_stop(instance, 0));
	c = null_component;
	c.destroy = destroy_with_timer;
	instance = fakehost_start(fake, &c, "null", NULL, &e);
	own_timer = host->timer_new(instance, fire, "a");
	host->timer_new(instance, fire, "b"); /* is swept */
	ck_assert(fakehost_stop(instance, 0));
	ck_assert_uint_eq(fakehost_next_timer(fake), UINT64_MAX);
}
END_TEST

/* Says all at once that it has stopped, with work under way. */
static void stop_amid_work(void *self)
{
	host->resolve(instance, "no.example", 3, answer, NULL);
	host->post(instance, fire, "post ");
	host->timer_set(own_timer, 0);
	host->dial(instance, "x", &target, WEIR_NET_TCP, &dialer, NULL);
	null_stop(self);
}

START_TEST(fakehost_calls_nobody_who_has_stopped)
{
	static struct weir_component c;
	struct weir_error e;

	ck_assert(fakehost_stop(instance, 0));
	fakehost_let_dial(fake, true);
	c = null_component;
	c.stop = stop_amid_work;
	c.destroy = destroy_with_timer;
	instance = fakehost_start(fake, &c, "null", NULL, &e);
	own_timer = host->timer_new(instance, fire, "timer ");
	trace[0] = '\0';
	answered = failures = 0;
	ck_assert(fakehost_stop(instance, 0));
	fakehost_dial_fail(fakehost_dialled(fake, 0), EPIPE, "late");
	fakehost_advance(fake, 1);
	ck_assert_str_eq(trace, "");
	ck_assert_int_eq(answered, 0);
	ck_assert_int_eq(failures, 0);
}
END_TEST

static void say_stopped(void *arg)
{
	note(arg);
	null_stop(NULL);
}

static void stop_late(void *self)
{
	(void)self;
	note("stop ");
	own_timer = host->timer_new(instance, say_stopped, "stopped ");
	host->timer_set(own_timer, 3000000);
}

static void destroy_late(void *self)
{
	note("destroy ");
	destroy_with_timer(self);
}

START_TEST(fakehost_stops_once_who_takes_longer_than_was_waited)
{
	static struct weir_component c;
	struct weir_error e;

	c = null_component;
	c.stop = stop_late;
	c.destroy = destroy_late;
	ck_assert(fakehost_stop(instance, 0));
	trace[0] = '\0';
	instance = fakehost_start(fake, &c, "null", NULL, &e);
	ck_assert(!fakehost_stop(instance, 1000000));
	ck_assert(!fakehost_stop(instance, 1000000));
	fakehost_advance(fake, 1000000);
	ck_assert_str_eq(trace, "stop stopped ");
	ck_assert(fakehost_stop(instance, 0));
	ck_assert_str_eq(trace, "stop stopped destroy ");
}
END_TEST

SUITE("fakehost", t)
{
	tcase_add_checked_fixture(t, start, end);
	tcase_add_test(t, fakehost_runs_a_null_plugin);
	tcase_add_test(t, fakehost_fires_timers_in_order_without_waiting);
	tcase_add_test(
		t, fakehost_runs_a_task_that_defers_itself_in_the_next_turn);
	tcase_add_test(t, fakehost_runs_posts_in_order);
	tcase_add_test(t, fakehost_says_what_the_via_carries);
	tcase_add_test(t, fakehost_answers_names_from_the_script);
	tcase_add_test(t, fakehost_watches_real_and_scripted_fds);
	tcase_add_test(t, fakehost_watches_an_fd_once);
	tcase_add_test(t, fakehost_counts_and_logs);
	tcase_add_test(t, fakehost_plays_the_outbound_that_is_dialled);
	tcase_add_test(t, fakehost_leaves_handles_to_destroy);
	tcase_add_test(t, fakehost_calls_nobody_who_has_stopped);
	tcase_add_test(t, fakehost_stops_once_who_takes_longer_than_was_waited);
}
