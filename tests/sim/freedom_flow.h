/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freedom_flow.h - both sides of a flow through freedom: what the core sends,
 * and a socket on loopback that hears it and replies. */
#ifndef WEIR_FREEDOM_FLOW_H
#define WEIR_FREEDOM_FLOW_H

#include <check.h>
#include <unistd.h>

#include "../../plugins/freedom/udp.h"
#include "freedom_preset.h"
#include "loopback.h"
#include "realhost.h"

static inline int flow_send(struct weir_end *e, const struct weir_addr *peer,
			    const void *data, uint32_t len, uint16_t segment)
{
	struct weir_datagram d = {peer, data, len, segment};

	return e->flow->send(e->object, &d, 1);
}

/* Receive at a peer; where the flow's datagrams come from goes to *from. */
static inline ssize_t peer_receive(int fd, void *room, size_t len,
				   union sockaddr_any *from)
{
	socklen_t from_len = sizeof *from;

	return recvfrom(fd, room, len, 0, &from->sa, &from_len);
}

static inline void peer_reply(int fd, const void *data, size_t len,
			      const union sockaddr_any *to)
{
	socklen_t to_len =
		to->sa.sa_family == AF_INET6 ? sizeof to->in6 : sizeof to->in;

	ck_assert_int_eq(sendto(fd, data, len, 0, &to->sa, to_len),
			 (ssize_t)len);
}

/* A flow and three peers. */
struct net {
	struct freedom_conf conf;
	struct weir_instance *host;
	struct weir_end *end;
	int fd[3];
	struct weir_addr peer[3];
};

static inline void net_init(struct net *t, int domain,
			    const struct real_name *names)
{
	memset(t, 0, sizeof *t);
	t->host = real_new(FREEDOM, &t->conf, names);
	for (int i = 0; i < 3; i++)
		t->fd[i] = loopback_new(domain, SOCK_DGRAM, &t->peer[i]);
	t->end = real_open(t->host, &t->peer[0], WEIR_NET_UDP);
	ck_assert_ptr_nonnull(t->end->flow);
}

static inline void net_fini(struct net *t)
{
	real_end_free(t->end, 0);
	for (int i = 0; i < 3; i++)
		close(t->fd[i]);
	ck_assert_uint_eq(real_free(t->host), 0);
}

/* A peer learns where the flow's datagrams come from. */
static inline void ask(struct weir_end *e, const struct weir_addr *peer, int fd,
		       union sockaddr_any *from)
{
	char room[8];

	flow_send(e, peer, "ask", 3, 0);
	ck_assert_int_eq(peer_receive(fd, room, sizeof room, from), 3);
}

#endif
