/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emit.c - build IP packets around payload that stays where it is.
 *
 * Each packet is a view of headers in the batch's own memory, and one of a
 * slice of the payload; a train may take its payload from several places. Where
 * the link finishes checksums, only the pseudo header is summed. What exceeds
 * the MTU goes out as fragments: the datagram's checksum is then made here,
 * because no link completes one across fragments. */
#include "emit.h"

#include "bytes.h"
#include "checksum.h"

#define FLAG_DF 0x4000u
#define FLAG_MF 0x2000u
#define NEXT_FRAGMENT 44

void emit_begin(struct emit *e, struct weir_link *link)
{
	e->link = link;
	e->mtu = link->mtu;
	e->n = e->views_used = 0;
}

void emit_end(struct emit *e)
{
	if (e->n)
		link_output(e->link, e->v, e->n);
	e->n = e->views_used = 0;
}

/* An IPv4 header for `len` bytes behind it. */
static uint32_t put_ip4(uint8_t *to, const struct emit_packet *p, uint32_t len,
			uint16_t id, uint32_t fragment)
{
	uint16_t sum;

	memset(to, 0, IP4_HEADER);
	to[0] = 0x45;
	put16(to + 2, IP4_HEADER + len);
	put16(to + 4, id);
	put16(to + 6, fragment);
	to[8] = TTL;
	to[9] = p->protocol;
	memcpy(to + 12, p->source, 4);
	memcpy(to + 16, p->target, 4);
	sum = (uint16_t)~checksum_fold(checksum_add(0, to, IP4_HEADER));
	memcpy(to + 10, &sum, 2);
	return IP4_HEADER;
}

static uint32_t put_ip6(uint8_t *to, const struct emit_packet *p, uint32_t len,
			uint8_t next)
{
	memset(to, 0, IP6_HEADER);
	to[0] = 0x60;
	put16(to + 4, len);
	to[6] = next;
	to[7] = TTL;
	memcpy(to + 8, p->source, 16);
	memcpy(to + 24, p->target, 16);
	return IP6_HEADER;
}

static struct weir_egress *emit_slot(struct emit *e, int views)
{
	struct weir_egress *v;

	if (e->n == EMIT_BATCH || e->views_used + views > EMIT_VIEWS)
		emit_end(e);
	v = &e->v[e->n++];
	memset(v, 0, sizeof *v);
	return v;
}

static void set_views(struct emit *e, struct weir_egress *v,
		      uint32_t header_len, const struct iovec *pieces, int n)
{
	struct iovec *view = &e->views[e->views_used];

	view[0].iov_base = e->headers[v - e->v];
	view[0].iov_len = header_len;
	memcpy(view + 1, pieces, (size_t)n * sizeof *pieces);
	v->view = view;
	v->views = (uint16_t)(n + 1);
	v->header_len = (uint16_t)header_len;
	e->views_used += n + 1;
}

static struct iovec slice_of(const void *data, uint32_t len)
{
	return (struct iovec){(void *)(uintptr_t)data, len};
}

/* The whole checksum, or, where the link completes it, the start of one. */
static void set_checksum(struct emit_packet *p, bool partial)
{
	uint32_t len = p->head_len + p->len;
	uint64_t sum = 0;
	uint16_t folded;

	memset(p->head + p->checksum_at, 0, 2);
	if (p->pseudo)
		sum = checksum_pseudo(p->source, p->target, p->v6, p->protocol,
				      len);
	if (partial) {
		folded = checksum_fold(sum);
	} else {
		sum = checksum_add(sum, p->head, p->head_len);
		folded = (uint16_t)~checksum_fold(
			checksum_add(sum, p->data, p->len));
		if (!folded && p->protocol == IPPROTO_UDP)
			folded = 0xffff;
	}
	memcpy(p->head + p->checksum_at, &folded, 2);
}

static void emit_whole(struct emit *e, struct emit_packet *p)
{
	bool partial = p->protocol == IPPROTO_UDP &&
		       (e->link->offloads & WEIR_LINK_CSUM);
	struct iovec all = slice_of(p->data, p->len);
	const struct iovec *pieces = p->pieces ? p->pieces : &all;
	int count = p->pieces ? p->piece_count : p->len != 0;
	struct weir_egress *v = emit_slot(e, count + 1);
	uint8_t *header = e->headers[v - e->v];
	uint32_t len = p->head_len + p->len, at;

	set_checksum(p, partial);
	if (p->v6)
		at = put_ip6(header, p, len, p->protocol);
	else
		at = put_ip4(header, p, len, e->link->ip4_id++, FLAG_DF);
	memcpy(header + at, p->head, p->head_len);
	set_views(e, v, at + p->head_len, pieces, count);
	if (partial) {
		v->flags = WEIR_CSUM_PARTIAL;
		v->csum_start = (uint16_t)at;
		v->csum_offset = p->checksum_at;
	}
	if (p->gso_size) {
		v->gso = WEIR_GSO_UDP;
		v->gso_size = p->gso_size;
	}
}

/* Bytes [at, at + len) of head and data as one fragment. */
static void emit_fragment(struct emit *e, const struct emit_packet *p,
			  uint32_t id, uint32_t at, uint32_t len, bool more)
{
	struct weir_egress *v = emit_slot(e, 2);
	uint8_t *header = e->headers[v - e->v];
	uint32_t own = at ? 0 : p->head_len, size;
	struct iovec part =
		slice_of((const uint8_t *)p->data + (at ? at - p->head_len : 0),
			 len - own);

	if (p->v6) {
		size = put_ip6(header, p, IP6_FRAGMENT_HEADER + len,
			       NEXT_FRAGMENT);
		header[size] = p->protocol;
		header[size + 1] = 0;
		put16(header + size + 2, at | more);
		put32(header + size + 4, id);
		size += IP6_FRAGMENT_HEADER;
	} else {
		size = put_ip4(header, p, len, (uint16_t)id,
			       at / 8 | (more ? FLAG_MF : 0));
	}
	memcpy(header + size, p->head, own);
	set_views(e, v, size + own, &part, part.iov_len != 0);
}

static void emit_fragments(struct emit *e, struct emit_packet *p)
{
	struct weir_link *link = e->link;
	uint32_t headers =
		p->v6 ? IP6_HEADER + IP6_FRAGMENT_HEADER : IP4_HEADER;
	uint32_t most = (e->mtu - headers) & ~7u;
	uint32_t id = p->v6 ? link->ip6_id++ : link->ip4_id++;
	uint32_t total = p->head_len + p->len;

	set_checksum(p, false);
	for (uint32_t at = 0; at < total; at += most) {
		uint32_t len = total - at < most ? total - at : most;

		emit_fragment(e, p, id, at, len, at + len < total);
	}
}

void emit_packet(struct emit *e, struct emit_packet *p)
{
	uint32_t total =
		(p->v6 ? IP6_HEADER : IP4_HEADER) + p->head_len + p->len;

	if (total > e->mtu && !p->gso_size)
		emit_fragments(e, p);
	else
		emit_whole(e, p);
}
