/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Start, stop, and what happens between. */
#include <linux/capability.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "core/dial.h"
#include "fake.h"

static struct fake *world;
static struct fake_part *in, *out, *service;
static struct fake_end client;

static void setup(void)
{
	world = fake_new();
	in = fake_add(world, WEIR_INBOUND, "in");
	out = fake_add(world, WEIR_OUTBOUND, "out");
	service = fake_add(world, WEIR_SERVICE, "svc");
	fake_end_init(&client, FAKE_PEEK | FAKE_WRITE);
}

/* The order of all calls, kept beyond fake_stop. */
static const char *run_to_the_end(int status)
{
	static char order[sizeof world->order];
	struct loop_owner *owner = &world->owner;

	ck_assert_int_eq(daemon_run(world->daemon), status);
	loop_owner_sweep(owner);
	daemon_free(world->daemon);
	memcpy(order, world->order, sizeof order);
	for (int i = 0; i < out->open_count; i++)
		free(out->opens[i]);
	free(world);
	return order;
}

START_TEST(daemon_creates_all_before_it_starts_any_and_stops_in_reverse)
{
	setup();
	fake_start(world);
	daemon_quit(world->daemon, 7);
	ck_assert_str_eq(run_to_the_end(7),
			 "create svc;create out;create in;"
			 "start svc;start out;start in;"
			 "stop in;stop out;stop svc;"
			 "destroy in;destroy out;destroy svc;");
}
END_TEST

START_TEST(daemon_waits_for_each_instance_to_say_that_it_stopped)
{
	setup();
	in->slow_stop = out->slow_stop = true;
	fake_start(world);
	daemon_quit(world->daemon, 0);
	ck_assert_str_eq(strstr(run_to_the_end(0), "stop in"),
			 "stop in;stopped in;stop out;stopped out;stop svc;"
			 "destroy in;destroy out;destroy svc;");
}
END_TEST

START_TEST(daemon_goes_on_without_the_word_of_a_hung_instance)
{
	setup();
	in->slow_for_ever = true;
	world->config.log_level = WEIR_ERROR;
	fake_start(world);
	close(STDERR_FILENO);
	daemon_end(world->daemon, 0);
	ck_assert_str_eq(strstr(run_to_the_end(0), "stop in"),
			 "stop in;stop out;stop svc;"
			 "destroy in;destroy out;destroy svc;");
}
END_TEST

START_TEST(daemon_undoes_a_failed_create_and_names_the_place)
{
	struct weir_error e;

	setup();
	out->fail_create = true;
	ck_assert(!fake_try(world, &e));
	ck_assert_str_eq(e.text, "test.yaml:2:5: out.mtu: no such thing");
	daemon_free(world->daemon);
	ck_assert_str_eq(world->order, "create svc;create out;destroy svc;");
	free(world);
}
END_TEST

START_TEST(daemon_undoes_a_failed_start_and_names_the_place)
{
	struct weir_error e;

	setup();
	out->fail_start = true;
	service->slow_stop = true;
	ck_assert(!fake_try(world, &e));
	ck_assert_str_eq(e.text, "test.yaml:2:5: out: device is busy");
	daemon_free(world->daemon);
	ck_assert_str_eq(strstr(world->order, "start"),
			 "start svc;start out;stop svc;stopped svc;"
			 "destroy in;destroy out;destroy svc;");
	free(world);
}
END_TEST

START_TEST(daemon_does_not_start_without_leave_to_mark_its_sockets)
{
	struct __user_cap_header_struct own = {_LINUX_CAPABILITY_VERSION_3, 0};
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = {{0}};
	struct weir_error e;

	setup();
	world->config.mark = 77;
	ck_assert_int_eq(syscall(SYS_capset, &own, none), 0);
	ck_assert(!fake_try(world, &e));
	ck_assert_str_eq(e.text, "test.yaml: sockets.mark: 77: Operation not "
				 "permitted; it takes CAP_NET_ADMIN");
	daemon_free(world->daemon);
	ck_assert_str_eq(world->order, "");
	free(world);
}
END_TEST

START_TEST(daemon_does_not_start_with_fewer_descriptors_than_it_takes)
{
	static const struct rlimit few = {7, 7};
	struct weir_error e;

	setup();
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	ck_assert(!fake_try(world, &e));
	ck_assert_str_eq(e.text, "7 file descriptors (RLIMIT_NOFILE) are too "
				 "few; the least is 64");
	ck_assert_ptr_null(world->daemon);
	free(world);
}
END_TEST

START_TEST(daemon_that_finds_too_few_descriptors_left_says_so)
{
	static const struct rlimit few = {64, 64};
	struct weir_error e;
	int fd, last = -1, refused = 0;

	setup();
	ck_assert_int_eq(setrlimit(RLIMIT_NOFILE, &few), 0);
	while ((fd = dup(STDERR_FILENO)) >= 0)
		last = fd;
	while (!(world->daemon = daemon_new(&world->config, NULL, &e))) {
		ck_assert_str_eq(e.text, "cannot make an event loop: "
					 "Too many open files");
		close(last--);
		refused++;
	}
	ck_assert_int_gt(refused, 3);
	daemon_free(world->daemon);
	for (int left = 1; left < refused; left++)
		ck_assert_int_ge(dup(STDERR_FILENO), 0); /* all came back */
	free(world);
}
END_TEST

