/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stream.c - a connected TCP socket as an end of the core's.
 *
 * Bytes stay in the kernel's socket buffer until the core reads them, straight
 * into memory of the other end's (read) or, where that has none to offer, into
 * a buffer made for the moment (peek, consume). An idle stream holds none.
 *
 * The watch is edge-triggered for both directions from the first connect on
 * and is never changed. `starved` and `full` remember what the core waits
 * for; an edge it does not wait for needs no notice, because its next read or
 * write will find out. A read that fell short has drained the socket: until the
 * next edge the core is answered without a system call, unless an edge told
 * that there is more than bytes to come (read_on). */
#include <errno.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "freedom.h"

#define HELD_MAX (64 * 1024)
#define SEGMENT_LEAST 536 /* bytes; RFC 9293: what any peer takes in one */
#define TELLS_READ_ON 2	  /* the first minor of hosts that do */

/* Unread bytes thrown away at an orderly close, so that the kernel sends what
 * is queued and a FIN instead of a reset. */
#define DISCARD_BYTES (1 << 20)
#define DISCARD_ROUNDS 16

static void stream_fail(struct stream *s, int err, const char *step)
{
	char why[FREEDOM_WHY_BYTES];

	if (s->failed)
		return;
	s->failed = true;
	s->freedom->host->fail(s->end, err, freedom_why(why, step, err));
}

/* One piece is what there is nearly always, and the calls that take no vector
 * need less time for it: 1.2 for 1.5 us to receive 64 bytes. */
static ssize_t socket_receive(int fd, const struct iovec *room, int n)
{
	if (n == 1)
		return recv(fd, room->iov_base, room->iov_len, 0);
	return readv(fd, room, n);
}

static ssize_t socket_send(int fd, const struct iovec *v, int n)
{
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v,
			   .msg_iovlen = (size_t)n};

	if (n == 1)
		return send(fd, v->iov_base, v->iov_len, MSG_NOSIGNAL);
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

/* As read() of weir_stream_ops, past what is held. */
static ssize_t stream_receive(struct stream *s, const struct iovec *room, int n)
{
	size_t asked = 0;
	ssize_t got;

	if (s->starved && !s->failed)
		return -EAGAIN;
	for (int i = 0; i < n; i++)
		asked += room[i].iov_len;
	do
		got = socket_receive(s->fd, room, n);
	while (got < 0 && errno == EINTR);
	if (got < 0) {
		s->starved = true;
		if (errno != EAGAIN)
			stream_fail(s, errno, "receive");
		return -EAGAIN;
	}
	if (!got && s->lost)
		stream_fail(s, s->lost, "receive");
	if (!got && s->failed) /* no end: the kernel tells an error once */
		return -EAGAIN;
	s->starved = got && (size_t)got < asked && !s->read_on;
	s->ended = !got;
	*s->freedom->n.tcp_received_bytes += (uint64_t)got;
	return got;
}

static void stream_release(struct stream *s)
{
	if (s->held_at < s->held_end)
		return;
	free(s->held);
	s->held = NULL;
	s->held_at = s->held_end = 0;
}

static ssize_t stream_read(void *self, const struct iovec *room, int n)
{
	struct stream *s = self;
	ssize_t got = 0;

	if (!s->held)
		return stream_receive(s, room, n);
	for (int i = 0; i < n && s->held_at < s->held_end; i++) {
		size_t take = s->held_end - s->held_at;

		if (take > room[i].iov_len)
			take = room[i].iov_len;
		memcpy(room[i].iov_base, s->held + s->held_at, take);
		s->held_at += (uint32_t)take;
		got += (ssize_t)take;
	}
	stream_release(s);
	return got;
}

static int stream_peek(void *self, struct iovec *view, int max)
{
	struct stream *s = self;
	struct iovec room;
	ssize_t got = -EAGAIN;

	if (max < 1)
		return 0;
	if (!s->held) {
		s->held = malloc(HELD_MAX);
		if (!s->held) {
			stream_fail(s, ENOMEM, "receive");
			return 0;
		}
	}
	room.iov_base = s->held + s->held_end;
	room.iov_len = HELD_MAX - s->held_end;
	if (room.iov_len)
		got = stream_receive(s, &room, 1);
	if (got > 0)
		s->held_end += (uint32_t)got;
	view[0].iov_base = s->held + s->held_at;
	view[0].iov_len = s->held_end - s->held_at;
	if (view[0].iov_len)
		return 1;
	stream_release(s);
	return got == 0 ? WEIR_PEEK_EOF : 0;
}

