/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp.c - the life of the sockets.
 *
 * Both families share one port number: the first to be bound gets a free one,
 * the second must have the same; where that is taken, both try again. A machine
 * without one of the families does with the other. The watches are
 * edge-triggered: reading goes on until nothing is left. Room is watched for
 * only while a socket is full, by a descriptor of its own since one has one
 * watch: each datagram that leaves makes an edge of it, and would wake the loop
 * for nothing.
 *
 * ICMP errors are not asked for: anyone can forge them. The kernel still
 * learns path MTUs from them and cuts larger datagrams into fragments. */
#include "udp_private.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define BUFFER_BYTES (7 << 20) /* of each direction: a burst must fit */
#define PORT_TRIES 16

socklen_t wg_sockaddr_of(const struct wg_endpoint *e, union sockaddr_any *to)
{
	socklen_t len = addr_to_sockaddr(&e->addr, to);

	if (e->addr.kind == WEIR_ADDR_IP6)
		to->in6.sin6_scope_id = e->scope;
	return len;
}

void wg_endpoint_of(struct wg_endpoint *e, const union sockaddr_any *from)
{
	memset(e, 0, sizeof *e);
	addr_from_sockaddr(&e->addr, from);
	if (e->addr.kind == WEIR_ADDR_IP6)
		e->scope = from->in6.sin6_scope_id;
}

static void socket_ready(void *arg, unsigned events)
{
	if (events & WEIR_READABLE)
		wg_udp_read(arg);
}

static void stop_awaiting_room(struct wg_udp_socket *k)
{
	if (!k->full)
		return;
	k->udp->host->watch_free(k->full);
	k->full = NULL;
	close(k->full_fd);
}

static void room_ready(void *arg, unsigned events)
{
	struct wg_udp_socket *k = arg;
	struct wg_udp *u = k->udp;

	if (!(events & WEIR_WRITABLE))
		return;
	stop_awaiting_room(k);
	u->ops->writable(u->arg);
}

bool wg_udp_await_room(struct wg_udp_socket *k)
{
	struct wg_udp *u = k->udp;

	if (k->full)
		return true;
	k->full_fd = fcntl(k->fd, F_DUPFD_CLOEXEC, 0);
	if (k->full_fd < 0)
		return false;
	k->full = u->host->watch_new(u->instance, k->full_fd, WEIR_WRITABLE,
				     room_ready, k);
	if (!k->full)
		close(k->full_fd);
	return k->full;
}

static void set(int fd, int level, int name, int value)
{
	setsockopt(fd, level, name, &value, sizeof value);
}

/* The FORCE forms pass the system's bound, where we are allowed to. */
static void buffer_set(int fd, int forced, int plain)
{
	int bytes = BUFFER_BYTES;

	if (setsockopt(fd, SOL_SOCKET, forced, &bytes, sizeof bytes) < 0)
		setsockopt(fd, SOL_SOCKET, plain, &bytes, sizeof bytes);
}

