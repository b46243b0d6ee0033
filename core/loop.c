/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The event loop.
 *
 * Theory of operation: each turn asks libevent for one round of events and
 * then calls after_turn, where the core serves the sessions with news. Sockets
 * are watched edge-triggered for both directions at once, so that parking a
 * session costs no system call; watches.c has them in a set of their own, which
 * is one event for libevent. A timerfd wakes us for the soonest timer, or for
 * one that was moved since, which costs a turn: libevent's own timers are late
 * by up to a millisecond, and what is paced would leave in bursts. Before it
 * sleeps the loop may look for news for a moment (spin.c). Work of
 * other threads comes in through a list under a mutex and an eventfd. Timers
 * and watches are linked to their owner: what an instance forgot is found and
 * freed when it stops. */
#include "loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <event2/event_struct.h>
#include <pthread.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>
#include <weir/host.h>

#include "spin.h"
#include "timers.h"
#include "util.h"
#include "watches.h"

#define US_PER_S 1000000
#define NS_PER_US 1000
#define HELD_UP_US 250000u  /* so late was no busy turn */
#define CATCH_UP_US 100000u /* to read what came meanwhile */
#define BASE_FDS 3	    /* libevent's: an epoll set and a pipe */

struct posted {
	void (*fn)(void *);
	void *arg;
	struct posted *next;
};

struct loop {
	struct event_base *base;
	void (*after_turn)(void *);
	void *arg;
	bool again, stopping;
	int post_fd;
	struct event post_event;
	struct watches watches;
	struct event news; /* of the watches */
	struct timers timers;
	int wake_fd; /* expires at wake_us, for the timers; 0: it is not set */
	struct event wake_event;
	uint64_t wake_us, fired_us;
	uint64_t catch_up_us; /* until then no timer fires */
	struct spin spin;
	uint64_t news_us; /* when the first of this turn came; 0: none yet */
	pthread_mutex_t post_lock;
	struct posted *posts, **posts_end;
};

struct loop_signal {
	struct event event;
	struct loop *loop;
	void (*fire)(void *);
	void *arg;
};

static void news_came(struct loop *l)
{
	if (!l->news_us)
		l->news_us = loop_now_us();
}

void loop_run_posts(struct loop *l)
{
	struct posted *list;

	pthread_mutex_lock(&l->post_lock);
	list = l->posts;
	l->posts = NULL;
	l->posts_end = &l->posts;
	pthread_mutex_unlock(&l->post_lock);
	while (list) {
		struct posted *p = list;

		list = p->next;
		p->fn(p->arg);
		free(p);
	}
}

static void posts_ready(evutil_socket_t fd, short what, void *arg)
{
	uint64_t count;

	(void)what;
	news_came(arg);
	if (read(fd, &count, sizeof count) > 0)
		loop_run_posts(arg);
}

/* libevent would write to standard error, past our log, and lose errno. */
static void say_nothing(int severity, const char *text)
{
	(void)severity, (void)text;
}

/* The descriptor is never read: setting it again forgets that it expired. */
static void wake_at(struct loop *l, uint64_t at_us)
{
	struct itimerspec at = {0};

	l->wake_us = at_us;
	at.it_value.tv_sec = (time_t)(at_us / US_PER_S);
	at.it_value.tv_nsec = (long)(at_us % US_PER_S * NS_PER_US);
	timerfd_settime(l->wake_fd, TFD_TIMER_ABSTIME, &at, NULL);
}

/* Be woken for the soonest timer, if it does not come earlier. */
static void set_wake(struct loop *l)
{
	const struct loop_timer *t = timers_first(&l->timers);
	uint64_t at_us = l->catch_up_us;

	if (!t)
		return;
	if (at_us < t->due_us)
		at_us = t->due_us;
	if (!l->wake_us || l->wake_us > at_us)
		wake_at(l, at_us);
}

/* Was this process stopped, or swapped out? Then much has come in that nobody
 * has read yet, and timers that measure silence would take that for silence:
 * all of them wait a moment. */
static bool is_catching_up(struct loop *l)
{
	const struct loop_timer *t = timers_first(&l->timers);
	uint64_t now_us = loop_now_us();

	if (t && t->due_us > l->catch_up_us && now_us > t->due_us &&
	    now_us - t->due_us > HELD_UP_US)
		l->catch_up_us = now_us + CATCH_UP_US;
	return now_us < l->catch_up_us;
}

