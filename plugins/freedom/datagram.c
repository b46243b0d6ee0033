/* SPDX-License-Identifier: GPL-2.0-or-later */
/* datagram.c - UDP legs: their life, and what comes back.
 *
 * A leg answers open at once and makes its sockets when something is sent to
 * their family. Receiving takes a vector of datagrams a call, each of which may
 * be a train that the kernel put together (UDP_GRO), and delivers the vector.
 * Watches are edge-triggered: a socket that used up its share of a turn is
 * queued at the instance and read on in the next turn.
 *
 * Errors that came back for one datagram wait in the socket's error queue; the
 * next call on the socket fails because of them, which is when they are
 * read. */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "trains.h"
#include "udp.h"

/* Receive calls a socket may make in one turn. */
#define RECEIVE_ROUNDS 8

/* Where a call of recvmmsg puts what it finds. It is filled in once; what a
 * call changes of it is put right again after each, and that is little where a
 * single datagram came. */
struct received {
	struct mmsghdr header[RECEIVE_VECTORS];
	struct iovec room[RECEIVE_VECTORS];
	union sockaddr_any from[RECEIVE_VECTORS];
	_Alignas(struct cmsghdr) char control[RECEIVE_VECTORS]
					     [CMSG_SPACE(sizeof(int))];
};

struct received *received_new(uint8_t *room)
{
	struct received *r = malloc(sizeof *r);

	for (int i = 0; r && i < RECEIVE_VECTORS; i++) {
		r->room[i].iov_base = room + (size_t)i * RECEIVE_ROOM;
		r->room[i].iov_len = RECEIVE_ROOM;
		r->header[i].msg_hdr = (struct msghdr){
			.msg_name = &r->from[i],
			.msg_namelen = sizeof r->from[i],
			.msg_iov = &r->room[i],
			.msg_iovlen = 1,
			.msg_control = r->control[i],
			.msg_controllen = sizeof r->control[i],
		};
	}
	return r;
}

static void received_again(struct received *r, int n)
{
	for (int i = 0; i < n; i++) {
		r->header[i].msg_hdr.msg_namelen = sizeof r->from[i];
		r->header[i].msg_hdr.msg_controllen = sizeof r->control[i];
	}
}

/* Bytes a datagram of a train; 0: it is none. */
static uint16_t train_segment(struct msghdr *m, uint32_t len)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c)) {
		int segment;

		if (c->cmsg_level != IPPROTO_UDP || c->cmsg_type != UDP_GRO)
			continue;
		memcpy(&segment, CMSG_DATA(c), sizeof segment);
		return segment > 0 && (uint32_t)segment < len
			       ? (uint16_t)segment
			       : 0;
	}
	return 0;
}

static void udp_deliver(struct udp *u, struct received *r, int n)
{
	struct freedom *f = u->freedom;
	struct weir_addr peer[RECEIVE_VECTORS];
	struct weir_datagram v[RECEIVE_VECTORS];

	for (int i = 0; i < n; i++) {
		uint32_t len = r->header[i].msg_len;
		uint16_t segment = train_segment(&r->header[i].msg_hdr, len);

		addr_from_sockaddr(&peer[i], &r->from[i]);
		v[i].peer = alias_heard(u, &peer[i]);
		v[i].data = r->room[i].iov_base;
		v[i].len = len;
		v[i].segment = segment;
		*f->n.udp_received +=
			segment ? (len + segment - 1) / segment : 1;
		*f->n.udp_received_bytes += len;
	}
	received_again(r, n);
	f->host->deliver(u->end, v, n);
}

void udp_unreachable(struct udp *u, const struct weir_addr *peer, int err)
{
	u->freedom->host->unreachable(u->end, alias_shown(u, peer), err);
}

void udp_errors(struct udp_socket *k)
{
	struct weir_addr peer;
	int err;

	while (sock_next_error(k->fd, &err, &peer, NULL))
		udp_unreachable(k->udp, &peer, err);
}

