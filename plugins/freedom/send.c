/* SPDX-License-Identifier: GPL-2.0-or-later */
/* send.c - datagrams to their peers, as few calls as the kernel allows.
 *
 * Neighbours in a vector that go to one peer and have one size leave as one
 * train (UDP_SEGMENT): the kernel cuts it. A train that came in as one leaves
 * as one. Where the kernel refuses a train its datagrams are sent singly: for
 * ever if the device cannot send trains, else this once (the path cuts a single
 * one into fragments; another peer's may be wider).
 *
 * Nothing is queued. A full socket buffer ends the vector: what is left of it
 * is dropped and counted. */
#include "trains.h"
#include "udp.h"

/* Datagrams for one peer, all of `segment` bytes but perhaps the last. Each
 * view but the last holds whole segments. */
struct batch {
	struct weir_addr peer;
	struct iovec view[SEGMENTS_MAX];
	unsigned views, segments;
	uint32_t bytes, segment;
	bool closed; /* the last one was shorter */
};

static uint32_t segment_of(const struct weir_datagram *d)
{
	return d->segment && d->segment < d->len ? d->segment : d->len;
}

static uint32_t segments_of(const struct weir_datagram *d)
{
	uint32_t segment = segment_of(d);

	return segment ? (d->len + segment - 1) / segment : 1;
}

static bool batch_fits(const struct batch *b, const struct weir_addr *to,
		       const struct weir_datagram *d)
{
	uint32_t segment = segment_of(d), segments = segments_of(d);

	if (!b->views)
		return true;
	if (b->closed || !segment || segment > b->segment)
		return false;
	if (segment < b->segment && segments > 1)
		return false;
	return b->segments + segments <= SEGMENTS_MAX &&
	       b->bytes + d->len <= UDP_PAYLOAD_MAX &&
	       weir_addr_equal(&b->peer, to);
}

static void batch_add(struct batch *b, const struct weir_addr *to,
		      const struct weir_datagram *d)
{
	struct iovec *view = &b->view[b->views];

	if (!b->views++) {
		b->peer = *to;
		b->segment = segment_of(d);
	}
	view->iov_base = (void *)(uintptr_t)d->data;
	view->iov_len = d->len;
	b->bytes += d->len;
	b->segments += segments_of(d);
	b->closed = !b->segment || d->len % b->segment;
}

/* 0 or an errno. */
static int transmit(struct udp_socket *k, const struct msghdr *m)
{
	for (int attempt = 0;; attempt++) {
		if (sendmsg(k->fd, m, MSG_DONTWAIT) >= 0)
			return 0;
		if (attempt || sock_is_full(errno) || train_is_refused(errno))
			return errno;
		/* Perhaps an earlier datagram's error, reported here. */
		udp_errors(k);
	}
}

static int transmit_train(struct udp_socket *k, const struct batch *b,
			  struct msghdr *m)
{
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(uint16_t))] = {
		0};
	uint16_t segment = (uint16_t)b->segment;
	struct cmsghdr *c;
	int err;

	m->msg_iov = (struct iovec *)(uintptr_t)b->view;
	m->msg_iovlen = b->views;
	m->msg_control = control;
	m->msg_controllen = sizeof control;
	c = CMSG_FIRSTHDR(m);
	c->cmsg_level = IPPROTO_UDP;
	c->cmsg_type = UDP_SEGMENT;
	c->cmsg_len = CMSG_LEN(sizeof segment);
	memcpy(CMSG_DATA(c), &segment, sizeof segment);
	err = transmit(k, m);
	m->msg_control = NULL;
	m->msg_controllen = 0;
	k->no_trains |= err == EIO;
	return err;
}

static int transmit_singly(struct udp_socket *k, const struct batch *b,
			   struct msghdr *m)
{
	struct iovec one;
	int err = 0;

	m->msg_iov = &one;
	m->msg_iovlen = 1;
	for (unsigned i = 0; i < b->views; i++) {
		const struct iovec *view = &b->view[i];
		size_t at = 0;

		do {
			one.iov_base = (uint8_t *)view->iov_base + at;
			one.iov_len = view->iov_len - at;
			if (one.iov_len > b->segment)
				one.iov_len = b->segment;
			err = transmit(k, m);
			if (err)
				return err;
			at += one.iov_len;
		} while (at < view->iov_len);
	}
	return 0;
}

static int batch_try(struct udp *u, const struct batch *b)
{
	struct udp_socket *k = udp_socket_get(u, &b->peer);
	union sockaddr_any to;
	struct msghdr m = {.msg_name = &to};
	int err;

	if (!k)
		return errno;
	m.msg_namelen = addr_to_sockaddr(&b->peer, &to);
	if (b->segments > 1 && !k->no_trains) {
		err = transmit_train(k, b, &m);
		if (!train_is_refused(err))
			return err;
	}
	return transmit_singly(k, b, &m);
}

static int batch_transmit(struct udp *u, const struct batch *b)
{
	int err = batch_try(u, b);

	return err && udp_socket_drop_lost(u, &b->peer) ? batch_try(u, b) : err;
}

/* Send and empty the batch. False: the socket's buffer is full. */
static bool batch_flush(struct udp *u, struct batch *b)
{
	struct freedom_counters *n = &u->freedom->n;
	bool full;
	int err;

	if (!b->views)
		return true;
	err = batch_transmit(u, b);
	full = sock_is_full(err);
	if (!err) {
		*n->udp_sent += b->segments;
		*n->udp_sent_bytes += b->bytes;
	} else {
		*n->udp_dropped += b->segments;
		if (!full)
			udp_unreachable(u, &b->peer, err);
	}
	b->views = b->segments = b->bytes = 0;
	b->closed = false;
	return !full;
}

/* A train that is too long for one call: as many as it takes. */
static bool train_send(struct udp *u, struct batch *b,
		       const struct weir_addr *to,
		       const struct weir_datagram *d)
{
	uint32_t count = UDP_PAYLOAD_MAX / d->segment, most;

	most = (count < SEGMENTS_MAX ? count : SEGMENTS_MAX) * d->segment;
	for (uint32_t at = 0; at < d->len; at += most) {
		struct weir_datagram part = *d;

		part.data = (const uint8_t *)d->data + at;
		part.len = d->len - at < most ? d->len - at : most;
		batch_add(b, to, &part);
		if (!batch_flush(u, b))
			return false;
	}
	return true;
}

static bool too_long(const struct weir_datagram *d)
{
	return segment_of(d) < d->len && segment_of(d) <= UDP_PAYLOAD_MAX &&
	       (d->len > UDP_PAYLOAD_MAX || segments_of(d) > SEGMENTS_MAX);
}

int udp_send(void *self, const struct weir_datagram *v, int n)
{
	struct udp *u = self;
	struct batch b;
	int i, flushed = 0;

	b.views = b.segments = b.bytes = 0;
	b.closed = false;
	for (i = 0; i < n; i++) {
		const struct weir_addr *to = alias_route(u, &v[i]);

		if (!to)
			continue;
		if (too_long(&v[i]) || !batch_fits(&b, to, &v[i])) {
			if (!batch_flush(u, &b))
				goto out;
			flushed = i;
		}
		if (!too_long(&v[i]))
			batch_add(&b, to, &v[i]);
		else if (!train_send(u, &b, to, &v[i]))
			goto out;
	}
	if (batch_flush(u, &b))
		return n;
out:
	for (; i < n; i++)
		*u->freedom->n.udp_dropped += segments_of(&v[i]);
	return flushed;
}
