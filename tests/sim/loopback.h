/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loopback.h - the far side of a test: plain blocking sockets on 127.0.0.1 and
 * ::1, with a time limit so that a test fails rather than hangs. */
#ifndef WEIR_LOOPBACK_H
#define WEIR_LOOPBACK_H

#include <stdlib.h>
#include <unistd.h>
#include <weir/base.h>

#define LOOPBACK_WAIT_S 3

static inline struct weir_addr loopback_addr(int domain, uint16_t port)
{
	struct weir_addr a = {.kind = WEIR_ADDR_IP4, .port = port};

	if (domain == AF_INET6) {
		a.kind = WEIR_ADDR_IP6;
		a.ip[15] = 1;
	} else {
		a.ip[0] = 127;
		a.ip[3] = 1;
	}
	return a;
}

/* Bound to a free port, which *bound tells; a SOCK_STREAM one listens. */
static inline int loopback_new(int domain, int type, struct weir_addr *bound)
{
	struct sockaddr_in in = {.sin_family = AF_INET};
	struct sockaddr_in6 in6 = {.sin6_family = AF_INET6,
				   .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct timeval limit = {.tv_sec = LOOPBACK_WAIT_S};
	bool v6 = domain == AF_INET6;
	socklen_t len = v6 ? sizeof in6 : sizeof in;
	struct sockaddr *sa = v6 ? (void *)&in6 : (void *)&in;
	int fd = socket(domain, type | SOCK_CLOEXEC, 0);

	in.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, sa, len) || getsockname(fd, sa, &len) ||
	    (type == SOCK_STREAM && listen(fd, 16)))
		abort();
	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
	*bound = loopback_addr(domain, ntohs(v6 ? in6.sin6_port : in.sin_port));
	return fd;
}

/* A loopback address on which nothing listens. */
static inline struct weir_addr loopback_closed(int domain, int type)
{
	struct weir_addr a;

	close(loopback_new(domain, type, &a));
	return a;
}

#endif
