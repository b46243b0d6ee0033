/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Each call goes straight through to the inner end. The table of functions is
 * made per passage, because optional functions are absent where the inner end
 * has none. */
#include "passage.h"

#include <errno.h>

static int passage_peek(void *self, struct iovec *view, int max)
{
	struct passage *p = self;

	return p->inner_ops ? p->inner_ops->peek(p->inner, view, max) : 0;
}

static void passage_consume(void *self, size_t n)
{
	struct passage *p = self;

	if (p->inner_ops)
		p->inner_ops->consume(p->inner, n);
}

static ssize_t passage_write(void *self, const struct iovec *v, int n)
{
	struct passage *p = self;

	return p->inner_ops ? p->inner_ops->write(p->inner, v, n) : 0;
}

static void passage_finish(void *self)
{
	struct passage *p = self;

	if (p->inner_ops)
		p->inner_ops->finish(p->inner);
}

static ssize_t passage_read(void *self, const struct iovec *room, int n)
{
	struct passage *p = self;

	return p->inner_ops ? p->inner_ops->read(p->inner, room, n) : -EAGAIN;
}

static int passage_reserve(void *self, struct iovec *room, int max)
{
	struct passage *p = self;

	return p->inner_ops ? p->inner_ops->reserve(p->inner, room, max) : 0;
}

static void passage_commit(void *self, size_t n)
{
	struct passage *p = self;

	if (p->inner_ops)
		p->inner_ops->commit(p->inner, n);
}

static int passage_peek_loans(void *self, struct iovec *view,
			      struct weir_loan **loan, int max)
{
	struct passage *p = self;

	if (!p->inner_ops)
		return 0;
	return p->inner_ops->peek_loans(p->inner, view, loan, max);
}

static ssize_t passage_write_loans(void *self, const struct iovec *v,
				   struct weir_loan *const *loan, int n)
{
	struct passage *p = self;

	if (!p->inner_ops)
		return 0;
	return p->inner_ops->write_loans(p->inner, v, loan, n);
}

static size_t passage_unacked(void *self)
{
	struct passage *p = self;

	return p->inner_ops ? p->inner_ops->unacked(p->inner) : 0;
}

static void passage_close(void *self, int err)
{
	struct passage *p = self;

	p->close(p->owner, err);
}

void passage_init(struct passage *p, const struct weir_stream_ops *inner_ops,
		  void *inner, void (*close)(void *owner, int err), void *owner)
{
	bool reads = WEIR_HAS(inner_ops, read) && inner_ops->read;
	bool reserves = WEIR_HAS(inner_ops, commit) && inner_ops->reserve &&
			inner_ops->commit;
	bool lends = WEIR_HAS(inner_ops, peek_loans) && inner_ops->peek_loans;
	bool keeps = WEIR_HAS(inner_ops, write_loans) && inner_ops->write_loans;
	bool knows = WEIR_HAS(inner_ops, unacked) && inner_ops->unacked;

	p->inner_ops = inner_ops;
	p->inner = inner;
	p->close = close;
	p->owner = owner;
	p->ops = (struct weir_stream_ops){
		.size = sizeof p->ops,
		.peek = inner_ops->peek ? passage_peek : NULL,
		.consume = inner_ops->consume ? passage_consume : NULL,
		.write = inner_ops->write ? passage_write : NULL,
		.finish = passage_finish,
		.close = passage_close,
		.read = reads ? passage_read : NULL,
		.reserve = reserves ? passage_reserve : NULL,
		.commit = reserves ? passage_commit : NULL,
		.peek_loans = lends ? passage_peek_loans : NULL,
		.write_loans = keeps ? passage_write_loans : NULL,
		.unacked = knows ? passage_unacked : NULL,
	};
}

void passage_cut(struct passage *p)
{
	p->inner_ops = NULL;
}
