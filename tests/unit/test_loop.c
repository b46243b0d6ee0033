/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Time, fds, signals and other threads. */
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <unistd.h>

#include "core/loop.h"
#include "fake.h"

#define TRIES 5000

static struct loop *loop;
static struct loop_owner owner;
static int turns, calls;
static unsigned seen;
static int fds[2];
static struct loop_timer *timer;
static struct loop_watch *watch;

static void after_turn(void *arg)
{
	(void)arg;
	turns++;
}

static void setup(void)
{
	loop = loop_new(after_turn, NULL);
	loop_owner_init(&owner, loop);
	ck_assert_int_eq(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0, fds), 0);
}

static void teardown(void)
{
	loop_owner_sweep(&owner);
	loop_free(loop);
	close(fds[0]);
	close(fds[1]);
}

static void count(void *arg)
{
	(void)arg;
	calls++;
}

static void stop(void *arg)
{
	(void)arg;
	loop_stop(loop);
}

static void run_for(unsigned ms)
{
	struct loop_timer *t = loop_timer_new(&owner, stop, NULL);

	loop_timer_set(t, ms * UINT64_C(1000));
	loop_run(loop);
	loop_timer_free(t);
}

/* Any of them may be late; rounded, all of them would be. */
START_TEST(loop_does_not_round_a_timer_to_milliseconds)
{
	uint64_t least_us = UINT64_MAX;

	setup();
	timer = loop_timer_new(&owner, stop, NULL);
	for (int i = 0; i < TRIES && least_us >= 1000; i++) {
		uint64_t from_us = loop_now_us(), took_us;

		loop_timer_set(timer, 300);
		loop_run(loop);
		took_us = loop_now_us() - from_us;
		ck_assert_uint_ge(took_us, 300);
		least_us = took_us < least_us ? took_us : least_us;
	}
	ck_assert_uint_lt(least_us, 1000);
	teardown();
}
END_TEST

START_TEST(loop_fires_a_timer_once_and_not_before_its_time)
{
	uint64_t from_us;

	setup();
	timer = loop_timer_new(&owner, stop, NULL);
	from_us = loop_now_us();
	loop_timer_set(timer, 50000);
	loop_run(loop);
	ck_assert_uint_ge(loop_now_us() - from_us, 50000);
	ck_assert_uint_le(loop_now_us() - from_us, 1050000); /* held up */
	loop_timer_free(timer);
	timer = loop_timer_new(&owner, count, NULL);
	loop_timer_set(timer, 1000);
	run_for(30);
	ck_assert_int_eq(calls, 1);
	teardown();
}
END_TEST

#define WAITING 20 /* bytes, one a turn */

static void read_one(void *arg, unsigned events)
{
	char c;

	(void)arg, (void)events;
	calls += read(fds[0], &c, 1) == 1;
}

static void note_calls(void *arg)
{
	*(int *)arg = calls;
}

START_TEST(loop_that_was_held_up_reads_before_its_timers_fire)
{
	int before = 0;

	setup();
	ck_assert_int_eq(write(fds[1], "xxxxxxxxxxxxxxxxxxxx", WAITING),
			 WAITING);
	watch = loop_watch_new(&owner, fds[0],
			       WEIR_READABLE | WEIR_LEVEL_TRIGGERED, read_one,
			       NULL);
	timer = loop_timer_new(&owner, note_calls, &before);
	loop_timer_set(timer, 1000);
	usleep(400000);
	run_for(500);
	ck_assert_int_eq(before, WAITING);
	teardown();
}
END_TEST

START_TEST(loop_never_fires_a_timer_set_beyond_all_time)
{
	setup();
	loop_timer_set(loop_timer_new(&owner, count, NULL), UINT64_MAX);
	run_for(5);
	ck_assert_int_eq(calls, 0);
	teardown();
}
END_TEST

START_TEST(loop_moves_a_timer_that_is_set_again)
{
	setup();
	timer = loop_timer_new(&owner, count, NULL);
	loop_timer_set(timer, 10000);
	loop_timer_set(timer, 5000000);
	run_for(40);
	ck_assert_int_eq(calls, 0);
	loop_timer_set(timer, 5000);
	run_for(30);
	ck_assert_int_eq(calls, 1);
	teardown();
}
END_TEST

START_TEST(loop_stops_a_timer)
{
	setup();
	timer = loop_timer_new(&owner, count, NULL);
	loop_timer_set(timer, 1000);
	loop_timer_stop(timer);
	loop_timer_stop(timer);
	run_for(20);
	ck_assert_int_eq(calls, 0);
	teardown();
}
END_TEST

static void free_timer(void *arg)
{
	(void)arg;
	calls++;
	loop_timer_free(timer);
}

START_TEST(loop_timer_may_free_itself)
{
	setup();
	timer = loop_timer_new(&owner, free_timer, NULL);
	loop_timer_set(timer, 0);
	run_for(20);
	ck_assert_int_eq(calls, 1);
	ck_assert_ptr_null(owner.timers);
	teardown();
}
END_TEST

static void ready(void *arg, unsigned events)
{
	(void)arg;
	calls++;
	seen |= events;
}

START_TEST(loop_watches_edges)
{
	setup();
	watch = loop_watch_new(&owner, fds[0], WEIR_READABLE | WEIR_WRITABLE,
			       ready, NULL);
	run_for(20);
	ck_assert_int_eq(calls, 1); /* writable: once */
	ck_assert_uint_eq(seen, WEIR_WRITABLE);
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	run_for(20);
	ck_assert_int_eq(calls, 2); /* never read, not told again */
	ck_assert(seen & WEIR_READABLE);
	teardown();
}
END_TEST

