/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dns_stream.c - one question over TCP through the tunnel: for answers that do
 * not fit into a datagram (RFC 7766).
 *
 * A stream is dialled for each, because such answers are rare. The message goes
 * out behind its length, and one comes back in the same way. The dial is the
 * outbound's own, whose streams can be peeked at and written to. */
#include <stdlib.h>

#include "bytes.h"
#include "outbound.h"

#define LENGTH_BYTES 2u

struct dns_stream {
	struct outbound *outbound;
	struct weir_dial *dial;
	const struct weir_stream_ops *ops; /* NULL: not connected */
	void *inner;
	dns_stream_done *done;
	void *arg;

	uint8_t *out; /* the length and the question */
	uint32_t out_len, written;

	uint8_t length[LENGTH_BYTES];
	uint8_t *in;	      /* the answer; NULL: its length is not known */
	uint32_t in_len, got; /* bytes, the length's too */
};

void dns_stream_free(struct dns_stream *s)
{
	if (!s)
		return;
	if (s->dial)
		s->outbound->host->hang_up(s->dial, 0);
	free(s->out);
	free(s->in);
	free(s);
}

static void stream_end(struct dns_stream *s, bool answered)
{
	s->done(s->arg, answered ? s->in : NULL, answered ? s->in_len : 0);
	dns_stream_free(s);
}

/* ---- the answer */

/* Bytes of the length, then of the answer. False: no memory for it, or it has
 * no bytes. */
static bool take(struct dns_stream *s, const uint8_t *from, size_t len,
		 size_t *taken)
{
	size_t i = 0;

	for (; i < len && s->got < LENGTH_BYTES; i++)
		s->length[s->got++] = from[i];
	if (s->got == LENGTH_BYTES && !s->in) {
		s->in_len = get16(s->length);
		s->in = s->in_len ? malloc(s->in_len) : NULL;
		if (!s->in)
			return false;
	}
	if (i < len) {
		size_t at = s->got - LENGTH_BYTES, part = s->in_len - at;

		if (part > len - i)
			part = len - i;
		memcpy(s->in + at, from + i, part);
		s->got += (uint32_t)part;
		i += part;
	}
	*taken = i;
	return true;
}

static bool is_whole(const struct dns_stream *s)
{
	return s->in && s->got == LENGTH_BYTES + s->in_len;
}

static void stream_read(struct dns_stream *s)
{
	struct iovec view;
	int n;

	while (!is_whole(s) && (n = s->ops->peek(s->inner, &view, 1)) != 0) {
		size_t taken;

		if (n < 0 || !take(s, view.iov_base, view.iov_len, &taken)) {
			stream_end(s, false);
			return;
		}
		s->ops->consume(s->inner, taken);
	}
	if (is_whole(s))
		stream_end(s, true);
}

/* ---- the question */

static void stream_write(struct dns_stream *s)
{
	struct iovec view = {s->out + s->written, s->out_len - s->written};

	if (view.iov_len)
		s->written += (uint32_t)s->ops->write(s->inner, &view, 1);
}

static void dialled(void *arg, const struct weir_stream_ops *ops, void *inner)
{
	struct dns_stream *s = arg;

	s->ops = ops;
	s->inner = inner;
	stream_write(s);
}

static void dialled_notify(void *arg, unsigned events)
{
	struct dns_stream *s = arg;

	if (events & WEIR_WRITABLE)
		stream_write(s);
	if (events & WEIR_READABLE)
		stream_read(s);
}

static void dialled_failed(void *arg, int err, const char *why)
{
	struct dns_stream *s = arg;

	(void)err, (void)why;
	s->dial = NULL;
	stream_end(s, false);
}

static const struct weir_dialer_ops dialer_ops = {
	.size = sizeof dialer_ops,
	.stream_ready = dialled,
	.notify = dialled_notify,
	.failed = dialled_failed,
};

struct dns_stream *dns_stream_new(struct outbound *o,
				  const struct weir_addr *server,
				  const unsigned char *question, uint32_t len,
				  dns_stream_done *done, void *arg)
{
	struct dns_stream *s = calloc(1, sizeof *s);

	if (!s)
		return NULL;
	s->outbound = o;
	s->done = done;
	s->arg = arg;
	s->out_len = LENGTH_BYTES + len;
	s->out = malloc(s->out_len);
	if (s->out) {
		put16(s->out, len);
		memcpy(s->out + LENGTH_BYTES, question, len);
		s->dial = o->host->dial(o->instance, o->host->tag(o->instance),
					server, WEIR_NET_TCP, &dialer_ops, s);
	}
	if (s->dial)
		return s;
	dns_stream_free(s);
	return NULL;
}
