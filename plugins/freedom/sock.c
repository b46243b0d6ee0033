/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sock.c - sockets as the configuration wants them, and the queue of errors
 * about single datagrams.
 *
 * An unconnected UDP socket learns of an ICMP error only as "some datagram
 * failed". With IP_RECVERR the kernel keeps each error together with the
 * destination of the datagram it is about; sock_next_error reads that queue. */
#include <errno.h>
#include <time.h> /* errqueue.h wants struct timespec */

#include <linux/errqueue.h>
#include <net/if.h>
#include <netinet/ip_icmp.h>
#include <unistd.h>

#include "freedom.h"

/* Linux 4.2; not in every libc's headers. */
#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

enum family addr_family(const struct weir_addr *a)
{
	return a->kind == WEIR_ADDR_IP6 ? V6 : V4;
}

static const struct weir_addr *source_of(const struct freedom *f,
					 enum family family)
{
	const struct weir_addr *a = f->conf->send_through.items;

	for (size_t i = 0; i < f->conf->send_through.count; i++)
		if (addr_family(&a[i]) == family)
			return &a[i];
	return NULL;
}

/* False with errno. */
static bool sock_bind(const struct freedom *f, int fd, enum family family,
		      int type)
{
	const struct weir_addr *source = source_of(f, family);
	union sockaddr_any from;
	int on = 1;

	if (f->device && setsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, f->device,
				    (socklen_t)strlen(f->device) + 1) < 0)
		return false;
	if (!source)
		return true;
	/* The port is chosen at connect: the pair, not the port, is unique. */
	if (type == SOCK_STREAM)
		setsockopt(fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on,
			   sizeof on);
	return bind(fd, &from.sa, addr_to_sockaddr(source, &from)) == 0;
}

int sock_new(struct freedom *f, enum family family, int type, int protocol)
{
	int fd, saved;

	fd = f->host->socket(f->instance, family == V6 ? AF_INET6 : AF_INET,
			     type, protocol);
	if (fd >= 0 && sock_bind(f, fd, family, type))
		return fd;
	saved = errno;
	if (fd >= 0)
		close(fd);
	/* This machine has no such family: it leads nowhere. */
	if (saved == EAFNOSUPPORT)
		saved = ENETUNREACH;
	/* Nor is the interface there. It may come, so clients are told that the
	 * network is down. */
	if (saved == ENODEV)
		saved = ENETDOWN;
	errno = saved;
	return -1;
}

int sock_errno(void)
{
	return errno == EINVAL ? ENETUNREACH : errno;
}

bool sock_is_lost(int fd)
{
	char name[IFNAMSIZ];
	socklen_t len = sizeof name;

	return getsockopt(fd, SOL_SOCKET, SO_BINDTODEVICE, name, &len) < 0 &&
	       errno == ENODEV;
}

void sock_want_errors(int fd, enum family family)
{
	int on = 1;

	if (family == V6)
		setsockopt(fd, IPPROTO_IPV6, IPV6_RECVERR, &on, sizeof on);
	else
		setsockopt(fd, IPPROTO_IP, IP_RECVERR, &on, sizeof on);
}

static const struct sock_extended_err *error_of(struct msghdr *m)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_RECVERR)
			return (const void *)CMSG_DATA(c);
		if (c->cmsg_level == IPPROTO_IPV6 &&
		    c->cmsg_type == IPV6_RECVERR)
			return (const void *)CMSG_DATA(c);
	}
	return NULL;
}

/* For these codes the kernel's errno says that the host or network is
 * unreachable. That may pass, so a client's socket would not report it. */
static bool is_prohibited(const struct sock_extended_err *e)
{
	return e->ee_origin == SO_EE_ORIGIN_ICMP &&
	       e->ee_type == ICMP_DEST_UNREACH &&
	       (e->ee_code == ICMP_NET_ANO || e->ee_code == ICMP_HOST_ANO ||
		e->ee_code == ICMP_PKT_FILTERED);
}

bool sock_next_error(int fd, int *err, struct weir_addr *peer,
		     struct iovec *quoted)
{
	for (;;) {
		union sockaddr_any about;
		_Alignas(struct cmsghdr) char control[512];
		struct msghdr m = {.msg_name = &about,
				   .msg_namelen = sizeof about,
				   .msg_control = control,
				   .msg_controllen = sizeof control,
				   .msg_iov = quoted,
				   .msg_iovlen = quoted != NULL};
		const struct sock_extended_err *e;
		ssize_t len = recvmsg(fd, &m, MSG_ERRQUEUE | MSG_DONTWAIT);

		if (len < 0)
			return false;
		e = error_of(&m);
		/* Local errors were already returned by the send itself. */
		if (!e || e->ee_origin == SO_EE_ORIGIN_LOCAL || !e->ee_errno ||
		    !m.msg_namelen)
			continue;
		*err = is_prohibited(e) ? EACCES : (int)e->ee_errno;
		addr_from_sockaddr(peer, &about);
		if (quoted)
			quoted->iov_len = (size_t)len;
		return true;
	}
}

bool sock_reachable(struct freedom *f, const struct weir_addr *a)
{
	union sockaddr_any to;
	socklen_t len = addr_to_sockaddr(a, &to);
	int fd = sock_new(f, addr_family(a), SOCK_DGRAM, 0);
	bool ok;

	if (fd < 0)
		return false;
	ok = connect(fd, &to.sa, len) == 0;
	close(fd);
	return ok;
}

static bool keeps_host(const struct weir_addr *a)
{
	static const uint8_t unspecified[16];

	return a->kind == WEIR_ADDR_NONE ||
	       (a->kind == WEIR_ADDR_IP4 && !memcmp(a->ip, unspecified, 4)) ||
	       (a->kind == WEIR_ADDR_IP6 && !memcmp(a->ip, unspecified, 16));
}

struct weir_addr freedom_target(const struct freedom *f,
				const struct weir_addr *target)
{
	const struct weir_addr *redirect = &f->conf->redirect;
	struct weir_addr to = keeps_host(redirect) ? *target : *redirect;

	to.port = redirect->port ? redirect->port : target->port;
	return to;
}
