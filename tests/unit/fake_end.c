/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake ends: streams of four shapes, and flows.
 *
 * Theory of operation: `calling` is set while a test's end is inside a call to
 * the core; every function of the end's table asserts that it is not, and that
 * close was not yet called. */
#include "fake.h"

static struct fake_end *end_enter(void *s)
{
	struct fake_end *e = s;

	ck_assert_msg(!e->calling, "an end was called inside its own call");
	ck_assert_msg(!e->closes, "an end was called after close");
	return e;
}

static int end_accept(void *s)
{
	struct fake_end *e = end_enter(s);

	e->accepts++;
	return e->accept_errno;
}

static char endless_bytes[FAKE_BYTES];

static int end_peek(void *s, struct iovec *view, int max)
{
	struct fake_end *e = end_enter(s);
	size_t at = e->in_off, part;
	int n = 0;

	if (e->endless) {
		view[0] = (struct iovec){endless_bytes, sizeof endless_bytes};
		return 1;
	}
	if (at == e->in_len)
		return e->in_eof ? WEIR_PEEK_EOF : 0;
	while (at < e->in_len && n < max) {
		part = e->in_len - at;
		if (e->view_bytes && part > e->view_bytes)
			part = e->view_bytes;
		view[n++] = (struct iovec){e->in + at, part};
		at += part;
	}
	return n;
}

static int end_peek_loans(void *s, struct iovec *view, struct weir_loan **loan,
			  int max)
{
	struct fake_end *e = s;
	int n = end_peek(s, view, max);

	for (int i = 0; i < n; i++)
		loan[i] = i % 2 ? NULL : &e->loan;
	return n;
}

static void end_consume(void *s, size_t n)
{
	struct fake_end *e = end_enter(s);

	ck_assert_uint_gt(n, 0);
	if (e->endless)
		return;
	ck_assert_uint_le(n, e->in_len - e->in_off);
	e->in_off += n;
}

static ssize_t end_read(void *s, const struct iovec *room, int n)
{
	struct fake_end *e = end_enter(s);
	size_t done = 0, part;

	if (e->in_off == e->in_len)
		return e->in_eof ? 0 : -EAGAIN;
	for (int i = 0; i < n && e->in_off < e->in_len; i++) {
		part = e->in_len - e->in_off;
		if (part > room[i].iov_len)
			part = room[i].iov_len;
		memcpy(room[i].iov_base, e->in + e->in_off, part);
		e->in_off += part;
		done += part;
	}
	return (ssize_t)done;
}

static ssize_t end_write(void *s, const struct iovec *v, int n)
{
	struct fake_end *e = end_enter(s);
	size_t done = 0, part;

	ck_assert_msg(!e->finishes, "a write after finish");
	for (int i = 0; i < n; i++) {
		part = v[i].iov_len;
		if (!e->endless) {
			if (part > e->room - done)
				part = e->room - done;
			memcpy(e->out + e->out_len, v[i].iov_base, part);
			e->out_len += part;
		}
		done += part;
		if (part < v[i].iov_len)
			break;
	}
	if (!e->endless)
		e->room -= done;
	e->written += done;
	return (ssize_t)done;
}

static ssize_t end_write_loans(void *s, const struct iovec *v,
			       struct weir_loan *const *loan, int n)
{
	struct fake_end *e = s;

	for (int i = 0; i < n; i++)
		e->kept += !!loan[i];
	return end_write(s, v, n);
}

/* Rooms of at most three bytes, so that views and rooms do not fall together */
static int end_reserve(void *s, struct iovec *room, int max)
{
	struct fake_end *e = end_enter(s);
	int n = 0;

	ck_assert_msg(!e->finishes, "a reserve after finish");
	ck_assert_uint_eq(e->reserved, 0);
	while (e->reserved < e->room && n < max) {
		size_t part = e->room - e->reserved;

		part = part > 3 ? 3 : part;
		room[n++] =
			(struct iovec){e->out + e->out_len + e->reserved, part};
		e->reserved += part;
	}
	return n;
}

static void end_commit(void *s, size_t n)
{
	struct fake_end *e = end_enter(s);

	ck_assert_msg(e->reserved, "a commit without a reserve");
	ck_assert_uint_le(n, e->reserved);
	e->reserved = 0;
	e->out_len += n;
	e->room -= n;
	e->written += n;
}

