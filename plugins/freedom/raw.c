/* SPDX-License-Identifier: GPL-2.0-or-later */
/* raw.c - echo requests where ping sockets are not allowed.
 *
 * The kernel gives every raw socket a copy of every reply and of every error.
 * With one a flow, whoever pings with many identifiers would have each answer
 * read as many times, so all flows of a family share one. Each has an
 * identifier of its own, by which replies are told apart, and errors by the
 * request that they quote. The socket goes with the last of its flows. */
#include <linux/icmp.h>
#include <netinet/icmp6.h>
#include <netinet/ip6.h>
#include <unistd.h>

#include "echo.h"

#define IDENTIFIERS 65536u
#define QUOTED_BYTES (sizeof(struct ip6_hdr) + HEAD_BYTES + ECHO_BYTES)

static struct echo *find(const struct raw *r, const uint8_t *icmp)
{
	struct echo *x;
	uint16_t id;

	memcpy(&id, icmp + HEAD_BYTES, sizeof id);
	HASH_FIND(hh, r->echoes, &id, sizeof id, x);
	return x;
}

/* The transport header: a raw IPv4 socket shows the IP header too, as an IPv6
 * one does of what an error quotes. */
static uint8_t *skip_ip(uint8_t *p, size_t *len)
{
	size_t skip = 0;

	if (*len && p[0] >> 4 == 4)
		skip = (size_t)(p[0] & 15) * 4;
	else if (*len && p[0] >> 4 == 6)
		skip = sizeof(struct ip6_hdr);
	if (skip > *len)
		skip = *len;
	*len -= skip;
	return p + skip;
}

void raw_errors(struct raw *r)
{
	uint8_t quoted[QUOTED_BYTES];
	struct iovec v = {quoted, sizeof quoted};
	struct weir_addr peer;
	int err;

	while (sock_next_error(r->fd, &err, &peer, &v)) {
		size_t len = v.iov_len;
		uint8_t *icmp = skip_ip(quoted, &len);
		struct echo *x =
			len < HEAD_BYTES + ECHO_BYTES ? NULL : find(r, icmp);

		v.iov_len = sizeof quoted;
		peer.port = 0;
		/* Other programs ping too, perhaps by the same number. */
		if (x && weir_addr_equal(&peer, &x->last))
			r->freedom->host->unreachable(x->end, &peer, err);
	}
}

static void raw_ready(void *arg, unsigned events)
{
	struct raw *r = arg;
	struct freedom *f = r->freedom;

	(void)events;
	for (int round = 0; round < ECHO_ROUNDS && r->fd >= 0; round++) {
		union sockaddr_any from;
		socklen_t from_len = sizeof from;
		ssize_t got = recvfrom(r->fd, f->room, RECEIVE_ROOM,
				       MSG_DONTWAIT, &from.sa, &from_len);
		size_t len = (size_t)got;
		uint8_t *reply = f->room;
		struct echo *x;

		if (got < 0 && errno == EAGAIN)
			break;
		if (got < 0) {
			raw_errors(r);
			continue;
		}
		if (r->family == V4)
			reply = skip_ip(reply, &len);
		reply = echo_reply(r->family, reply, len);
		x = reply ? find(r, reply) : NULL;
		if (x)
			echo_deliver(x, reply, len, &from);
	}
}

static void raw_close(struct raw *r)
{
	if (r->watch)
		r->freedom->host->watch_free(r->watch);
	r->watch = NULL;
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

/* Have the kernel hand us echo replies only. It saves wake-ups; whose replies
 * they are is still checked here. */
static void filter(const struct raw *r)
{
	if (r->family == V6) {
		struct icmp6_filter only;

		ICMP6_FILTER_SETBLOCKALL(&only);
		ICMP6_FILTER_SETPASS(ICMP6_ECHO_REPLY, &only);
		setsockopt(r->fd, IPPROTO_ICMPV6, ICMP6_FILTER, &only,
			   sizeof only);
	} else {
		struct icmp_filter only = {~(1u << ICMP_ECHOREPLY)};

		setsockopt(r->fd, SOL_RAW, ICMP_FILTER, &only, sizeof only);
	}
}

/* 0 or an errno. */
static int raw_open(struct raw *r)
{
	struct freedom *f = r->freedom;
	int bytes = RECEIVE_BUFFER_BYTES, err;

	r->fd = sock_new(f, r->family, SOCK_RAW,
			 r->family == V6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP);
	if (r->fd < 0)
		return errno == EPERM ? EACCES : errno;
	sock_want_errors(r->fd, r->family);
	setsockopt(r->fd, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof bytes);
	filter(r);
	r->watch = f->host->watch_new(f->instance, r->fd,
				      WEIR_READABLE | WEIR_LEVEL_TRIGGERED,
				      raw_ready, r);
	if (r->watch)
		return 0;
	err = errno;
	raw_close(r);
	return err;
}

int raw_join(struct echo *x)
{
	struct freedom *f = x->freedom;
	struct raw *r = &f->raw[x->family];
	struct echo *other;
	int err;

	if (HASH_COUNT(r->echoes) == IDENTIFIERS)
		return ENOBUFS;
	if (!r->freedom)
		*r = (struct raw){.freedom = f, .family = x->family, .fd = -1};
	err = r->fd < 0 ? raw_open(r) : 0;
	if (err)
		return err;
	do {
		x->id = ++f->echo_id;
		HASH_FIND(hh, r->echoes, &x->id, sizeof x->id, other);
	} while (other);
	HASH_ADD(hh, r->echoes, id, sizeof x->id, x);
	if (x->hh.tbl) {
		x->raw = r;
		return 0;
	}
	if (!r->echoes)
		raw_close(r);
	return ENOMEM;
}

void raw_leave(struct echo *x)
{
	struct raw *r = x->raw;

	if (!r)
		return;
	HASH_DEL(r->echoes, x);
	x->raw = NULL;
	if (!r->echoes || sock_is_lost(r->fd))
		raw_close(r);
}
