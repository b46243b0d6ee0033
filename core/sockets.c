/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that may leave weir: all of them are made here, so that none can
 * forget the mark or the interface. Failing to set either fails the socket. */
#include "sockets.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

int sockets_guard(const struct config *c, int fd)
{
	if (c->mark &&
	    setsockopt(fd, SOL_SOCKET, SO_MARK, &c->mark, sizeof c->mark) < 0)
		return -1;
	if (c->interface &&
	    setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, c->interface,
		       (socklen_t)strlen(c->interface) + 1) < 0)
		return -1;
	return 0;
}

int sockets_new(const struct config *c, int domain, int type, int protocol)
{
	int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	if (fd >= 0 && sockets_guard(c, fd) < 0) {
		int saved = errno;

		close(fd);
		errno = saved;
		return -1;
	}
	return fd;
}