START_TEST(daemon_ends_with_status_1_when_no_inbound_is_left)
{
	struct fake_part *second;

	setup();
	second = fake_add(world, WEIR_INBOUND, "in2");
	fake_start(world);
	close(STDERR_FILENO);
	in->host->lost(in->instance, "device is gone");
	in->host->lost(in->instance, "device is gone");
	fake_wait(world, 5);
	ck_assert(!fake_core(world)->draining);
	second->host->lost(second->instance, "gone too");
	run_to_the_end(1);
}
END_TEST

START_TEST(daemon_ends_with_status_1_when_a_service_is_lost)
{
	setup();
	fake_start(world);
	close(STDERR_FILENO);
	service->host->lost(service->instance, "gone");
	run_to_the_end(1);
}
END_TEST

static ssize_t lose_the_inbound(void *s, const struct iovec *v, int n)
{
	struct fake_end *e = s;

	(void)v, (void)n;
	in->host->lost(in->instance, "device is gone");
	ck_assert_int_eq(e->closes, 0); /* not inside its own call */
	ck_assert_int_eq(client.closes, 0);
	return 0;
}

START_TEST(daemon_ends_no_session_inside_a_plugins_call)
{
	setup();
	fake_start(world);
	close(STDERR_FILENO);
	out->answer = FAKE_READY;
	fake_accept(in, &client, "192.0.2.1:80");
	fake_opened(out, 0)->stream.ops.write = lose_the_inbound;
	fake_end_receive(&client, "data");
	run_to_the_end(1);
	ck_assert_int_eq(client.closes, 1);
}
END_TEST

static void send_signal(void *arg)
{
	kill(getpid(), *(int *)arg);
}

static void signal_soon(int *signo)
{
	loop_timer_set(loop_timer_new(&world->owner, send_signal, signo), 1000);
}

START_TEST(daemon_drains_on_sigterm)
{
	int signo = SIGTERM;
	uint64_t from_us;

	setup();
	fake_start(world);
	out->answer = FAKE_READY;
	fake_accept(in, &client, "192.0.2.1:80");
	fake_wait(world, 2);
	signal_soon(&signo);
	fake_wait(world, 20);
	ck_assert_int_eq(client.closes, 0); /* it may come to its end */
	ck_assert(fake_core(world)->draining);
	fake_end_receive(&client, "the last");
	client.in_eof = fake_opened(out, 0)->stream.in_eof = true;
	fake_end_notify(&client, WEIR_READABLE);
	from_us = loop_now_us();
	loop_again(daemon_loop(world->daemon));
	run_to_the_end(0);
	ck_assert_uint_lt(loop_now_us() - from_us, 1000000);
	ck_assert_int_eq(client.close_err, 0);
}
END_TEST

START_TEST(daemon_ends_at_once_on_a_second_sigint)
{
	int signo = SIGINT;

	setup();
	fake_start(world);
	fake_accept(in, &client, "192.0.2.1:80");
	signal_soon(&signo);
	fake_wait(world, 10);
	ck_assert_int_eq(client.closes, 0);
	signal_soon(&signo);
	run_to_the_end(0);
	ck_assert_int_eq(client.close_err, ECONNABORTED);
}
END_TEST

START_TEST(daemon_drains_when_its_terminal_goes_away)
{
	int signo = SIGHUP;

	setup();
	signal(SIGHUP, SIG_DFL);
	fake_start(world);
	out->answer = FAKE_READY;
	fake_accept(in, &client, "192.0.2.1:80");
	signal_soon(&signo);
	fake_wait(world, 20);
	ck_assert(fake_core(world)->draining);
	ck_assert_int_eq(client.closes, 0); /* it may come to its end */
	daemon_end(world->daemon, 0);
	run_to_the_end(0);
}
END_TEST

START_TEST(daemon_outlives_its_terminal_under_nohup)
{
	int signo = SIGHUP;

	setup();
	signal(SIGHUP, SIG_IGN);
	fake_start(world);
	signal_soon(&signo);
	fake_wait(world, 20);
	ck_assert(!fake_core(world)->draining);
	fake_stop(world);
}
END_TEST

START_TEST(daemon_stops_draining_after_a_while)
{
	uint64_t from_us;

	setup();
	fake_start(world);
	fake_accept(in, &client, "192.0.2.1:80");
	daemon_quit(world->daemon, 0);
	from_us = loop_now_us();
	run_to_the_end(0);
	ck_assert_uint_ge(loop_now_us() - from_us, 1900000);
	ck_assert_uint_le(loop_now_us() - from_us, 4000000);
}
END_TEST

static void never(void *arg)
{
	(void)arg;
	ck_abort_msg("called after the end");
}

static void never_ready(void *arg, unsigned events)
{
	(void)events;
	never(arg);
}

