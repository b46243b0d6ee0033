/* SPDX-License-Identifier: MIT */
/* Theory of operation.
 *
 * A session of the fake host has one real end, the plugin's; the test is the
 * other. Ends are never freed before the host, so that a late word about a
 * closed one is recognised and called what it is. */
#include "private.h"

#include <errno.h>
#include <stdlib.h>

#define HANDSHAKE_MS 60000
#define IDLE_MS 300000
#define ONLY_MS 1000
#define BUFFER_BYTES 524288

static struct weir_end *end_new(struct weir_instance *i, enum weir_net net)
{
	struct weir_end *end = fakehost_alloc(sizeof *end);

	end->instance = i;
	end->net = net;
	end->info.size = sizeof end->info;
	end->info.net = net;
	end->policy = (struct weir_policy){
		.size = sizeof end->policy,
		.handshake_ms = HANDSHAKE_MS,
		.idle_ms = IDLE_MS,
		.uplink_only_ms = ONLY_MS,
		.downlink_only_ms = ONLY_MS,
		.buffer_bytes = BUFFER_BYTES,
	};
	*i->fake->ends_end = end;
	i->fake->ends_end = &end->next;
	return end;
}

static void must_live(const struct weir_end *end)
{
	if (end->gone)
		fakehost_broken("nothing is said about an end that is gone");
}

static void must_be_opening(const struct weir_end *end)
{
	must_live(end);
	if (end->inbound || end->state != FAKEHOST_OPENING)
		fakehost_broken("open is answered once");
}

/* ---- what the plugin calls ---- */

static struct weir_end *end_accept(struct weir_instance *i,
				   const struct weir_session_info *info)
{
	struct weir_end *end;

	if (i->fake->refuse || i->stopping)
		return NULL;
	end = end_new(i, info->net);
	end->inbound = true;
	end->state = FAKEHOST_READY;
	end->info.level = info->level;
	if (WEIR_HAS(info, exchange_ms))
		end->info.exchange_ms = info->exchange_ms;
	fakehost_copy_addr(&end->info.source, end->source_name, &info->source);
	fakehost_copy_addr(&end->info.target, end->target_name, &info->target);
	if (info->user) {
		snprintf(end->user, sizeof end->user, "%s", info->user);
		end->info.user = end->user;
	}
	return end;
}

static void check_stream(const struct weir_stream_ops *ops)
{
	bool reads, writes;

	if (!ops || !WEIR_HAS(ops, commit) || !ops->finish || !ops->close)
		fakehost_broken("a stream has size, finish and close");
	reads = (ops->peek && ops->consume) || ops->read;
	writes = ops->write || (ops->reserve && ops->commit);
	if (!reads || !writes)
		fakehost_broken("a stream can be read and written");
	if (WEIR_HAS(ops, write_loans) &&
	    ((ops->peek_loans && !(ops->peek && ops->consume)) ||
	     (ops->write_loans && !ops->write)))
		fakehost_broken("loans come beside peek and write");
}

static void check_flow(const struct weir_flow_ops *ops)
{
	if (!ops || !WEIR_HAS(ops, unreachable) || !ops->send || !ops->close)
		fakehost_broken("a flow has size, send and close");
}

struct weir_end *fakehost_accept_stream(struct weir_instance *i,
					const struct weir_session_info *info,
					const struct weir_stream_ops *ops,
					void *s)
{
	struct weir_end *end;

	check_stream(ops);
	if (info->net != WEIR_NET_TCP)
		fakehost_broken("accept_stream takes TCP");
	end = end_accept(i, info);
	if (!end)
		return NULL;
	end->stream = ops;
	end->self = s;
	return end;
}

