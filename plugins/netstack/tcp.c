/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp.c - a connection as the core sees it: a stream end. Each function here
 * only finds out whether there still is a pcb, and passes on. */
#include "conn.h"

#include <errno.h>

static int stream_accept(void *s)
{
	struct conn *c = s;

	if (c->phase != CONN_HELD)
		return ECONNABORTED;
	return accept_complete(c);
}

static int stream_peek(void *s, struct iovec *view, int max)
{
	return receive_peek(s, view, NULL, max);
}

static int stream_peek_loans(void *s, struct iovec *view,
			     struct weir_loan **loan, int max)
{
	return receive_peek(s, view, loan, max);
}

static void stream_consume(void *s, size_t n)
{
	struct conn *c = s;

	receive_consume(c, n);
	if (c->pcb)
		conn_arm(c);
}

static bool stream_writable(const struct conn *c)
{
	return !c->finishing && (c->pcb || c->phase == CONN_HELD);
}

static ssize_t stream_write_loans(void *s, const struct iovec *v,
				  struct weir_loan *const *loan, int n)
{
	struct conn *c = s;

	return stream_writable(c) ? send_write(c, v, loan, n) : 0;
}

static ssize_t stream_write(void *s, const struct iovec *v, int n)
{
	return stream_write_loans(s, v, NULL, n);
}

static int stream_reserve(void *s, struct iovec *room, int max)
{
	struct conn *c = s;

	return stream_writable(c) ? send_reserve(c, room, max) : 0;
}

static void stream_commit(void *s, size_t n)
{
	struct conn *c = s;

	if (n && stream_writable(c))
		send_commit(c, n);
}

static void stream_finish(void *s)
{
	struct conn *c = s;

	c->finishing = true;
	if (c->pcb)
		send_pump(c);
}

static size_t stream_unacked(void *s)
{
	const struct conn *c = s;

	return c->tx_bytes;
}

/* The far side's reset came behind its last bytes, and is passed on there. */
static bool is_last_word(int err)
{
	return err == ECONNRESET || err == EPIPE;
}

static void stream_close(void *s, int err)
{
	struct conn *c = s;
	bool held = c->phase == CONN_HELD;

	c->closed = true;
	c->end = NULL;
	c->resets = is_last_word(err) && c->tx;
	if (held) {
		accept_refuse(c, err);
	} else if (err && !c->resets && c->pcb && c->pcb->state != TIME_WAIT) {
		conn_abort(c);
		conn_settle(c);
	} else {
		conn_release(c);
	}
}

const struct weir_stream_ops tcp_stream_ops = {
	.size = sizeof(struct weir_stream_ops),
	.accept = stream_accept,
	.peek = stream_peek,
	.consume = stream_consume,
	.write = stream_write,
	.finish = stream_finish,
	.close = stream_close,
	.reserve = stream_reserve,
	.commit = stream_commit,
	.peek_loans = stream_peek_loans,
	.write_loans = stream_write_loans,
	.unacked = stream_unacked,
};
