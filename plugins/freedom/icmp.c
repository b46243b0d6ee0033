/* SPDX-License-Identifier: GPL-2.0-or-later */
/* icmp.c - echo requests to their targets, and what answers.
 *
 * A ping socket (SOCK_DGRAM, IPPROTO_ICMP) needs no privilege where the
 * system's ping_group_range allows it; the kernel puts an identifier of its
 * own in what leaves and hands us only the replies to that. Where it is not
 * allowed a raw socket serves, if we may have one (raw.c). Either way the
 * client's identifier is put back into what is delivered. */
#include <errno.h>
#include <netinet/icmp6.h>
#include <netinet/ip_icmp.h>
#include <stdlib.h>
#include <unistd.h>

#include "echo.h"

static uint32_t sum_bytes(uint32_t sum, const uint8_t *p, size_t n)
{
	for (; n > 1; p += 2, n -= 2)
		sum += (uint32_t)p[0] << 8 | p[1];
	return n ? sum + ((uint32_t)p[0] << 8) : sum;
}

/* RFC 1071; the parts but the last have even lengths. At most 64 KiB: the sum
 * cannot overflow. */
static void checksum_put(uint8_t *head, size_t head_len, const uint8_t *data,
			 size_t len)
{
	uint32_t sum = sum_bytes(sum_bytes(0, head, head_len), data, len);

	sum = (sum & 0xffff) + (sum >> 16);
	sum = (sum & 0xffff) + (sum >> 16);
	head[2] = (uint8_t)(~sum >> 8);
	head[3] = (uint8_t)~sum;
}

static int echo_start(struct echo *);

static int echo_fd(const struct echo *x)
{
	return x->raw ? x->raw->fd : x->fd;
}

static void echo_stop(struct echo *x)
{
	raw_leave(x);
	if (x->fd < 0)
		return;
	if (x->watch)
		x->freedom->host->watch_free(x->watch);
	x->watch = NULL;
	close(x->fd);
	x->fd = -1;
}

/* 0 or an errno. */
static int echo_transmit(struct echo *x, const struct weir_datagram *d)
{
	uint8_t head[HEAD_BYTES + ECHO_BYTES] = {0};
	struct iovec v[2] = {
		{head, sizeof head},
		{(uint8_t *)(uintptr_t)d->data + ECHO_BYTES,
		 d->len - ECHO_BYTES},
	};
	union sockaddr_any to;
	struct msghdr m = {.msg_name = &to, .msg_iov = v, .msg_iovlen = 2};
	int err = echo_fd(x) < 0 ? echo_start(x) : 0;

	if (err)
		return err;
	m.msg_namelen = addr_to_sockaddr(d->peer, &to);
	head[0] = x->family == V6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	memcpy(head + HEAD_BYTES, d->data, ECHO_BYTES);
	if (x->raw)
		memcpy(head + HEAD_BYTES, &x->id, sizeof x->id);
	/* Over IPv6 the kernel sums: only it knows the source address. */
	if (x->family == V4)
		checksum_put(head, sizeof head, v[1].iov_base, v[1].iov_len);
	return sendmsg(echo_fd(x), &m, MSG_DONTWAIT) < 0 ? sock_errno() : 0;
}

static void echo_errors(struct echo *x)
{
	struct weir_addr peer;
	int err;

	while (sock_next_error(x->fd, &err, &peer, NULL)) {
		peer.port = 0;
		x->freedom->host->unreachable(x->end, &peer, err);
	}
}

static int echo_send(void *self, const struct weir_datagram *v, int n)
{
	struct echo *x = self;
	struct freedom *f = x->freedom;

	for (int i = 0; i < n; i++) {
		int err;

		if (v[i].peer->kind == WEIR_ADDR_NAME ||
		    addr_family(v[i].peer) != x->family ||
		    v[i].len < ECHO_BYTES) {
			++*f->n.icmp_dropped;
			continue;
		}
		memcpy(x->client_id, v[i].data, sizeof x->client_id);
		x->last = *v[i].peer;
		x->last.port = 0;
		err = echo_transmit(x, &v[i]);
		if (err && !sock_is_full(err)) {
			/* Perhaps an earlier one's error, reported here. */
			if (x->raw)
				raw_errors(x->raw);
			else
				echo_errors(x);
			if (sock_is_lost(echo_fd(x)))
				echo_stop(x);
			err = echo_transmit(x, &v[i]);
		}
		++*(err ? f->n.icmp_dropped : f->n.icmp_sent);
		if (err && !sock_is_full(err))
			f->host->unreachable(x->end, &x->last, err);
	}
	return n;
}