static void stream_consume(void *self, size_t n)
{
	struct stream *s = self;

	s->held_at += (uint32_t)n;
	stream_release(s);
}

/* Nagle's algorithm (RFC 896) never delays the first segment, so a stream that
 * writes only once can do without this system call. */
static void write_promptly(struct stream *s, size_t offered)
{
	int on = 1;

	if (s->prompt || (!s->wrote && offered <= SEGMENT_LEAST)) {
		s->wrote = true;
		return;
	}
	s->prompt = true;
	setsockopt(s->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
}

static ssize_t stream_write(void *self, const struct iovec *v, int n)
{
	struct stream *s = self;
	size_t offered = 0;
	ssize_t sent;

	if (s->failed || s->finished)
		return 0;
	for (int i = 0; i < n; i++)
		offered += v[i].iov_len;
	write_promptly(s, offered);
	do
		sent = socket_send(s->fd, v, n);
	while (sent < 0 && errno == EINTR);
	if (sent < 0) {
		s->full = true;
		if (errno != EAGAIN)
			stream_fail(s, errno, "send");
		return 0;
	}
	s->full = (size_t)sent < offered;
	*s->freedom->n.tcp_sent_bytes += (uint64_t)sent;
	return sent;
}

static void stream_finish(void *self)
{
	struct stream *s = self;

	s->finished = true;
	if (!s->failed)
		shutdown(s->fd, SHUT_WR);
}

static size_t stream_unacked(void *self)
{
	const struct stream *s = self;
	int bytes = 0;

	ioctl(s->fd, SIOCOUTQ, &bytes);
	return (size_t)bytes;
}

static void stream_discard(int fd)
{
	for (int i = 0; i < DISCARD_ROUNDS; i++)
		/* MSG_TRUNC: TCP drops the bytes without copying them. */
		if (recv(fd, NULL, DISCARD_BYTES, MSG_TRUNC | MSG_DONTWAIT) <=
		    0)
			return;
}

static void stream_close(void *self, int err)
{
	struct stream *s = self;
	struct linger reset = {.l_onoff = 1, .l_linger = 0};

	if (err)
		setsockopt(s->fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
	else if (!s->failed && !s->ended)
		stream_discard(s->fd);
	stream_free(s);
}

static const struct weir_stream_ops stream_ops = {
	.size = sizeof stream_ops,
	.peek = stream_peek,
	.consume = stream_consume,
	.write = stream_write,
	.finish = stream_finish,
	.close = stream_close,
	.read = stream_read,
	.unacked = stream_unacked,
};

static void note_edge(struct stream *s, unsigned events)
{
	if (events & WEIR_READ_ON)
		s->read_on = true;
}

void stream_begin(struct stream *s, struct weir_end *end, unsigned events)
{
	s->attempt = false;
	s->starved = !(events & WEIR_READABLE);
	s->read_on = s->freedom->host->minor < TELLS_READ_ON;
	note_edge(s, events);
	s->end = end;
	keepalive_join(s);
	s->freedom->host->stream_ready(end, &stream_ops, s);
}

/* Behind the end nobody reads on: a reset there would wait for a write. */
static bool stream_was_reset(struct stream *s, unsigned events)
{
	int err = 0;
	socklen_t len = sizeof err;

	if (!s->ended || !(events & WEIR_READ_ON))
		return false;
	getsockopt(s->fd, SOL_SOCKET, SO_ERROR, &err, &len);
	if (err)
		stream_fail(s, err, "receive");
	return err;
}

void stream_ready(struct stream *s, unsigned events)
{
	unsigned news = 0;

	if (s->failed)
		return;
	note_edge(s, events);
	if (stream_was_reset(s, events))
		return;
	if (s->starved)
		news |= events & WEIR_READABLE;
	if (s->full)
		news |= events & WEIR_WRITABLE;
	if (!news)
		return;
	s->starved = s->starved && !(news & WEIR_READABLE);
	s->full = s->full && !(news & WEIR_WRITABLE);
	s->freedom->host->notify(s->end, news);
}

void stream_free(struct stream *s)
{
	keepalive_leave(s);
	if (s->watch)
		s->freedom->host->watch_free(s->watch);
	if (s->fd >= 0)
		close(s->fd);
	free(s->held);
	free(s);
}
