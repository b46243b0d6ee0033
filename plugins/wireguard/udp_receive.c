/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp_receive.c - trains in.
 *
 * One call takes several trains, each with who sent it, the address it was
 * sent to, and its DSCP and ECN. Where trains are long it takes two: more would
 * be out of the cache before they are opened. A socket that used up its share
 * of a turn is read on in the next, so that what came is passed on before it
 * goes cold, and a flood leaves room for the rest of weir. */
#include "udp_private.h"

#include <errno.h>
#include <stdlib.h>

#include "pages.h"

#define VECTORS 8
#define VECTORS_LONG 2	   /* of trains longer than LONG_BYTES */
#define VECTOR_BYTES 65536 /* a train's bound */
#define LONG_BYTES 16384
#define ROUNDS 8	     /* calls a socket and turn, */
#define TURN_BYTES (1 << 18) /* or about so many bytes */

/* Room for the control messages of one train. */
#define CONTROL_BYTES                                                          \
	(CMSG_SPACE(sizeof(struct in6_pktinfo)) + 2 * CMSG_SPACE(sizeof(int)))

struct received {
	struct mmsghdr header[VECTORS];
	struct iovec room[VECTORS];
	union sockaddr_any from[VECTORS];
	_Alignas(struct cmsghdr) char control[VECTORS][CONTROL_BYTES];
	struct wg_endpoint endpoint[VECTORS];
	struct wg_datagrams train[VECTORS];
};

bool wg_udp_room(struct wg_udp *u)
{
	/* Large and mostly never touched: the kernel gives pages on use. */
	if (!u->room)
		u->room = malloc((size_t)VECTORS * VECTOR_BYTES);
	return u->room;
}

void wg_udp_trim(struct wg_udp *u)
{
	if (u->room)
		pages_give_back(u->room, (size_t)VECTORS * VECTOR_BYTES);
}

static void received_init(struct received *r, uint8_t *room, int vectors)
{
	for (int i = 0; i < vectors; i++) {
		r->room[i].iov_base = room + (size_t)i * VECTOR_BYTES;
		r->room[i].iov_len = VECTOR_BYTES;
		r->header[i].msg_hdr = (struct msghdr){
			.msg_name = &r->from[i],
			.msg_namelen = sizeof r->from[i],
			.msg_iov = &r->room[i],
			.msg_iovlen = 1,
			.msg_control = r->control[i],
			.msg_controllen = CONTROL_BYTES,
		};
	}
}

static void note_local4(struct wg_endpoint *e, const void *data)
{
	struct in_pktinfo info;

	memcpy(&info, data, sizeof info);
	e->local.kind = WEIR_ADDR_IP4;
	memcpy(e->local.ip, &info.ipi_spec_dst, 4);
	e->local_if = (uint32_t)info.ipi_ifindex;
}

static void note_local6(struct wg_endpoint *e, const void *data)
{
	struct in6_pktinfo info;

	memcpy(&info, data, sizeof info);
	e->local.kind = WEIR_ADDR_IP6;
	memcpy(e->local.ip, &info.ipi6_addr, 16);
	e->local_if = (uint32_t)info.ipi6_ifindex;
}

static void note_segment(struct wg_datagrams *t, const void *data)
{
	int segment;

	memcpy(&segment, data, sizeof segment);
	if (segment > 0 && (uint32_t)segment < t->len)
		t->segment = (uint16_t)segment;
}

static void note(struct wg_datagrams *t, struct wg_endpoint *e,
		 const struct cmsghdr *c)
{
	const void *data = CMSG_DATA(c);
	int value;

	if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO) {
		note_segment(t, data);
	} else if (c->cmsg_level == IPPROTO_IP) {
		if (c->cmsg_type == IP_PKTINFO)
			note_local4(e, data);
		else if (c->cmsg_type == IP_TOS)
			t->tos = *(const uint8_t *)data;
	} else if (c->cmsg_level == IPPROTO_IPV6) {
		if (c->cmsg_type == IPV6_PKTINFO) {
			note_local6(e, data);
		} else if (c->cmsg_type == IPV6_TCLASS) {
			memcpy(&value, data, sizeof value);
			t->tos = (uint8_t)value;
		}
	}
}

static void train_init(struct received *r, int i)
{
	struct msghdr *m = &r->header[i].msg_hdr;
	struct wg_endpoint *e = &r->endpoint[i];
	struct wg_datagrams *t = &r->train[i];

	wg_endpoint_of(e, &r->from[i]);
	*t = (struct wg_datagrams){.data = r->room[i].iov_base,
				   .len = r->header[i].msg_len,
				   .from = e};
	for (struct cmsghdr *c = CMSG_FIRSTHDR(m); c; c = CMSG_NXTHDR(m, c))
		note(t, e, c);
}

/* Returns their bytes. */
static int hand_on(struct wg_udp *u, struct received *r, int n)
{
	uint64_t datagrams = 0;
	uint32_t bytes = 0;

	for (int i = 0; i < n; i++) {
		const struct wg_datagrams *t = &r->train[i];

		train_init(r, i);
		datagrams +=
			t->segment ? (t->len + t->segment - 1) / t->segment : 1;
		bytes += t->len;
	}
	*u->count[WG_UDP_RECEIVED] += datagrams;
	*u->count[WG_UDP_RECEIVED_TRAINS] += (unsigned)n;
	u->ops->receive(u->arg, r->train, n);
	return (int)bytes;
}

/* False: there may be more than one turn's share. */
static bool socket_drain(struct wg_udp_socket *k)
{
	int vectors = VECTORS_LONG, left = TURN_BYTES;
	struct received r;

	for (int round = 0; round < ROUNDS && left > 0 && k->fd >= 0; round++) {
		int n, bytes;

		if (!k->udp->ops->may_receive(k->udp->arg))
			return false;
		received_init(&r, k->udp->room, vectors);
		n = recvmmsg(k->fd, r.header, (unsigned)vectors, MSG_DONTWAIT,
			     NULL);
		if (n < 0 && errno == EAGAIN)
			return true;
		if (n <= 0)
			continue;
		bytes = hand_on(k->udp, &r, n);
		/* Fewer than asked for: what comes next makes an edge. */
		if (n < vectors)
			return true;
		left -= bytes;
		vectors = bytes / n < LONG_BYTES ? VECTORS : VECTORS_LONG;
	}
	return k->fd < 0;
}

void wg_udp_read(struct wg_udp_socket *k)
{
	struct wg_udp *u = k->udp;

	if (k->unread || socket_drain(k))
		return;
	k->unread = true;
	if (u->ops->may_receive(u->arg))
		u->host->defer(u->instance, &u->resume);
}

void wg_udp_read_on(struct wg_udp *u)
{
	if (u->socket[WG_V4].unread || u->socket[WG_V6].unread)
		u->host->defer(u->instance, &u->resume);
}

void wg_udp_resume(struct weir_task *task)
{
	struct wg_udp *u = (struct wg_udp *)((char *)task -
					     offsetof(struct wg_udp, resume));

	for (int i = 0; i < WG_FAMILIES; i++) {
		struct wg_udp_socket *k = &u->socket[i];

		if (!k->unread)
			continue;
		k->unread = false;
		wg_udp_read(k);
	}
}
