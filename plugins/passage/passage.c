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

static void passage_close(void *self, int err)
{
	struct passage *p = self;

	p->close(p->owner, err);
}

void passage_init(struct passage *p, const struct weir_stream_ops *inner_ops,
		  void *inner, void (*close)(void *owner, int err), void *owner)
{
	bool reads = WEIR_HAS(inner_ops, read) && inner_ops->read;
	bool lends = WEIR_HAS(inner_ops, commit) && inner_ops->reserve &&
		     inner_ops->commit;

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
		.reserve = lends ? passage_reserve : NULL,
		.commit = lends ? passage_commit : NULL,
	};
}

void passage_cut(struct passage *p)
{
	p->inner_ops = NULL;
}
