/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp_send.c - trains out.
 *
 * A train leaves in as few calls as the kernel allows, each with the source
 * that its endpoint names. Where the kernel refuses a train its datagrams go
 * one by one: for a while if a device could send no trains, as the route may
 * change, else for this train (the path cuts them into fragments): another
 * peer's path may be wider, and this one in a minute. Where the source that an
 * endpoint names is no longer ours, the kernel chooses one.
 *
 * A full socket means that the wire is behind: the engine keeps what is left of
 * the train and gives it again. */
#include "udp_private.h"

#include <errno.h>

#define TRAINS_AGAIN_US 10000000

struct control {
	_Alignas(struct cmsghdr) char room
		[CMSG_SPACE(sizeof(struct in6_pktinfo)) +
		 CMSG_SPACE(sizeof(int)) + CMSG_SPACE(sizeof(uint16_t))];
};

/* A train on its way. */
struct sending {
	struct wg_udp_socket *socket;
	const struct wg_endpoint *to;
	uint8_t *data;
	uint32_t len, at;
	uint16_t segment;
	uint8_t tos;
	bool singly; /* the kernel refused it as a train */
};

static void control_add(struct msghdr *m, int level, int type, const void *data,
			size_t len)
{
	struct cmsghdr *c =
		(void *)((char *)m->msg_control + m->msg_controllen);

	memset(c, 0, CMSG_SPACE(len));
	c->cmsg_level = level;
	c->cmsg_type = type;
	c->cmsg_len = CMSG_LEN(len);
	memcpy(CMSG_DATA(c), data, len);
	m->msg_controllen += CMSG_SPACE(len);
}

static void control_source(struct msghdr *m, const struct wg_endpoint *e)
{
	if (e->local.kind == WEIR_ADDR_IP4) {
		struct in_pktinfo info = {.ipi_ifindex = (int)e->local_if};

		memcpy(&info.ipi_spec_dst, e->local.ip, 4);
		control_add(m, IPPROTO_IP, IP_PKTINFO, &info, sizeof info);
	} else {
		struct in6_pktinfo info = {.ipi6_ifindex = e->local_if};

		memcpy(&info.ipi6_addr, e->local.ip, 16);
		control_add(m, IPPROTO_IPV6, IPV6_PKTINFO, &info, sizeof info);
	}
}

/* One call from s->at on; 0 or an errno. */
static int call(const struct sending *s, uint32_t len, bool sourced)
{
	bool v6 = s->to->addr.kind == WEIR_ADDR_IP6;
	int tos = s->tos;
	union sockaddr_any to;
	struct control control;
	struct iovec view = {s->data + s->at, len};
	struct msghdr m = {.msg_name = &to,
			   .msg_iov = &view,
			   .msg_iovlen = 1,
			   .msg_control = control.room};

	m.msg_namelen = wg_sockaddr_of(s->to, &to);
	if (sourced)
		control_source(&m, s->to);
	if (tos)
		control_add(&m, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
			    v6 ? IPV6_TCLASS : IP_TOS, &tos, sizeof tos);
	if (len > s->segment)
		control_add(&m, IPPROTO_UDP, UDP_SEGMENT, &s->segment,
			    sizeof s->segment);
	if (!m.msg_controllen)
		m.msg_control = NULL;
	return sendmsg(s->socket->fd, &m, MSG_DONTWAIT) < 0 ? errno : 0;
}

static int transmit(const struct sending *s, uint32_t len)
{
	bool sourced = s->to->local.kind == s->to->addr.kind;
	int err = call(s, len, sourced);

	if (!err || err == EAGAIN || err == EIO || !sourced)
		return err;
	return call(s, len, false);
}

static uint64_t now_us(const struct sending *s)
{
	return s->socket->udp->host->now_us();
}

static bool takes_trains(const struct sending *s)
{
	uint64_t *until_us = &s->socket->singly_until_us;

	if (*until_us && now_us(s) >= *until_us)
		*until_us = 0;
	return !*until_us;
}

/* Bytes of the next call: as long a train as the kernel takes, or one. */
static uint32_t next_len(const struct sending *s)
{
	uint32_t most = WG_TRAIN_MAX / s->segment, left = s->len - s->at;

	if (most > SEGMENTS_MAX)
		most = SEGMENTS_MAX;
	if (most < 1 || s->singly || !takes_trains(s))
		most = 1;
	most *= s->segment;
	return left < most ? left : most;
}

static int train_send(struct sending *s)
{
	struct wg_udp *u = s->socket->udp;

	while (s->at < s->len) {
		uint32_t len = next_len(s);
		int err = transmit(s, len);

		if (train_is_refused(err) && len > s->segment) {
			if (err == EIO)
				s->socket->singly_until_us =
					now_us(s) + TRAINS_AGAIN_US;
			s->singly = true;
			continue;
		}
		if (err)
			return err;
		++*u->count[WG_UDP_SENT_TRAINS];
		*u->count[WG_UDP_SENT] += (len + s->segment - 1) / s->segment;
		s->at += len;
	}
	return 0;
}

struct wg_sent wg_udp_send(struct wg_udp *u, const struct wg_endpoint *to,
			   uint8_t *data, uint32_t len, uint16_t segment,
			   uint8_t tos)
{
	int family = to->addr.kind == WEIR_ADDR_IP6 ? WG_V6 : WG_V4;
	struct sending s = {.socket = &u->socket[family],
			    .to = to,
			    .data = data,
			    .len = len,
			    .segment = segment,
			    .tos = tos};
	int err;

	if (s.socket->fd >= 0)
		err = train_send(&s);
	else
		err = u->port ? ENETUNREACH : EBADF;
	if (err == EAGAIN && wg_udp_await_room(s.socket)) {
		++*u->count[WG_UDP_FULL];
		return (struct wg_sent){s.at, s.at};
	}
	if (err) {
		++*u->count[WG_UDP_FAILED];
		u->ops->failed(u->arg, to, err);
	}
	return (struct wg_sent){len, s.at};
}
