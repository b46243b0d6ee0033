/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Sockets that may leave weir: all of them are made here, so that none can
 * forget the mark or the interface. Failing to set either fails the socket.
 * What goes to the loopback of this machine leaves nothing: bound to another
 * interface it would only get lost. */
#include "sockets.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr.h"
#include "log.h"

static bool mark(const struct config *c, int fd)
{
	return !c->mark || setsockopt(fd, SOL_SOCKET, SO_MARK, &c->mark,
				      sizeof c->mark) == 0;
}

static bool bind_interface(const struct config *c, int fd)
{
	return !c->interface ||
	       setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, c->interface,
			  (socklen_t)strlen(c->interface) + 1) == 0;
}

static bool guard_try(const struct config *c, int fd, struct weir_error *e)
{
	if (!mark(c, fd))
		return weir_error(e, NULL, "%.60s: sockets.mark: %u: %s%s",
				  c->file, c->mark, strerror(errno),
				  errno == EPERM ? "; it takes CAP_NET_ADMIN"
						 : "");
	if (bind_interface(c, fd))
		return true;
	if (errno != ENODEV)
		return weir_error(e, NULL, "%.60s: sockets.interface: %s: %s",
				  c->file, c->interface, strerror(errno));
	log_line(WEIR_WARN, "weir",
		 "sockets.interface: there is no %s; until there is, nothing "
		 "leaves weir",
		 c->interface);
	return true;
}

bool sockets_try(const struct config *c, struct weir_error *e)
{
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool ok = fd < 0 || guard_try(c, fd, e);

	if (fd >= 0)
		close(fd);
	return ok;
}

static int made(int fd, bool guarded)
{
	int saved = errno;

	if (fd < 0 || guarded)
		return fd;
	close(fd);
	errno = saved;
	return -1;
}

int sockets_new_local(const struct config *c, int domain, int type,
		      int protocol)
{
	int fd = socket(domain, type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol);

	return made(fd, fd >= 0 && mark(c, fd));
}

int sockets_new(const struct config *c, int domain, int type, int protocol)
{
	int fd = sockets_new_local(c, domain, type, protocol);

	return made(fd, fd >= 0 && bind_interface(c, fd));
}

int sockets_connect(const struct config *c, int fd, const struct sockaddr *to,
		    socklen_t len)
{
	struct weir_addr a;

	if (!(addr_from_sockaddr(to, &a) && addr_is_loopback(&a)) &&
	    !bind_interface(c, fd))
		return -1;
	return connect(fd, to, len);
}