static void never_resolved(void *arg, int err, const struct weir_addr *a, int n)
{
	(void)err, (void)a, (void)n;
	never(arg);
}

static int pipes[2];

static struct weir_timer *left_timer;
static struct weir_watch *left_watch;
static struct weir_query *left_query;

static void leave_things(struct fake_part *p)
{
	left_timer = p->host->timer_new(p->instance, never, p);
	p->host->timer_set(left_timer, 100);
	left_watch = p->host->watch_new(p->instance, pipes[1], WEIR_WRITABLE,
					never_ready, p);
	left_query = p->host->resolve(p->instance, "192.0.2.1", 1,
				      never_resolved, p);
	(*p->host->counter(p->instance, "things"))++;
}

START_TEST(daemon_sweeps_what_a_failed_create_left_behind)
{
	struct weir_error e;

	setup();
	ck_assert_int_eq(pipe(pipes), 0);
	out->fail_create = true;
	out->on_create = leave_things;
	ck_assert(!fake_try(world, &e));
	fake_wait(world, 5);
	daemon_free(world->daemon);
	free(world);
}
END_TEST

START_TEST(daemon_sweeps_what_an_instance_left_behind)
{
	setup();
	ck_assert_int_eq(pipe(pipes), 0);
	fake_start(world);
	in->on_destroy = leave_things;
	out->on_destroy = leave_things;
	fake_stop(world);
}
END_TEST

static void never_failed(void *arg, int err, const char *why)
{
	(void)err, (void)why;
	never(arg);
}

static struct weir_dial *left_dial;

static void leave_a_dial_too(struct fake_part *p)
{
	static const struct weir_dialer_ops ops = {.size = sizeof ops,
						   .failed = never_failed};
	struct weir_addr to = fake_addr("192.0.2.1:1");

	leave_things(p);
	left_dial =
		p->host->dial(p->instance, "out", &to, WEIR_NET_TCP, &ops, p);
	ck_assert_ptr_nonnull(left_dial);
}

static void free_things(struct fake_part *p)
{
	p->host->timer_free(left_timer);
	p->host->watch_free(left_watch);
	p->host->resolve_cancel(left_query);
	p->host->hang_up(left_dial, 0);
}

START_TEST(daemon_calls_no_instance_that_has_stopped)
{
	setup();
	ck_assert_int_eq(pipe(pipes), 0);
	fake_start(world);
	in->on_stop = leave_a_dial_too;
	in->on_destroy = free_things;
	out->slow_stop = true; /* meanwhile all that was left would call */
	fake_stop(world);
}
END_TEST

static void post_once(struct fake_part *p)
{
	p->host->post(p->instance, never, p);
}

START_TEST(daemon_drops_what_was_posted_to_a_stopped_instance)
{
	setup();
	fake_start(world);
	in->on_destroy = post_once; /* as a worker thread that ends might */
	service->on_destroy = post_once;
	fake_stop(world);
}
END_TEST

static void dialled(void *arg, int err, const char *why)
{
	(void)arg, (void)err, (void)why;
}

static const struct weir_dialer_ops dialler = {.size = sizeof dialler,
					       .failed = dialled};

static void dial_through_last(struct fake_part *p)
{
	struct weir_addr to = fake_addr("192.0.2.1:1");

	p->host->dial(p->instance, "last", &to, WEIR_NET_TCP, &dialler, NULL);
}

START_TEST(daemon_undoes_a_start_that_dialled)
{
	struct weir_error e;
	struct fake_part *last;

	setup();
	last = fake_add(world, WEIR_OUTBOUND, "last");
	out->on_create = dial_through_last;
	last->fail_create = true;
	ck_assert(!fake_try(world, &e));
	daemon_free(world->daemon);
	free(world);
}
END_TEST

FAKE_MAIN("daemon",
	  daemon_creates_all_before_it_starts_any_and_stops_in_reverse,
	  daemon_waits_for_each_instance_to_say_that_it_stopped,
	  daemon_goes_on_without_the_word_of_a_hung_instance,
	  daemon_undoes_a_failed_create_and_names_the_place,
	  daemon_undoes_a_failed_start_and_names_the_place,
	  daemon_does_not_start_without_leave_to_mark_its_sockets,
	  daemon_does_not_start_with_fewer_descriptors_than_it_takes,
	  daemon_that_finds_too_few_descriptors_left_says_so,
	  daemon_ends_with_status_1_when_no_inbound_is_left,
	  daemon_ends_with_status_1_when_a_service_is_lost,
	  daemon_ends_no_session_inside_a_plugins_call,
	  daemon_drains_on_sigterm, daemon_ends_at_once_on_a_second_sigint,
	  daemon_drains_when_its_terminal_goes_away,
	  daemon_outlives_its_terminal_under_nohup,
	  daemon_stops_draining_after_a_while,
	  daemon_sweeps_what_a_failed_create_left_behind,
	  daemon_sweeps_what_an_instance_left_behind,
	  daemon_calls_no_instance_that_has_stopped,
	  daemon_drops_what_was_posted_to_a_stopped_instance,
	  daemon_undoes_a_start_that_dialled)