struct weir_end *fakehost_accept_flow(struct weir_instance *i,
				      const struct weir_session_info *info,
				      const struct weir_flow_ops *ops, void *f)
{
	struct weir_end *end;

	check_flow(ops);
	if (info->net != WEIR_NET_UDP && info->net != WEIR_NET_ICMP)
		fakehost_broken("accept_flow takes UDP or ICMP");
	end = end_accept(i, info);
	if (!end)
		return NULL;
	end->flow = ops;
	end->self = f;
	return end;
}

void fakehost_stream_ready(struct weir_end *end,
			   const struct weir_stream_ops *ops, void *s)
{
	must_be_opening(end);
	check_stream(ops);
	if (end->net != WEIR_NET_TCP)
		fakehost_broken("stream_ready answers a stream");
	end->stream = ops;
	end->self = s;
	end->state = FAKEHOST_READY;
}

void fakehost_flow_ready(struct weir_end *end, const struct weir_flow_ops *ops,
			 void *f)
{
	must_be_opening(end);
	check_flow(ops);
	if (end->net == WEIR_NET_TCP)
		fakehost_broken("flow_ready answers a flow");
	end->flow = ops;
	end->self = f;
	end->state = FAKEHOST_READY;
}

void fakehost_notify(struct weir_end *end, unsigned events)
{
	must_live(end);
	if (!end->stream)
		fakehost_broken("only a stream has news");
	end->news |= events;
	end->notices++;
}

static void hear(struct weir_end *end, const struct weir_datagram *d)
{
	struct fakehost_heard *h;

	end->heard = realloc(end->heard,
			     (end->heard_count + 1) * sizeof *end->heard);
	if (!end->heard)
		abort();
	h = &end->heard[end->heard_count++];
	memset(h, 0, sizeof *h);
	fakehost_copy_addr(&h->peer, h->name, d->peer);
	h->len = d->len;
	h->segment = d->segment;
	memcpy(h->data, d->data,
	       d->len < sizeof h->data ? d->len : sizeof h->data);
	/* The array may have moved. */
	for (size_t i = 0; i < end->heard_count; i++) {
		if (end->heard[i].peer.kind == WEIR_ADDR_NAME)
			end->heard[i].peer.name = end->heard[i].name;
	}
}

void fakehost_deliver(struct weir_end *end, const struct weir_datagram *v,
		      int n)
{
	must_live(end);
	if (!end->flow)
		fakehost_broken("only a ready flow delivers");
	for (int i = 0; i < n; i++)
		hear(end, &v[i]);
}

void fakehost_unreachable(struct weir_end *end, const struct weir_addr *peer,
			  int err)
{
	must_live(end);
	if (end->inbound || end->net == WEIR_NET_TCP)
		fakehost_broken("unreachable() is for flows of an outbound");
	end->unreachable_peer = *peer;
	end->unreachable_err = err;
}

void fakehost_fail(struct weir_end *end, int err, const char *why)
{
	must_live(end);
	if (end->state == FAKEHOST_FAILED)
		fakehost_broken("an end fails once");
	if (err <= 0 || !why)
		fakehost_broken("fail() gives an errno and a reason");
	end->gone = end->state == FAKEHOST_OPENING;
	end->state = FAKEHOST_FAILED;
	end->err = err;
	snprintf(end->why, sizeof end->why, "%s", why);
}

const struct weir_policy *fakehost_policy(struct weir_end *end)
{
	must_live(end);
	return &end->policy;
}

const struct weir_session_info *fakehost_info(struct weir_end *end)
{
	must_live(end);
	return &end->info;
}

/* ---- what the test calls ---- */

struct weir_end *fakehost_open(struct weir_instance *i,
			       const struct weir_addr *target,
			       enum weir_net net)
{
	const struct weir_outbound_ops *ops = i->component->ops;
	struct weir_end *end = end_new(i, net);
	void *pending;

	if (!(ops->nets & net))
		fakehost_broken("the test opens a network of the outbound");
	end->info.source.kind = WEIR_ADDR_IP4;
	end->info.source.port = 40000;
	memcpy(end->info.source.ip, (uint8_t[]){192, 0, 2, 1}, 4);
	fakehost_copy_addr(&end->info.target, end->target_name, target);
	pending = ops->open(i->self, end, &end->info.target, net);
	end->pending = pending;
	return end;
}