/* Deliver what is there. False: there may be more than one turn's share. */
static bool socket_drain(struct udp_socket *k)
{
	struct received *r = k->udp->freedom->received;

	for (int round = 0; round < RECEIVE_ROUNDS; round++) {
		int n;

		/* Lost with its interface: whoever got the last datagrams
		 * answered, and that send closed the socket. */
		if (k->fd < 0)
			return true;
		n = recvmmsg(k->fd, r->header, RECEIVE_VECTORS, MSG_DONTWAIT,
			     NULL);
		if (n > 0)
			udp_deliver(k->udp, r, n);
		else if (n < 0 && errno == EAGAIN)
			return true;
		else
			udp_errors(k);
		/* Fewer than asked for: what comes next makes an edge. */
		if (n > 0 && n < RECEIVE_VECTORS)
			return true;
	}
	return false;
}

static void socket_read(struct udp_socket *k)
{
	struct freedom *f = k->udp->freedom;
	struct udp_socket **at = &f->unread;

	if (k->queued || socket_drain(k))
		return;
	while (*at)
		at = &(*at)->next;
	k->next = NULL;
	k->queued = true;
	*at = k;
	f->host->defer(f->instance, &f->resume);
}

static void socket_ready(void *arg, unsigned events)
{
	(void)events;
	socket_read(arg);
}

/* One more share for each socket that is queued now. */
void udp_resume(struct weir_task *task)
{
	struct freedom *f =
		(struct freedom *)((char *)task -
				   offsetof(struct freedom, resume));
	unsigned count = 0;

	for (struct udp_socket *k = f->unread; k; k = k->next)
		count++;
	while (count-- && f->unread) {
		struct udp_socket *k = f->unread;

		f->unread = k->next;
		k->queued = false;
		socket_read(k);
	}
}

static void socket_init(struct udp_socket *k, struct udp *u)
{
	*k = (struct udp_socket){.udp = u, .fd = -1};
}

struct udp_socket *udp_socket_get(struct udp *u, const struct weir_addr *to)
{
	struct freedom *f = u->freedom;
	enum family family = addr_family(to);
	struct udp_socket *k = &u->socket[family];
	int on = 1, bytes = RECEIVE_BUFFER_BYTES, saved;

	if (k->fd >= 0)
		return k;
	k->fd = sock_new(f, family, SOCK_DGRAM, 0);
	if (k->fd < 0)
		return NULL;
	sock_want_errors(k->fd, family);
	setsockopt(k->fd, IPPROTO_UDP, UDP_GRO, &on, sizeof on);
	setsockopt(k->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	if (family == V6)
		setsockopt(k->fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
	k->watch = f->host->watch_new(f->instance, k->fd, WEIR_READABLE,
				      socket_ready, k);
	if (k->watch)
		return k;
	saved = errno;
	close(k->fd);
	k->fd = -1;
	errno = saved;
	return NULL;
}

static void socket_fini(struct udp_socket *k)
{
	struct freedom *f = k->udp->freedom;
	struct udp_socket **at = &f->unread;

	if (k->queued) {
		while (*at != k)
			at = &(*at)->next;
		*at = k->next;
	}
	if (k->fd < 0)
		return;
	f->host->watch_free(k->watch);
	close(k->fd);
	socket_init(k, k->udp);
}

bool udp_socket_drop_lost(struct udp *u, const struct weir_addr *to)
{
	struct udp_socket *k = &u->socket[addr_family(to)];

	if (k->fd < 0 || !sock_is_lost(k->fd))
		return false;
	socket_fini(k);
	return true;
}

static void udp_close(void *self, int err)
{
	struct udp *u = self;

	(void)err;
	alias_free_all(u);
	for (int i = 0; i < FAMILIES; i++)
		socket_fini(&u->socket[i]);
	free(u);
}

static const struct weir_flow_ops udp_ops = {
	.size = sizeof udp_ops,
	.send = udp_send,
	.close = udp_close,
};

void udp_open(struct freedom *f, struct weir_end *end)
{
	struct udp *u = calloc(1, sizeof *u);

	if (!u) {
		f->host->fail(end, ENOMEM, "out of memory");
		return;
	}
	u->freedom = f;
	u->end = end;
	for (int i = 0; i < FAMILIES; i++)
		socket_init(&u->socket[i], u);
	++*f->n.udp_flows;
	f->host->flow_ready(end, &udp_ops, u);
}
