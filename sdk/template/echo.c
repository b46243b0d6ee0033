/* SPDX-License-Identifier: MIT */
/* outbound-echo - answers with what it is sent. A plugin to begin from: an
 * option, counters, streams with back-pressure, flows.
 *
 * A stream is one buffer: what is written to it can be read from it. Once it
 * is full, write() takes no more; consume() makes room and says so. */
#include <errno.h>
#include <stdlib.h>

#include <weir/plugin.h>

struct echo_conf {
	uint64_t buffer; /* bytes */
};

struct echo {
	struct weir_instance *instance;
	const struct weir_host *host;
	const struct echo_conf *conf;
	uint64_t *bytes; /* a counter of the core's */
};

/* ---- streams ---- */

struct stream {
	struct echo *echo;
	struct weir_end *end;
	size_t start, len, size; /* what is held: data[start..start + len) */
	bool finished;		 /* no more will be written */
	bool was_full;		 /* the writer waits for WEIR_WRITABLE */
	bool was_empty;		 /* the reader waits for WEIR_READABLE */
	char data[];
};

static int stream_peek(void *self, struct iovec *view, int max)
{
	struct stream *s = self;

	if (!s->len || max < 1) {
		s->was_empty = !s->len;
		return s->len || !s->finished ? 0 : WEIR_PEEK_EOF;
	}
	view[0].iov_base = s->data + s->start;
	view[0].iov_len = s->len;
	return 1;
}

static void stream_consume(void *self, size_t n)
{
	struct stream *s = self;

	s->start += n;
	s->len -= n;
	if (s->was_full) {
		s->was_full = false;
		s->echo->host->notify(s->end, WEIR_WRITABLE);
	}
}

static void stream_news(struct stream *s)
{
	if (s->was_empty) {
		s->was_empty = false;
		s->echo->host->notify(s->end, WEIR_READABLE);
	}
}

static ssize_t stream_write(void *self, const struct iovec *v, int n)
{
	struct stream *s = self;
	size_t taken = 0;

	memmove(s->data, s->data + s->start, s->len);
	s->start = 0;
	for (int i = 0; i < n; i++) {
		size_t room = s->size - s->len, want = v[i].iov_len;
		size_t take = want < room ? want : room;

		memcpy(s->data + s->len, v[i].iov_base, take);
		s->len += take;
		taken += take;
		s->was_full = s->was_full || take < want;
	}
	*s->echo->bytes += taken;
	if (taken)
		stream_news(s);
	return (ssize_t)taken;
}

static void stream_finish(void *self)
{
	struct stream *s = self;

	s->finished = true;
	stream_news(s);
}

static void stream_close(void *self, int err)
{
	(void)err;
	free(self);
}

static const struct weir_stream_ops stream_ops = {
	.size = sizeof stream_ops,
	.peek = stream_peek,
	.consume = stream_consume,
	.write = stream_write,
	.finish = stream_finish,
	.close = stream_close,
};

/* ---- flows ---- */

struct flow {
	struct echo *echo;
	struct weir_end *end;
};

/* The peer that was spoken to is the one that replies. */
static int flow_send(void *self, const struct weir_datagram *v, int n)
{
	struct flow *f = self;

	for (int i = 0; i < n; i++)
		*f->echo->bytes += v[i].len;
	f->echo->host->deliver(f->end, v, n);
	return n;
}

static void flow_close(void *self, int err)
{
	(void)err;
	free(self);
}

static const struct weir_flow_ops flow_ops = {
	.size = sizeof flow_ops,
	.send = flow_send,
	.close = flow_close,
};

/* ---- the outbound ---- */

static void open_stream(struct echo *echo, struct weir_end *end)
{
	struct stream *s = calloc(1, sizeof *s + echo->conf->buffer);

	if (!s) {
		echo->host->fail(end, ENOMEM, "out of memory");
		return;
	}
	s->echo = echo;
	s->end = end;
	s->size = echo->conf->buffer;
	echo->host->stream_ready(end, &stream_ops, s);
}

static void open_flow(struct echo *echo, struct weir_end *end)
{
	struct flow *f = calloc(1, sizeof *f);

	if (!f) {
		echo->host->fail(end, ENOMEM, "out of memory");
		return;
	}
	f->echo = echo;
	f->end = end;
	echo->host->flow_ready(end, &flow_ops, f);
}

static void *echo_open(void *self, struct weir_end *end,
		       const struct weir_addr *target, enum weir_net net)
{
	(void)target;
	if (net == WEIR_NET_TCP)
		open_stream(self, end);
	else
		open_flow(self, end);
	return NULL; /* answered: there is nothing to abandon */
}

static void echo_abandon(void *self, void *pending)
{
	(void)self, (void)pending;
}

static void *echo_create(struct weir_instance *instance,
			 const struct weir_host *host, const void *conf,
			 struct weir_error *e)
{
	struct echo *echo = calloc(1, sizeof *echo);

	if (!echo) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	echo->instance = instance;
	echo->host = host;
	echo->conf = conf;
	echo->bytes = host->counter(instance, "bytes");
	return echo;
}

static bool echo_start(void *self, struct weir_error *e)
{
	(void)self, (void)e;
	return true;
}

static void echo_stop(void *self)
{
	struct echo *echo = self;

	echo->host->stopped(echo->instance);
}

static const struct weir_option echo_options[] = {
	{.name = "buffer",
	 .help = "bytes a stream holds before its writer must wait",
	 .preset = "16k",
	 .type = WEIR_SIZE,
	 .at = offsetof(struct echo_conf, buffer),
	 .min = 1,
	 .max = 1 << 20},
};

static const struct weir_schema echo_schema =
	WEIR_SCHEMA(struct echo_conf, echo_options, NULL);

static const struct weir_outbound_ops echo_ops = {
	.size = sizeof echo_ops,
	.open = echo_open,
	.abandon = echo_abandon,
	.nets = WEIR_NET_TCP | WEIR_NET_UDP,
};

static const struct weir_component echo_component = {
	.size = sizeof echo_component,
	.kind = WEIR_OUTBOUND,
	.type = "echo",
	.summary = "Answers with what it is sent",
	.schema = &echo_schema,
	.ops = &echo_ops,
	.create = echo_create,
	.start = echo_start,
	.stop = echo_stop,
	.destroy = free,
};

WEIR_PLUGIN("outbound-echo", "1.0", "MIT", "", &echo_component);