void fakehost_abandon(struct weir_end *end)
{
	const struct weir_outbound_ops *ops = end->instance->component->ops;

	must_be_opening(end);
	end->gone = true;
	end->state = FAKEHOST_CLOSED;
	ops->abandon(end->instance->self, end->pending);
}

struct weir_end *fakehost_accepted(struct fakehost *f, size_t i)
{
	for (struct weir_end *end = f->ends; end; end = end->next) {
		if (end->inbound && i-- == 0)
			return end;
	}
	return NULL;
}

int fakehost_accept(struct weir_end *end)
{
	return end->stream->accept ? end->stream->accept(end->self) : 0;
}

size_t fakehost_write(struct weir_end *end, const void *data, size_t len)
{
	struct iovec v = {(void *)(uintptr_t)data, len}, room[8];
	size_t done = 0;
	ssize_t n;

	if (end->state != FAKEHOST_READY)
		return 0;
	if (end->stream->write) {
		n = end->stream->write(end->self, &v, 1);
		if (n < 0 || (size_t)n > len)
			fakehost_broken("write takes 0..n bytes");
		return (size_t)n;
	}
	n = end->stream->reserve(end->self, room, 8);
	for (int i = 0; i < n && done < len; i++) {
		size_t take = len - done;

		if (take > room[i].iov_len)
			take = room[i].iov_len;
		memcpy(room[i].iov_base, (const char *)data + done, take);
		done += take;
	}
	if (n > 0)
		end->stream->commit(end->self, done);
	return done;
}

static size_t read_by_peek(struct weir_end *end, void *data, size_t size)
{
	struct iovec view[8];
	size_t done = 0;
	int n = end->stream->peek(end->self, view, 8);

	if (n == WEIR_PEEK_EOF)
		end->eof = true;
	if (n < WEIR_PEEK_EOF || n > 8)
		fakehost_broken("peek shows as many views as there is room");
	for (int i = 0; i < n && done < size; i++) {
		size_t take = size - done;

		if (take > view[i].iov_len)
			take = view[i].iov_len;
		memcpy((char *)data + done, view[i].iov_base, take);
		done += take;
	}
	if (n > 0 && size && !done)
		fakehost_broken("peek shows bytes, or says 0");
	if (done)
		end->stream->consume(end->self, done);
	return done;
}

size_t fakehost_read(struct weir_end *end, void *data, size_t size)
{
	struct iovec room = {data, size};
	ssize_t n;

	/* What came before a failure is read, as the core does. */
	if (end->gone || !end->stream)
		return 0;
	if (end->stream->peek)
		return read_by_peek(end, data, size);
	n = end->stream->read(end->self, &room, 1);
	if (n > (ssize_t)size || (n < 0 && n != -EAGAIN))
		fakehost_broken("read gives bytes, 0 or -EAGAIN");
	end->eof = end->eof || n == 0;
	return n > 0 ? (size_t)n : 0;
}

void fakehost_finish(struct weir_end *end)
{
	if (end->state == FAKEHOST_READY)
		end->stream->finish(end->self);
}

bool fakehost_send(struct weir_end *end, const struct weir_addr *peer,
		   const void *data, size_t len)
{
	struct weir_datagram d = {peer, data, (uint32_t)len, 0};

	return end->state == FAKEHOST_READY &&
	       end->flow->send(end->self, &d, 1) == 1;
}

void fakehost_close(struct weir_end *end, int err)
{
	if (end->gone)
		return;
	/* Until close returns the plugin may still speak about it. */
	if (end->stream)
		end->stream->close(end->self, err);
	else if (end->flow)
		end->flow->close(end->self, err);
	end->gone = true;
	end->state = FAKEHOST_CLOSED;
}
