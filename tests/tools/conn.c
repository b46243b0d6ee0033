/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn: TCP connections as load.
 *
 *   conn serve FIRST-PORT PORTS              answer 64 bytes with 64 bytes
 *   conn rate HOST FIRST-PORT PORTS IN-FLIGHT SECONDS
 *                                            connect, ask, close, as often as
 *                                            it goes
 *   conn ask HOST FIRST-PORT PORTS CONNECTIONS SECONDS
 *                                            on each, one question after the
 *                                            other
 *   conn pong HOST PORT SECONDS              one connection, one question
 *                                            under way
 *   conn idle HOST FIRST-PORT PORTS COUNT SECONDS
 *                                            open COUNT, say "open", hold them
 *
 * Theory of operation: one epoll loop a job. The server serves many ports
 * because a client that goes to one runs out of local ports: it is the kernel
 * that would be measured. Results are one line of JSON. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "tool.h"

#define QUESTION_BYTES 64
#define EVENTS 256
#define BACKLOG 4096
#define SECOND_US 1000000
#define OPENING_MAX 128 /* idle connections being opened at once */

static char question[QUESTION_BYTES];

static void watch(int epoll, int fd, uint32_t events, uint64_t data)
{
	struct epoll_event e = {.events = events, .data.u64 = data};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &e))
		tool_die("epoll_ctl");
}

static int door(unsigned port)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6,
				  .sin6_port = htons((uint16_t)port)};
	int fd = socket(AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int on = 1, off = 0;

	if (fd < 0)
		tool_die("socket");
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
	setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
	if (bind(fd, (struct sockaddr *)&at, sizeof at) || listen(fd, BACKLOG))
		tool_die("listen");
	return fd;
}

static void welcome(int epoll, int from)
{
	int fd, on = 1;

	while ((fd = accept4(from, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		watch(epoll, fd, EPOLLIN, (uint64_t)fd);
	}
}

static void reply(int fd)
{
	ssize_t n = read(fd, question, sizeof question);

	if (n > 0)
		n = write(fd, question, (size_t)n);
	if (n == 0 || (n < 0 && errno != EAGAIN))
		close(fd);
}

_Noreturn static void serve(unsigned first, unsigned ports)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), first_fd = -1, last_fd = -1;
	struct epoll_event events[EVENTS];

	for (unsigned i = 0; i < ports; i++) {
		last_fd = door(first + i);
		if (first_fd < 0)
			first_fd = last_fd;
		watch(epoll, last_fd, EPOLLIN, (uint64_t)last_fd);
	}
	puts("ready");
	fflush(stdout);
	for (;;) {
		int n = epoll_wait(epoll, events, EVENTS, -1);

		for (int i = 0; i < n; i++) {
			int fd = (int)events[i].data.u64;

			if (fd >= first_fd && fd <= last_fd)
				welcome(epoll, fd);
			else
				reply(fd);
		}
	}
}

/* What a client goes to: one port after the other. */
struct target {
	struct sockaddr_storage to;
	socklen_t len;
	unsigned first, ports, next;
};

static struct target target_of(const char *host, unsigned first, unsigned ports)
{
	struct target t = {.first = first, .ports = ports};

	t.len = tool_address(host, first, &t.to);
	return t;
}

/* A connect under way; -1 with errno where it failed at once. */
static int begin(struct target *t)
{
	int fd = socket(t->to.ss_family, SOCK_STREAM | SOCK_NONBLOCK, 0);
	int on = 1;

	if (fd < 0)
		return -1;
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	tool_set_port(&t->to, t->first + t->next++ % t->ports);
	if (connect(fd, (struct sockaddr *)&t->to, t->len) &&
	    errno != EINPROGRESS) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}

struct visit {
	uint64_t begun_us;
	int fd;
	bool asked;
};

static bool visit_begin(struct visit *v, struct target *t, int epoll,
			uint64_t index)
{
	v->fd = begin(t);
	v->asked = false;
	v->begun_us = tool_now_us();
	if (v->fd < 0)
		return false;
	watch(epoll, v->fd, EPOLLOUT, index);
	return true;
}