/* What cannot be had is done without: trains, sticky sources, ECN. */
static void socket_tune(int fd, int family)
{
	buffer_set(fd, SO_RCVBUFFORCE, SO_RCVBUF);
	buffer_set(fd, SO_SNDBUFFORCE, SO_SNDBUF);
	set(fd, IPPROTO_UDP, UDP_GRO, 1);
	if (family == WG_V6) {
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		set(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
	} else {
		set(fd, IPPROTO_IP, IP_PKTINFO, 1);
		set(fd, IPPROTO_IP, IP_RECVTOS, 1);
	}
}

static int socket_bind(struct wg_udp_socket *k, const struct weir_addr *address,
		       uint16_t port)
{
	struct wg_endpoint own = {.addr = *address};
	union sockaddr_any sa;
	socklen_t len;

	if (address->kind == WEIR_ADDR_NONE)
		own.addr.kind = k == &k->udp->socket[WG_V6] ? WEIR_ADDR_IP6
							    : WEIR_ADDR_IP4;
	own.addr.port = port;
	len = wg_sockaddr_of(&own, &sa);
	if (bind(k->fd, &sa.sa, len) < 0 ||
	    getsockname(k->fd, &sa.sa, &len) < 0)
		return errno;
	wg_endpoint_of(&own, &sa);
	k->udp->port = own.addr.port;
	return 0;
}

static int socket_open(struct wg_udp *u, int family,
		       const struct weir_addr *address, uint16_t port,
		       uint32_t mark)
{
	struct wg_udp_socket *k = &u->socket[family];
	int err;

	k->singly_until_us = 0;
	k->fd = u->host->socket(u->instance,
				family == WG_V6 ? AF_INET6 : AF_INET,
				SOCK_DGRAM, 0);
	if (k->fd < 0)
		return errno;
	socket_tune(k->fd, family);
	if (mark &&
	    setsockopt(k->fd, SOL_SOCKET, SO_MARK, &mark, sizeof mark) < 0)
		return errno;
	err = socket_bind(k, address, port);
	if (err)
		return err;
	k->watch = u->host->watch_new(u->instance, k->fd, WEIR_READABLE,
				      socket_ready, k);
	return k->watch ? 0 : errno;
}

void wg_udp_close(struct wg_udp *u)
{
	for (int i = 0; i < WG_FAMILIES; i++) {
		struct wg_udp_socket *k = &u->socket[i];

		stop_awaiting_room(k);
		if (k->watch)
			u->host->watch_free(k->watch);
		k->watch = NULL;
		if (k->fd >= 0)
			close(k->fd);
		k->fd = -1;
		k->unread = false;
	}
	u->port = 0;
}

static bool family_missing(int err)
{
	return err == EAFNOSUPPORT || err == EADDRNOTAVAIL;
}

/* Both families, or the one that this machine has. */
static int open_both(struct wg_udp *u, uint16_t port, uint32_t mark)
{
	const struct weir_addr any = {.kind = WEIR_ADDR_NONE};
	int err4 = socket_open(u, WG_V4, &any, port, mark), err6;

	if (err4 && !family_missing(err4))
		return err4;
	err6 = socket_open(u, WG_V6, &any, err4 ? port : u->port, mark);
	if (!err6 || (!err4 && family_missing(err6)))
		return 0;
	return err6;
}

int wg_udp_open(struct wg_udp *u, const struct weir_addr *address,
		uint16_t port, uint32_t mark)
{
	int family = address->kind == WEIR_ADDR_IP6 ? WG_V6 : WG_V4;
	int err = ENOMEM;

	wg_udp_close(u);
	for (int i = 0; wg_udp_room(u) && i < PORT_TRIES; i++) {
		err = address->kind == WEIR_ADDR_NONE
			      ? open_both(u, port, mark)
			      : socket_open(u, family, address, port, mark);
		if (!err)
			return 0;
		wg_udp_close(u);
		if (port || err != EADDRINUSE)
			break;
	}
	return err;
}

uint16_t wg_udp_port(const struct wg_udp *u)
{
	return u->port;
}

struct wg_udp *wg_udp_new(struct weir_instance *instance,
			  const struct weir_host *host,
			  const struct wg_udp_ops *ops, void *arg)
{
	static const char *const names[WG_UDP_COUNTS] = {
		[WG_UDP_SENT] = "udp_sent",
		[WG_UDP_SENT_TRAINS] = "udp_sent_trains",
		[WG_UDP_RECEIVED] = "udp_received",
		[WG_UDP_RECEIVED_TRAINS] = "udp_received_trains",
		[WG_UDP_FULL] = "udp_full",
		[WG_UDP_FAILED] = "udp_failed",
	};
	struct wg_udp *u = calloc(1, sizeof *u);

	if (!u)
		return NULL;
	u->instance = instance;
	u->host = host;
	u->ops = ops;
	u->arg = arg;
	u->resume.run = wg_udp_resume;
	for (int i = 0; i < WG_FAMILIES; i++) {
		u->socket[i].udp = u;
		u->socket[i].fd = -1;
	}
	for (int i = 0; i < WG_UDP_COUNTS; i++)
		u->count[i] = host->counter(instance, names[i]);
	return u;
}

void wg_udp_free(struct wg_udp *u)
{
	if (!u)
		return;
	wg_udp_close(u);
	free(u->room);
	free(u);
}