/* What is set meanwhile waits for the next turn. */
static void timers_fire(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;
	struct loop_timer *t;

	(void)fd, (void)what;
	news_came(l);
	l->wake_us = 0;
	if (is_catching_up(l)) {
		set_wake(l);
		return;
	}
	l->fired_us = loop_now_us();
	while ((t = timers_first(&l->timers)) && t->due_us <= l->fired_us) {
		timers_remove(&l->timers, t);
		t->fire(t->arg);
	}
	set_wake(l);
}

static void watches_ready(evutil_socket_t fd, short what, void *arg)
{
	struct loop *l = arg;

	(void)fd, (void)what;
	news_came(l);
	watches_tell(&l->watches);
}

/* Without a pipe libevent would end the program without a word. */
static bool base_fds_left(void)
{
	int fd[BASE_FDS], n = 0, err;

	while (n < BASE_FDS && (fd[n] = eventfd(0, EFD_CLOEXEC)) >= 0)
		n++;
	err = errno;
	for (int i = 0; i < n; i++)
		close(fd[i]);
	errno = err;
	return n == BASE_FDS;
}

static bool base_new(struct loop *l)
{
	struct event_config *conf = event_config_new();

	event_set_log_callback(say_nothing);
	if (!conf)
		return false;
	event_config_set_flag(conf, EVENT_BASE_FLAG_NOLOCK |
					    EVENT_BASE_FLAG_NO_CACHE_TIME |
					    EVENT_BASE_FLAG_IGNORE_ENV);
	l->base = event_base_new_with_config(conf);
	event_config_free(conf);
	return l->base;
}

static bool hear(struct loop *l, struct event *e, int fd, short what,
		 event_callback_fn tell)
{
	return fd >= 0 && event_assign(e, l->base, fd, what, tell, l) == 0 &&
	       event_add(e, NULL) == 0;
}

static bool loop_set_up(struct loop *l)
{
	l->watches.fd = l->post_fd = l->wake_fd = -1;
	if (!base_fds_left() || !base_new(l) || !watches_init(&l->watches))
		return false;
	l->post_fd = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
	l->wake_fd =
		timerfd_create(CLOCK_MONOTONIC, TFD_NONBLOCK | TFD_CLOEXEC);
	return hear(l, &l->news, l->watches.fd, EV_READ | EV_PERSIST,
		    watches_ready) &&
	       hear(l, &l->post_event, l->post_fd, EV_READ | EV_PERSIST,
		    posts_ready) &&
	       hear(l, &l->wake_event, l->wake_fd, EV_READ | EV_PERSIST | EV_ET,
		    timers_fire);
}

struct loop *loop_new(void (*after_turn)(void *arg), void *arg)
{
	struct loop *l = xcalloc(1, sizeof *l);
	int err;

	spin_init(&l->spin);
	l->after_turn = after_turn;
	l->arg = arg;
	pthread_mutex_init(&l->post_lock, NULL);
	l->posts_end = &l->posts;
	errno = 0;
	if (loop_set_up(l))
		return l;
	err = errno ? errno : ENOMEM;
	loop_free(l);
	errno = err;
	return NULL;
}

static void look(struct loop *l)
{
	event_base_loop(l->base, EVLOOP_ONCE | EVLOOP_NONBLOCK);
}

static void wait_for_news(struct loop *l, uint64_t from_us)
{
	uint64_t until_us = from_us + spin_us(&l->spin);

	while (!l->news_us && loop_now_us() < until_us) {
		look(l);
		if (!l->news_us)
			sched_yield();
	}
	if (!l->news_us)
		event_base_loop(l->base, EVLOOP_ONCE);
	news_came(l);
}

void loop_run(struct loop *l)
{
	uint64_t from_us = loop_now_us();

	l->stopping = false;
	while (!l->stopping) {
		uint64_t now_us, waited_us = 0;

		l->news_us = 0;
		if (l->again) {
			l->again = false;
			look(l);
		} else {
			wait_for_news(l, from_us);
			waited_us = l->news_us - from_us;
		}
		if (l->after_turn)
			l->after_turn(l->arg);
		now_us = loop_now_us();
		spin_note(&l->spin, waited_us, now_us - from_us - waited_us);
		from_us = now_us;
	}
}