/* True when the visit is over; *ok tells whether it was answered. */
static bool visit_step(struct visit *v, int epoll, uint64_t index, bool *ok)
{
	struct epoll_event e = {.events = EPOLLIN, .data.u64 = index};
	ssize_t n;

	*ok = false;
	if (!v->asked) {
		n = write(v->fd, question, sizeof question);
		v->asked = true;
		return n < 0 || epoll_ctl(epoll, EPOLL_CTL_MOD, v->fd, &e);
	}
	n = read(v->fd, question, sizeof question);
	if (n < 0 && errno == EAGAIN)
		return false;
	*ok = n > 0;
	return true;
}

static int rate(struct target t, unsigned flight, long seconds)
{
	struct visit *visits = calloc(flight, sizeof *visits);
	struct epoll_event events[EVENTS];
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	uint64_t start_us = tool_now_us(), now_us = start_us, failed = 0;
	uint64_t end_us = start_us + (uint64_t)seconds * SECOND_US;
	struct tool_times times = {0};

	for (unsigned i = 0; visits && i < flight; i++)
		if (!visit_begin(&visits[i], &t, epoll, i))
			tool_die("connect");
	while (now_us < end_us) {
		int n = epoll_wait(epoll, events, EVENTS, 100);

		now_us = tool_now_us();
		for (int i = 0; i < n; i++) {
			uint64_t index = events[i].data.u64;
			struct visit *v = &visits[index];
			bool ok;

			if (!visit_step(v, epoll, index, &ok))
				continue;
			close(v->fd);
			if (ok)
				tool_times_add(&times, now_us - v->begun_us);
			else
				failed++;
			while (!visit_begin(v, &t, epoll, index))
				failed++;
		}
	}
	printf("{\"visits\": %zu, \"failed\": %llu, \"seconds\": %.6f, "
	       "\"p50_us\": %u, \"p99_us\": %u}\n",
	       times.count, (unsigned long long)failed,
	       (double)(now_us - start_us) / SECOND_US,
	       tool_times_percentile(&times, 0.50),
	       tool_times_percentile(&times, 0.99));
	free(visits);
	return 0;
}

/* Answers are as long as questions, and the next one follows. */
static uint64_t ask_on(int epoll)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(epoll, events, EVENTS, 100);
	uint64_t answers = 0;

	for (int i = 0; i < n; i++) {
		int fd = (int)events[i].data.u64;
		ssize_t got = read(fd, question, sizeof question);

		if (got < 0 && errno == EAGAIN)
			continue;
		if (got != sizeof question ||
		    write(fd, question, sizeof question) != sizeof question)
			tool_die("an answer");
		answers++;
	}
	return answers;
}

static int ask(struct target t, unsigned count, long seconds)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC), on = 1;
	uint64_t start_us, now_us, answers = 0;

	for (unsigned i = 0; i < count; i++) {
		int fd = socket(t.to.ss_family, SOCK_STREAM, 0);

		tool_set_port(&t.to, t.first + t.next++ % t.ports);
		if (fd < 0 || connect(fd, (struct sockaddr *)&t.to, t.len))
			tool_die("connect");
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
		watch(epoll, fd, EPOLLIN, (uint64_t)fd);
		if (write(fd, question, sizeof question) < 0)
			tool_die("write");
	}
	start_us = now_us = tool_now_us();
	while (now_us < start_us + (uint64_t)seconds * SECOND_US) {
		answers += ask_on(epoll);
		now_us = tool_now_us();
	}
	printf("{\"answers\": %llu, \"seconds\": %.6f}\n",
	       (unsigned long long)answers,
	       (double)(now_us - start_us) / SECOND_US);
	return 0;
}

static void read_whole(int fd)
{
	for (size_t got = 0; got < sizeof question;) {
		ssize_t n = read(fd, question, sizeof question - got);

		if (n <= 0)
			tool_die("read");
		got += (size_t)n;
	}
}