static void end_finish(void *s)
{
	end_enter(s)->finishes++;
}

static size_t end_unacked(void *s)
{
	struct fake_end *e = end_enter(s);

	ck_assert_msg(e->finishes, "asked before finish");
	return e->unacked;
}

static void end_close(void *s, int err)
{
	struct fake_end *e = end_enter(s);

	e->closes++;
	e->close_err = err;
}

void fake_end_init(struct fake_end *e, unsigned shape)
{
	memset(e, 0, sizeof *e);
	e->room = FAKE_BYTES;
	e->ops.size = sizeof e->ops;
	e->ops.accept = end_accept;
	e->ops.finish = end_finish;
	e->ops.close = end_close;
	e->ops.unacked = end_unacked;
	e->ops.peek = shape & FAKE_PEEK ? end_peek : NULL;
	e->ops.consume = shape & FAKE_PEEK ? end_consume : NULL;
	e->ops.read = shape & FAKE_READ ? end_read : NULL;
	e->ops.write = shape & FAKE_WRITE ? end_write : NULL;
	e->ops.reserve = shape & FAKE_RESERVE ? end_reserve : NULL;
	e->ops.peek_loans = shape & FAKE_LEND ? end_peek_loans : NULL;
	e->ops.write_loans = shape & FAKE_KEEP ? end_write_loans : NULL;
	e->ops.commit = shape & FAKE_RESERVE ? end_commit : NULL;
}

void fake_end_receive(struct fake_end *e, const char *text)
{
	size_t len = strlen(text);

	ck_assert_uint_le(e->in_len + len, FAKE_BYTES);
	memcpy(e->in + e->in_len, text, len);
	e->in_len += len;
	if (e->handle)
		fake_end_notify(e, WEIR_READABLE);
}

void fake_end_notify(struct fake_end *e, unsigned events)
{
	e->calling = true;
	e->host->notify(e->handle, events);
	e->calling = false;
}

void fake_end_fail(struct fake_end *e, int err, const char *why)
{
	e->calling = true;
	e->host->fail(e->handle, err, why);
	e->calling = false;
}

const char *fake_end_sent(struct fake_end *e)
{
	ck_assert_uint_lt(e->out_len, FAKE_BYTES);
	e->out[e->out_len] = '\0';
	return e->out;
}

static struct fake_flow *flow_enter(void *f)
{
	struct fake_flow *fl = f;

	ck_assert_msg(!fl->calling, "a flow was called inside its own call");
	ck_assert_msg(!fl->closes, "a flow was called after close");
	return fl;
}

static int flow_send(void *f, const struct weir_datagram *v, int n)
{
	struct fake_flow *fl = flow_enter(f);

	if (fl->full)
		return 0;
	for (int i = 0; i < n; i++) {
		struct fake_heard *h = &fl->heard[fl->heard_count++];

		ck_assert_int_le(fl->heard_count, FAKE_HEARD);
		snprintf(h->text, sizeof h->text, "%.*s", (int)v[i].len,
			 (const char *)v[i].data);
		h->peer = *v[i].peer;
		h->len = v[i].len;
		h->segment = v[i].segment;
		if (fl->reply)
			fake_flow_deliver(fl, v[i].peer, fl->reply);
	}
	return n;
}

static void flow_close(void *f, int err)
{
	struct fake_flow *fl = flow_enter(f);

	fl->closes++;
	fl->close_err = err;
}

static void flow_unreachable(void *f, const struct weir_addr *peer, int err)
{
	struct fake_flow *fl = flow_enter(f);

	ck_assert_int_lt(fl->error_count, 16);
	fl->unreachable[fl->error_count] = *peer;
	fl->errors[fl->error_count++] = err;
}

void fake_flow_init(struct fake_flow *f)
{
	memset(f, 0, sizeof *f);
	f->ops.size = sizeof f->ops;
	f->ops.send = flow_send;
	f->ops.close = flow_close;
	f->ops.unreachable = flow_unreachable;
}

void fake_flow_deliver(struct fake_flow *f, const struct weir_addr *peer,
		       const char *text)
{
	struct weir_datagram d = {
		.peer = peer, .data = text, .len = (uint32_t)strlen(text)};
	bool outer = f->calling;

	f->calling = true;
	f->host->deliver(f->handle, &d, 1);
	f->calling = outer;
}