uint8_t *echo_reply(enum family family, uint8_t *p, size_t len)
{
	if (len < HEAD_BYTES + ECHO_BYTES ||
	    p[0] != (family == V6 ? ICMP6_ECHO_REPLY : ICMP_ECHOREPLY))
		return NULL;
	return p;
}

void echo_deliver(struct echo *x, uint8_t *reply, size_t len,
		  const union sockaddr_any *from)
{
	struct freedom *f = x->freedom;
	struct weir_addr peer;
	struct weir_datagram d = {.peer = &peer};

	addr_from_sockaddr(&peer, from);
	peer.port = 0;
	memcpy(reply + HEAD_BYTES, x->client_id, sizeof x->client_id);
	d.data = reply + HEAD_BYTES;
	d.len = (uint32_t)len - HEAD_BYTES;
	++*f->n.icmp_received;
	f->host->deliver(x->end, &d, 1);
}

static void echo_ready(void *arg, unsigned events)
{
	struct echo *x = arg;
	struct freedom *f = x->freedom;

	(void)events;
	for (int round = 0; round < ECHO_ROUNDS; round++) {
		union sockaddr_any from;
		socklen_t from_len = sizeof from;
		ssize_t len = recvfrom(x->fd, f->room, RECEIVE_ROOM,
				       MSG_DONTWAIT, &from.sa, &from_len);

		if (len < 0 && errno == EAGAIN)
			break;
		if (len < 0)
			echo_errors(x);
		else if (echo_reply(x->family, f->room, (size_t)len))
			echo_deliver(x, f->room, (size_t)len, &from);
	}
}

static void echo_close(void *self, int err)
{
	struct echo *x = self;

	(void)err;
	echo_stop(x);
	free(x);
}

static const struct weir_flow_ops echo_ops = {
	.size = sizeof echo_ops,
	.send = echo_send,
	.close = echo_close,
};

/* 0 or an errno. */
static int echo_start(struct echo *x)
{
	struct freedom *f = x->freedom;
	int protocol = x->family == V6 ? IPPROTO_ICMPV6 : IPPROTO_ICMP;
	int err;

	raw_leave(x); /* its socket was lost */
	x->fd = sock_new(f, x->family, SOCK_DGRAM, protocol);
	if (x->fd < 0)
		return errno == EACCES || errno == EPERM ||
				       errno == EPROTONOSUPPORT
			       ? raw_join(x)
			       : errno;
	sock_want_errors(x->fd, x->family);
	x->watch = f->host->watch_new(f->instance, x->fd,
				      WEIR_READABLE | WEIR_LEVEL_TRIGGERED,
				      echo_ready, x);
	if (x->watch)
		return 0;
	err = errno;
	echo_stop(x);
	return err;
}

/* Debian 12 lets no user ping but by ping(8), which has a privilege for it. */
static void warn_of_right(struct freedom *f, int err)
{
	if ((err != EACCES && err != EPERM) || f->ping_warned)
		return;
	f->ping_warned = true;
	f->host->log(f->instance, WEIR_WARN,
		     "no right to send pings; sysctl net.ipv4.ping_group_range="
		     "\"0 2147483647\" gives it to all, CAP_NET_RAW to weir");
}

void icmp_open(struct freedom *f, struct weir_end *end,
	       const struct weir_addr *target)
{
	struct echo *x;
	int err = EHOSTUNREACH;

	if (target->kind == WEIR_ADDR_NAME) {
		f->host->fail(end, err, "echo needs an address");
		return;
	}
	x = calloc(1, sizeof *x);
	if (!x) {
		f->host->fail(end, ENOMEM, "out of memory");
		return;
	}
	x->freedom = f;
	x->family = addr_family(target);
	err = echo_start(x);
	if (err) {
		echo_close(x, 0);
		warn_of_right(f, err);
		f->host->fail(end, err, "no socket for echo requests");
		return;
	}
	x->end = end;
	++*f->n.icmp_flows;
	f->host->flow_ready(end, &echo_ops, x);
}