static int pong(const char *host, unsigned port, long seconds)
{
	struct sockaddr_storage to;
	socklen_t len = tool_address(host, port, &to);
	int fd = socket(to.ss_family, SOCK_STREAM, 0), on = 1;
	uint64_t start_us = tool_now_us(), now_us = start_us;
	struct tool_times times = {0};

	if (fd < 0 || connect(fd, (struct sockaddr *)&to, len))
		tool_die("connect");
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
	while (now_us < start_us + (uint64_t)seconds * SECOND_US) {
		uint64_t asked_us = tool_now_us();

		if (write(fd, question, sizeof question) < 0)
			tool_die("write");
		read_whole(fd);
		now_us = tool_now_us();
		tool_times_add(&times, now_us - asked_us);
	}
	printf("{\"trips\": %zu, \"p50_us\": %u, \"p99_us\": %u}\n",
	       times.count, tool_times_percentile(&times, 0.50),
	       tool_times_percentile(&times, 0.99));
	return 0;
}

/* Waits until one of those under way is open; counts what failed. */
static void await_open(int epoll, unsigned *away, unsigned *open,
		       unsigned *failed)
{
	struct epoll_event events[EVENTS];
	int n = epoll_wait(epoll, events, EVENTS, 5000);

	if (n <= 0) { /* nobody answers any more */
		*failed += *away;
		*away = 0;
	}
	for (int i = 0; i < n; i++) {
		int fd = (int)events[i].data.u64, err = 0;
		socklen_t len = sizeof err;

		getsockopt(fd, SOL_SOCKET, SO_ERROR, &err, &len);
		epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
		--*away;
		++*(err ? failed : open);
	}
}

static int idle(struct target t, unsigned count, long seconds)
{
	int epoll = epoll_create1(EPOLL_CLOEXEC);
	unsigned away = 0, open = 0, failed = 0;

	while (open + failed < count) {
		while (away < OPENING_MAX && open + failed + away < count) {
			int fd = begin(&t);

			if (fd < 0) {
				failed++;
				continue;
			}
			watch(epoll, fd, EPOLLOUT, (uint64_t)fd);
			away++;
		}
		if (away)
			await_open(epoll, &away, &open, &failed);
	}
	printf("{\"open\": %u, \"failed\": %u}\n", open, failed);
	fflush(stdout);
	sleep((unsigned)seconds);
	return 0;
}

static int usage(void)
{
	fputs("usage: conn serve FIRST-PORT PORTS\n"
	      "       conn rate HOST FIRST-PORT PORTS IN-FLIGHT SECONDS\n"
	      "       conn ask HOST FIRST-PORT PORTS CONNECTIONS SECONDS\n"
	      "       conn pong HOST PORT SECONDS\n"
	      "       conn idle HOST FIRST-PORT PORTS COUNT SECONDS\n",
	      stderr);
	return 64;
}

static unsigned argument(char **argv, int at)
{
	return (unsigned)tool_number(argv[at], 1, 1000000);
}

int main(int argc, char **argv)
{
	const char *job = argc > 1 ? argv[1] : "";

	tool_raise_fd_limit();
	if (!strcmp(job, "serve") && argc == 4)
		serve(argument(argv, 2), argument(argv, 3));
	if (!strcmp(job, "pong") && argc == 5)
		return pong(argv[2], argument(argv, 3), argument(argv, 4));
	if (!strcmp(job, "rate") && argc == 7)
		return rate(target_of(argv[2], argument(argv, 3),
				      argument(argv, 4)),
			    argument(argv, 5), argument(argv, 6));
	if (!strcmp(job, "ask") && argc == 7)
		return ask(target_of(argv[2], argument(argv, 3),
				     argument(argv, 4)),
			   argument(argv, 5), argument(argv, 6));
	if (!strcmp(job, "idle") && argc == 7)
		return idle(target_of(argv[2], argument(argv, 3),
				      argument(argv, 4)),
			    argument(argv, 5), argument(argv, 6));
	return usage();
}
