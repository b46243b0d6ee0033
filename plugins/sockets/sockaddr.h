/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockaddr.h - addresses as the kernel wants them, and back. */
#ifndef SOCKADDR_H
#define SOCKADDR_H

#include <netinet/in.h>
#include <string.h>

#include <weir/base.h>

union sockaddr_any {
	struct sockaddr sa;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

static inline socklen_t addr_to_sockaddr(const struct weir_addr *a,
					 union sockaddr_any *to)
{
	if (a->kind == WEIR_ADDR_IP6) {
		to->in6 = (struct sockaddr_in6){.sin6_family = AF_INET6,
						.sin6_port = htons(a->port)};
		memcpy(&to->in6.sin6_addr, a->ip, 16);
		return sizeof to->in6;
	}
	to->in = (struct sockaddr_in){.sin_family = AF_INET,
				      .sin_port = htons(a->port)};
	memcpy(&to->in.sin_addr, a->ip, 4);
	return sizeof to->in;
}

static inline void addr_from_sockaddr(struct weir_addr *a,
				      const union sockaddr_any *from)
{
	if (from->sa.sa_family == AF_INET6) {
		a->kind = WEIR_ADDR_IP6;
		a->port = ntohs(from->in6.sin6_port);
		memcpy(a->ip, &from->in6.sin6_addr, 16);
		return;
	}
	a->kind = WEIR_ADDR_IP4;
	a->port = ntohs(from->in.sin_port);
	memcpy(a->ip, &from->in.sin_addr, 4);
}

#endif