static void ready_thrice(void *arg, unsigned events)
{
	(void)arg;
	seen |= events;
	if (++calls == 3)
		loop_watch_free(watch);
}

START_TEST(loop_watches_levels_and_a_watch_may_free_itself)
{
	setup();
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	watch = loop_watch_new(&owner, fds[0],
			       WEIR_READABLE | WEIR_LEVEL_TRIGGERED,
			       ready_thrice, NULL);
	run_for(20);
	ck_assert_int_eq(calls, 3);
	ck_assert_uint_eq(seen, WEIR_READABLE);
	teardown();
}
END_TEST

static void end_by_shutdown(void)
{
	shutdown(fds[1], SHUT_WR);
}

static void end_by_close(void)
{
	close(fds[1]);
	fds[1] = -1;
}

static const struct {
	void (*then)(void);
	unsigned flags;
	bool told;
} behind[] = {
	{end_by_shutdown, 0, true},
	{end_by_close, 0, true},
	{end_by_shutdown, WEIR_LEVEL_TRIGGERED, false},
	{NULL, 0, false},
};

static void tells_what_is_behind(size_t i)
{
	setup();
	ck_assert_int_eq(write(fds[1], "x", 1), 1);
	if (behind[i].then)
		behind[i].then();
	calls = 2; /* at the next one it frees itself */
	seen = 0;
	watch = loop_watch_new(&owner, fds[0],
			       WEIR_READABLE | WEIR_WRITABLE | behind[i].flags,
			       ready_thrice, NULL);
	run_for(20);
	ck_assert_uint_eq(seen & WEIR_READ_ON,
			  behind[i].told ? WEIR_READ_ON : 0);
	ck_assert(seen & WEIR_READABLE);
	teardown();
}

START_TEST(loop_tells_that_more_than_bytes_is_there_to_read)
{
	for (size_t i = 0; i < sizeof behind / sizeof behind[0]; i++)
		tells_what_is_behind(i);
}
END_TEST

static struct loop_watch *both[2];

static void free_both(void *arg, unsigned events)
{
	(void)arg, (void)events;
	calls++;
	loop_watch_free(both[0]);
	loop_watch_free(both[1]);
}

START_TEST(loop_tells_no_watch_that_another_one_freed)
{
	setup();
	for (int i = 0; i < 2; i++)
		both[i] = loop_watch_new(&owner, fds[i], WEIR_WRITABLE,
					 free_both, NULL);
	run_for(20);
	ck_assert_int_eq(calls, 1);
	teardown();
}
END_TEST

START_TEST(loop_says_why_an_fd_cannot_be_watched)
{
	FILE *file = tmpfile();

	setup();
	errno = 0;
	watch = loop_watch_new(&owner, fileno(file), WEIR_READABLE, ready,
			       NULL);
	ck_assert_ptr_null(watch);
	ck_assert_int_eq(errno, EPERM);
	fclose(file);
	teardown();
}
END_TEST

START_TEST(loop_sweeps_what_an_owner_left)
{
	setup();
	timer = loop_timer_new(&owner, count, NULL);
	loop_timer_set(timer, 1000);
	loop_timer_new(&owner, count, NULL);
	loop_watch_new(&owner, fds[0], WEIR_WRITABLE, ready, NULL);
	loop_owner_sweep(&owner);
	run_for(20);
	ck_assert_int_eq(calls, 0);
	teardown();
}
END_TEST

static void *post_many(void *arg)
{
	for (int i = 0; i < 1000; i++)
		loop_post(loop, count, NULL);
	loop_post(loop, stop, NULL);
	return arg;
}

START_TEST(loop_runs_what_other_threads_post)
{
	pthread_t thread;

	setup();
	pthread_create(&thread, NULL, post_many, NULL);
	loop_run(loop);
	pthread_join(thread, NULL);
	ck_assert_int_eq(calls, 1000);
	teardown();
}
END_TEST

START_TEST(loop_ends_every_turn_with_after_turn)
{
	setup();
	loop_post(loop, stop, NULL);
	loop_run(loop);
	ck_assert_int_eq(turns, 1);
	loop_again(loop); /* a turn without any event */
	timer = loop_timer_new(&owner, stop, NULL);
	loop_timer_set(timer, 20000);
	loop_run(loop);
	ck_assert_int_eq(turns, 3);
	teardown();
}
END_TEST

START_TEST(loop_hears_signals)
{
	struct loop_signal *s;

	setup();
	s = loop_signal_new(loop, SIGUSR2, count, NULL);
	raise(SIGUSR2);
	run_for(20);
	ck_assert_int_eq(calls, 1);
	loop_signal_free(s);
	teardown();
}
END_TEST

FAKE_MAIN("loop", loop_fires_a_timer_once_and_not_before_its_time,
	  loop_does_not_round_a_timer_to_milliseconds,
	  loop_that_was_held_up_reads_before_its_timers_fire,
	  loop_never_fires_a_timer_set_beyond_all_time,
	  loop_moves_a_timer_that_is_set_again, loop_stops_a_timer,
	  loop_timer_may_free_itself, loop_watches_edges,
	  loop_watches_levels_and_a_watch_may_free_itself,
	  loop_tells_that_more_than_bytes_is_there_to_read,
	  loop_tells_no_watch_that_another_one_freed,
	  loop_says_why_an_fd_cannot_be_watched, loop_sweeps_what_an_owner_left,
	  loop_runs_what_other_threads_post,
	  loop_ends_every_turn_with_after_turn, loop_hears_signals)
