/* SPDX-License-Identifier: MIT */
/* Theory of operation.
 *
 * The outbound that a plugin dials through is a pair of byte arrays: `in` is
 * what the test pushed and the plugin has not consumed, `out` what the plugin
 * wrote and the test has not taken. A dialled flow keeps the payloads of the
 * last datagrams in `out`, one behind the other. */
#include "private.h"

#include <errno.h>

static void pipe_consume(void *s, size_t n)
{
	struct weir_dial *d = s;

	if (n > d->in_len)
		fakehost_broken("no more is consumed than peek showed");
	memmove(d->in, d->in + n, d->in_len - n);
	d->in_len -= n;
}

static int pipe_peek(void *s, struct iovec *view, int max)
{
	struct weir_dial *d = s;

	if (!d->in_len)
		return d->in_eof ? WEIR_PEEK_EOF : 0;
	if (max < 1)
		return 0;
	view[0] = (struct iovec){d->in, d->in_len};
	return 1;
}

static size_t pipe_take(struct weir_dial *d, const void *data, size_t len)
{
	size_t room = d->room > d->out_len ? d->room - d->out_len : 0;

	if (len > room)
		len = room;
	memcpy(d->out + d->out_len, data, len);
	d->out_len += len;
	return len;
}

static ssize_t pipe_write(void *s, const struct iovec *v, int n)
{
	ssize_t taken = 0;

	for (int i = 0; i < n; i++)
		taken += (ssize_t)pipe_take(s, v[i].iov_base, v[i].iov_len);
	return taken;
}

static void pipe_finish(void *s)
{
	((struct weir_dial *)s)->finished = true;
}

static void pipe_close(void *s, int err)
{
	(void)s, (void)err;
	fakehost_broken("what was dialled is closed by hang_up");
}

static int pipe_send(void *f, const struct weir_datagram *v, int n)
{
	for (int i = 0; i < n; i++)
		pipe_take(f, v[i].data, v[i].len);
	return n;
}

static const struct weir_stream_ops pipe_stream = {
	.size = sizeof pipe_stream,
	.peek = pipe_peek,
	.consume = pipe_consume,
	.write = pipe_write,
	.finish = pipe_finish,
	.close = pipe_close,
};

static const struct weir_flow_ops pipe_flow = {
	.size = sizeof pipe_flow,
	.send = pipe_send,
	.close = pipe_close,
};

struct weir_dial *fakehost_dial(struct weir_instance *i, const char *tag,
				const struct weir_addr *target,
				enum weir_net net,
				const struct weir_dialer_ops *ops, void *arg)
{
	struct weir_dial *d;

	if (!ops || !WEIR_HAS(ops, failed) || !ops->failed ||
	    (net == WEIR_NET_TCP && !ops->stream_ready) ||
	    (net != WEIR_NET_TCP && !ops->flow_ready))
		fakehost_broken("who dials hears ready and failed");
	if (!i->fake->let_dial) {
		errno = ENOENT;
		return NULL;
	}
	d = fakehost_alloc(sizeof *d);
	d->instance = i;
	snprintf(d->tag, sizeof d->tag, "%s", tag ? tag : "");
	fakehost_copy_addr(&d->target, d->target_name, target);
	d->net = net;
	d->room = FAKEHOST_PIPE_BYTES;
	d->ops = ops;
	d->arg = arg;
	*i->fake->dials_end = d;
	i->fake->dials_end = &d->next;
	return d;
}

void fakehost_hang_up(struct weir_dial *d, int err)
{
	(void)err;
	if (d->state != FAKEHOST_DIALLED && d->state != FAKEHOST_CONNECTED)
		fakehost_broken("a dial that is gone is not hung up");
	d->state = FAKEHOST_HUNG_UP;
}

uint32_t fakehost_tell_via_mtu(struct weir_instance *i)
{
	errno = i->fake->via_mtu ? 0 : ENOENT;
	return i->fake->via_mtu;
}

void fakehost_via_mtu(struct fakehost *f, uint32_t bytes)
{
	f->via_mtu = bytes;
}

void fakehost_let_dial(struct fakehost *f, bool let)
{
	f->let_dial = let;
}

struct weir_dial *fakehost_dialled(struct fakehost *f, size_t i)
{
	struct weir_dial *d = f->dials;

	while (d && i--)
		d = d->next;
	return d;
}

/* Who has stopped hears no more of its dials. */
static bool hears(const struct weir_dial *d, enum fakehost_dial_state state)
{
	return d->state == state && !d->instance->stopped;
}

void fakehost_dial_ready(struct weir_dial *d)
{
	if (!hears(d, FAKEHOST_DIALLED))
		return;
	d->state = FAKEHOST_CONNECTED;
	if (d->net == WEIR_NET_TCP)
		d->ops->stream_ready(d->arg, &pipe_stream, d);
	else
		d->ops->flow_ready(d->arg, &pipe_flow, d);
}

void fakehost_dial_fail(struct weir_dial *d, int err, const char *why)
{
	if (hears(d, FAKEHOST_CONNECTED) || hears(d, FAKEHOST_DIALLED)) {
		d->state = FAKEHOST_DIAL_FAILED;
		d->ops->failed(d->arg, err, why);
	}
}

void fakehost_dial_push(struct weir_dial *d, const void *data, size_t len)
{
	if (len > sizeof d->in - d->in_len)
		fakehost_broken("the test pushes no more than fits");
	if (len)
		memcpy(d->in + d->in_len, data, len);
	d->in_len += len;
	d->in_eof = d->in_eof || !len;
	if (hears(d, FAKEHOST_CONNECTED) && d->ops->notify)
		d->ops->notify(d->arg, WEIR_READABLE);
}

void fakehost_dial_deliver(struct weir_dial *d, const struct weir_addr *peer,
			   const void *data, size_t len)
{
	struct weir_datagram one = {peer, data, (uint32_t)len, 0};

	if (hears(d, FAKEHOST_CONNECTED) && d->ops->deliver)
		d->ops->deliver(d->arg, &one, 1);
}

void fakehost_dial_writable(struct weir_dial *d)
{
	if (hears(d, FAKEHOST_CONNECTED) && d->ops->notify)
		d->ops->notify(d->arg, WEIR_WRITABLE);
}
