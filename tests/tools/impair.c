/* SPDX-License-Identifier: GPL-2.0-or-later */
/* impair: a bad network between two TUNs.
 *
 *   impair --left NETNS:NAME:ADDRESS[,ADDRESS6] --right NETNS:NAME:ADDRESS...
 *          [--left-route NET] [--right-route NET] [--mtu BYTES] [--seed N]
 *          [--loss PERCENT] [--burst IN:OUT] [--duplicate PERCENT]
 *          [--reorder PERCENT:MS] [--corrupt PERCENT] [--delay MS]
 *          [--jitter MS] [--rate MBIT/S] [--queue BYTES]
 *
 * What a direction suffers goes for both; with `up-` (left to right) or
 * `down-` before the name for one. It makes both TUNs, gives them their
 * addresses and a route to each other's, says "ready", and prints a line of
 * counters a direction on SIGUSR1 and at its end (SIGTERM, SIGINT).
 *
 * Theory of operation: one thread reads from both TUNs what there is, hands
 * it to the path of that direction (impair_path.c) and writes what is due to
 * the other side; between, it sleeps in epoll until a packet comes or is due.
 * Sleeping for less than WAKE_NS is not worth a system call: it wakes a
 * little late and sends a few packets at once, as a network card would. */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <time.h>
#include <unistd.h>

#include "impair_options.h"
#include "impair_path.h"
#include "impair_tun.h"
#include "tool.h"

#define SECOND_NS 1000000000ull
#define WAKE_NS 40000
#define BATCH 64
#define EVENTS 4
#define PRIORITY (-10) /* a late bridge would look like a slow path */

/* One direction: from a TUN to the other. */
struct lane {
	const char *name;
	struct impair_path *path;
	int from, to;
};

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * SECOND_NS + (uint64_t)now.tv_nsec;
}

/* True while there may be more to read. */
static bool lane_read(struct lane *lane, uint32_t mtu_bytes)
{
	for (unsigned i = 0; i < BATCH; i++) {
		uint8_t *room = impair_path_room(lane->path);
		ssize_t n = read(lane->from, room, mtu_bytes);

		if (n > 0)
			impair_path_take(lane->path, (size_t)n, now_ns());
		else if (n < 0 && errno == EAGAIN)
			return false;
		else if (n < 0 && errno != EINTR)
			tool_die("read from the TUN");
	}
	return true;
}

static void lane_write(struct lane *lane)
{
	uint64_t now = now_ns();

	for (unsigned i = 0; i < BATCH; i++) {
		size_t len;
		const uint8_t *packet = impair_path_next(lane->path, now, &len);

		if (!packet)
			return;
		impair_path_release(lane->path, write(lane->to, packet, len) ==
							(ssize_t)len);
	}
}

static void lane_print(const struct lane *lane)
{
	const struct impair_counters *c = impair_path_counters(lane->path);

	printf("impair %s received=%" PRIu64 " forwarded=%" PRIu64
	       " lost=%" PRIu64 " overflowed=%" PRIu64 " duplicated=%" PRIu64
	       " reordered=%" PRIu64 " corrupted=%" PRIu64 " refused=%" PRIu64
	       " inside=%" PRIu64 " bytes=%" PRIu64 "\n",
	       lane->name, c->received, c->forwarded, c->lost, c->overflowed,
	       c->duplicated, c->reordered, c->corrupted, c->refused, c->inside,
	       c->bytes);
	fflush(stdout);
}

/* Until the first packet of either lane is due. */
static struct timespec time_to_sleep(const struct lane *lanes)
{
	uint64_t up = impair_path_due_ns(lanes[IMPAIR_UP].path);
	uint64_t down = impair_path_due_ns(lanes[IMPAIR_DOWN].path);
	uint64_t due = up < down ? up : down, now = now_ns();
	uint64_t rest = due > now ? due - now : 0;

	if (rest < WAKE_NS)
		rest = WAKE_NS;
	if (rest > SECOND_NS)
		rest = SECOND_NS;
	return (struct timespec){.tv_sec = (time_t)(rest / SECOND_NS),
				 .tv_nsec = (long)(rest % SECOND_NS)};
}

/* False when it is time to end. */
static bool hear_signal(int signals, const struct lane *lanes)
{
	struct signalfd_siginfo info;

	if (read(signals, &info, sizeof info) != sizeof info)
		return true;
	for (unsigned way = 0; way < IMPAIR_WAYS; way++)
		lane_print(&lanes[way]);
	return info.ssi_signo == SIGUSR1;
}

static void watch(int epoll, int fd)
{
	struct epoll_event e = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		tool_die("epoll_ctl");
}

static void bridge(struct lane *lanes, int signals, uint32_t mtu_bytes)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	struct epoll_event events[EVENTS];
	struct timespec none = {0}, sleep;
	bool more;

	watch(epoll, signals);
	for (unsigned way = 0; way < IMPAIR_WAYS; way++)
		watch(epoll, lanes[way].from);
	for (;;) {
		int n;

		more = false;
		for (unsigned way = 0; way < IMPAIR_WAYS; way++) {
			more |= lane_read(&lanes[way], mtu_bytes);
			lane_write(&lanes[way]);
		}
		sleep = time_to_sleep(lanes);
		n = epoll_pwait2(epoll, events, EVENTS, more ? &none : &sleep,
				 NULL);
		for (int i = 0; i < n; i++)
			if (events[i].data.fd == signals &&
			    !hear_signal(signals, lanes))
				return;
	}
}

/* Blocked before there is anything to clean up. */
static int signals_open(void)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (fd < 0)
		tool_die("signalfd");
	return fd;
}

static void open_lanes(struct lane *lanes, const struct impair_options *o)
{
	int left = impair_end_open(&o->left, o->mtu_bytes);
	int right = impair_end_open(&o->right, o->mtu_bytes);

	impair_end_meet(&o->left, &o->right);
	impair_end_meet(&o->right, &o->left);
	lanes[IMPAIR_UP] =
		(struct lane){.name = "up", .from = left, .to = right};
	lanes[IMPAIR_DOWN] =
		(struct lane){.name = "down", .from = right, .to = left};
	for (unsigned way = 0; way < IMPAIR_WAYS; way++) {
		lanes[way].path = impair_path_new(&o->way[way]);
		if (!lanes[way].path)
			tool_die("no memory for the packets");
	}
}

int main(int argc, char **argv)
{
	struct impair_options options;
	struct lane lanes[IMPAIR_WAYS];
	int signals;

	impair_options_read(&options, argc, argv);
	open_lanes(lanes, &options);
	signals = signals_open();
	prctl(PR_SET_TIMERSLACK, 1);
	setpriority(PRIO_PROCESS, 0, PRIORITY);
	puts("ready");
	fflush(stdout);
	bridge(lanes, signals, options.mtu_bytes);
	for (unsigned way = 0; way < IMPAIR_WAYS; way++)
		impair_path_free(lanes[way].path);
	return EXIT_SUCCESS;
}
