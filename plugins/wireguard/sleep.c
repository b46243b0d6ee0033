/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sleep.c - the time that a machine sleeps.
 *
 * The loop's clock stands still then, but a key is not to be used past its
 * time, and the peer has forgotten it: what is sealed with it after a night
 * gets no answer, and silence is noticed only after 15 s. Asking for the time
 * with every packet would cost all of them. But the kernel wakes whoever waits
 * for the wall clock to be set, and it is set when the machine wakes up: then
 * the clock that went on is compared with the one that stood still. */
#include "sleep.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "constants.h"

/* So far ahead that the timer never expires: it is set only to hear of changes
 * of the clock. */
#define FAR_S (sizeof(time_t) > 4 ? INT64_C(1) << 40 : INT32_MAX)

struct sleep_watch {
	struct tunnel *tunnel;
	int fd;
	struct weir_watch *watch;
	uint64_t asleep_us; /* since the machine was started */
};

static uint64_t clock_us(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * SECOND_US + (uint64_t)t.tv_nsec / 1000;
}

/* In this order: a delay between the two then does not look like sleep. */
static uint64_t asleep_us(void)
{
	uint64_t boot_us = clock_us(CLOCK_BOOTTIME),
		 awake_us = clock_us(CLOCK_MONOTONIC);

	return boot_us > awake_us ? boot_us - awake_us : 0;
}

static void clock_set(void *arg, unsigned events)
{
	struct sleep_watch *s = arg;
	uint64_t times, now_us = asleep_us(), slept_us;

	(void)events;
	/* ECANCELED tells that the clock was set; once for each time. */
	while (read(s->fd, &times, sizeof times) < 0 && errno == ECANCELED)
		;
	slept_us = now_us > s->asleep_us ? now_us - s->asleep_us : 0;
	if (slept_us < SECOND_US)
		return; /* somebody set it */
	s->asleep_us = now_us;
	wg_slept(s->tunnel->device, slept_us);
}

static bool clock_watch(struct sleep_watch *s)
{
	const struct tunnel_conf *c = &s->tunnel->conf;
	const struct itimerspec never = {.it_value.tv_sec = FAR_S};

	s->fd = timerfd_create(CLOCK_REALTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	if (s->fd < 0 ||
	    timerfd_settime(s->fd, TFD_TIMER_ABSTIME | TFD_TIMER_CANCEL_ON_SET,
			    &never, NULL) < 0)
		return false;
	s->watch = c->host->watch_new(c->instance, s->fd, WEIR_READABLE,
				      clock_set, s);
	return s->watch;
}

struct sleep_watch *sleep_watch_new(struct tunnel *t)
{
	struct sleep_watch *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->tunnel = t;
	s->asleep_us = asleep_us();
	if (clock_watch(s))
		return s;
	sleep_watch_free(s);
	return NULL;
}

void sleep_watch_free(struct sleep_watch *s)
{
	if (!s)
		return;
	if (s->watch)
		s->tunnel->conf.host->watch_free(s->watch);
	if (s->fd >= 0)
		close(s->fd);
	free(s);
}