void loop_stop(struct loop *l)
{
	l->stopping = true;
}

void loop_free(struct loop *l)
{
	if (!l)
		return;
	assert(!l->posts); /* loop_run_posts came before */
	timers_fini(&l->timers);
	if (l->base)
		event_base_free(l->base); /* and the events */
	watches_fini(&l->watches);
	if (l->wake_fd >= 0)
		close(l->wake_fd);
	if (l->post_fd >= 0)
		close(l->post_fd);
	pthread_mutex_destroy(&l->post_lock);
	free(l);
}

uint64_t loop_now_us(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * US_PER_S + (uint64_t)t.tv_nsec / 1000;
}

void loop_owner_init(struct loop_owner *o, struct loop *l)
{
	o->loop = l;
	o->watches = NULL;
	o->timers = NULL;
}

void loop_owner_hush(struct loop_owner *o)
{
	for (struct loop_watch *w = o->watches; w; w = w->next)
		watch_hush(w);
	for (struct loop_timer *t = o->timers; t; t = t->next)
		loop_timer_stop(t);
}

void loop_owner_sweep(struct loop_owner *o)
{
	while (o->watches)
		watch_free(o->watches);
	while (o->timers)
		loop_timer_free(o->timers);
}

struct loop_timer *loop_timer_new(struct loop_owner *o, void (*fire)(void *),
				  void *arg)
{
	struct loop_timer *t = xcalloc(1, sizeof *t);

	t->loop = o->loop;
	t->fire = fire;
	t->arg = arg;
	t->next = o->timers;
	t->link = &o->timers;
	if (t->next)
		t->next->link = &t->next;
	o->timers = t;
	return t;
}

void loop_timer_set(struct loop_timer *t, uint64_t after_us)
{
	struct loop *l = t->loop;
	uint64_t now_us = loop_now_us(), most_us = UINT64_MAX - now_us;
	uint64_t due_us = now_us + (after_us < most_us ? after_us : most_us);

	timers_remove(&l->timers, t);
	timers_put(&l->timers, t,
		   due_us > l->fired_us ? due_us : l->fired_us + 1);
	set_wake(l);
}

void loop_timer_stop(struct loop_timer *t)
{
	timers_remove(&t->loop->timers, t);
}

void loop_timer_free(struct loop_timer *t)
{
	if (!t)
		return;
	loop_timer_stop(t);
	*t->link = t->next;
	if (t->next)
		t->next->link = t->link;
	free(t);
}

struct loop_watch *loop_watch_new(struct loop_owner *o, int fd, unsigned events,
				  void (*ready)(void *, unsigned), void *arg)
{
	return watch_new(&o->loop->watches, &o->watches, fd, events, ready,
			 arg);
}

void loop_watch_free(struct loop_watch *w)
{
	if (w)
		watch_free(w);
}

static void signal_fired(evutil_socket_t fd, short what, void *arg)
{
	struct loop_signal *s = arg;

	(void)fd, (void)what;
	news_came(s->loop);
	s->fire(s->arg);
}

struct loop_signal *loop_signal_new(struct loop *l, int signo,
				    void (*fire)(void *), void *arg)
{
	struct loop_signal *s = xcalloc(1, sizeof *s);

	s->loop = l;
	s->fire = fire;
	s->arg = arg;
	event_assign(&s->event, l->base, signo, EV_SIGNAL | EV_PERSIST,
		     signal_fired, s);
	if (event_add(&s->event, NULL) == 0)
		return s;
	free(s);
	return NULL;
}

void loop_signal_free(struct loop_signal *s)
{
	if (!s)
		return;
	event_del(&s->event);
	free(s);
}

void loop_again(struct loop *l)
{
	l->again = true;
}

void loop_post(struct loop *l, void (*fn)(void *), void *arg)
{
	struct posted *p = xcalloc(1, sizeof *p);
	uint64_t one = 1;

	p->fn = fn;
	p->arg = arg;
	pthread_mutex_lock(&l->post_lock);
	*l->posts_end = p;
	l->posts_end = &p->next;
	pthread_mutex_unlock(&l->post_lock);
	while (write(l->post_fd, &one, sizeof one) < 0 && errno == EINTR)
		;
}
