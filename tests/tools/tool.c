/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Helpers of the load generators.
 *
 * Theory of operation: every tool is one thread around epoll or a blocking
 * socket, says "ready" on a line of its own where somebody waits for it, and
 * prints its result as one line of JSON. */
#include "tool.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#define SOCKET_BYTES (8 << 20)

void tool_die(const char *what)
{
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(EXIT_FAILURE);
}

uint64_t tool_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

long tool_number(const char *text, long least, long most)
{
	char *end;
	long n = strtol(text, &end, 10);

	if (*end || end == text || n < least || n > most) {
		fprintf(stderr, "%s: must be a number from %ld to %ld\n", text,
			least, most);
		exit(64);
	}
	return n;
}

void tool_set_port(struct sockaddr_storage *to, unsigned port)
{
	if (to->ss_family == AF_INET6)
		((struct sockaddr_in6 *)to)->sin6_port = htons((uint16_t)port);
	else
		((struct sockaddr_in *)to)->sin_port = htons((uint16_t)port);
}

socklen_t tool_address(const char *host, unsigned port,
		       struct sockaddr_storage *to)
{
	struct sockaddr_in *four = (struct sockaddr_in *)to;
	struct sockaddr_in6 *six = (struct sockaddr_in6 *)to;

	memset(to, 0, sizeof *to);
	to->ss_family = strchr(host, ':') ? AF_INET6 : AF_INET;
	tool_set_port(to, port);
	if (to->ss_family == AF_INET6 &&
	    inet_pton(AF_INET6, host, &six->sin6_addr) == 1)
		return sizeof *six;
	if (to->ss_family == AF_INET &&
	    inet_pton(AF_INET, host, &four->sin_addr) == 1)
		return sizeof *four;
	fprintf(stderr, "%s: is no address\n", host);
	exit(64);
}

/* Bound also to an address that only a local route makes ours. */
int tool_udp_bound(const char *host, unsigned port)
{
	struct sockaddr_storage at;
	socklen_t len = tool_address(host, port, &at);
	int fd = socket(at.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int on = 1, bytes = SOCKET_BYTES;

	if (fd < 0)
		tool_die("socket");
	if (at.ss_family == AF_INET6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_FREEBIND, &on, sizeof on);
	else
		setsockopt(fd, IPPROTO_IP, IP_FREEBIND, &on, sizeof on);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &bytes, sizeof bytes))
		setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if (bind(fd, (struct sockaddr *)&at, len))
		tool_die("bind");
	return fd;
}

void tool_raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

void tool_times_add(struct tool_times *t, uint64_t us)
{
	if (t->count == t->room) {
		t->room = t->room ? t->room * 2 : 4096;
		t->us = realloc(t->us, t->room * sizeof *t->us);
		if (!t->us)
			tool_die("realloc");
	}
	t->us[t->count++] = us < UINT32_MAX ? (uint32_t)us : UINT32_MAX;
}

static int by_size(const void *a, const void *b)
{
	uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

	return x < y ? -1 : x > y;
}

uint32_t tool_times_percentile(struct tool_times *t, double part)
{
	if (!t->count)
		return 0;
	qsort(t->us, t->count, sizeof *t->us, by_size);
	return t->us[(size_t)((double)(t->count - 1) * part)];
}
