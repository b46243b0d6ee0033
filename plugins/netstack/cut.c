/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cut.c - trains for links that take none.
 *
 * A segment becomes larger than a packet when the path's MTU shrinks after it
 * was built (pmtu.c). It is cut here as a network card would do it: each packet
 * gets the headers of the whole with its own lengths, identification, sequence
 * number and checksums; PSH and FIN are the last one's, CWR is the first one's.
 * Payload is not copied. */
#include "cut.h"

#include "bytes.h"
#include "checksum.h"

#define CUT_BATCH 16
#define HEADERS_MOST 128u /* IPv6 or IPv4, and TCP with options */
#define LENGTH4_AT 2u
#define ID4_AT 4u
#define CHECKSUM4_AT 10u
#define SOURCE4_AT 12u
#define TARGET4_AT 16u
#define LENGTH6_AT 4u
#define SOURCE6_AT 8u
#define TARGET6_AT 24u
#define SEQ_AT 4u
#define FLAGS_AT 13u
#define TCP_CHECKSUM_AT 16u
#define FLAGS_OF_LAST (TCP_FLAG_FIN | TCP_FLAG_PSH)
#define FLAG_OF_FIRST TCP_FLAG_CWR

struct cut {
	struct weir_link *link;
	const struct weir_egress *whole;
	uint32_t l4;	      /* offset of the TCP header */
	int view;	      /* where in the whole the next payload lies */
	size_t at;	      /* in that view */
	uint32_t done, total; /* payload */
	int n;
	struct weir_egress v[CUT_BATCH];
	struct iovec views[CUT_BATCH][CUT_VIEWS + 1];
	uint8_t headers[CUT_BATCH][HEADERS_MOST];
};

static void add16(uint8_t *at, uint32_t value)
{
	put16(at, get16(at) + value);
}

static void add32(uint8_t *at, uint32_t value)
{
	uint32_t sum = (get16(at) << 16 | get16(at + 2)) + value;

	put16(at, sum >> 16);
	put16(at + 2, sum);
}

/* Take the next `len` bytes of payload into views behind the headers; returns
 * their sum, which goes on over pieces of odd length. */
static uint64_t take_payload(struct cut *c, struct weir_egress *v,
			     struct iovec *view, uint32_t len)
{
	uint64_t sum = 0;
	uint32_t taken = 0;

	while (taken < len) {
		const struct iovec *from = &c->whole->view[c->view];
		size_t n = from->iov_len - c->at;
		uint16_t piece;

		if (n > len - taken)
			n = len - taken;
		view[v->views].iov_base = (uint8_t *)from->iov_base + c->at;
		view[v->views].iov_len = n;
		piece = checksum_fold(
			checksum_add(0, view[v->views++].iov_base, n));
		sum += taken & 1 ? (uint16_t)(piece << 8 | piece >> 8) : piece;
		taken += (uint32_t)n;
		c->at += n;
		if (c->at == from->iov_len) {
			c->view++;
			c->at = 0;
		}
	}
	return sum;
}

static void set_ip(const struct cut *c, uint8_t *ip, uint32_t number,
		   uint32_t len)
{
	uint16_t sum;

	if (ip[0] >> 4 == 6) {
		put16(ip + LENGTH6_AT, len);
		return;
	}
	put16(ip + LENGTH4_AT, c->l4 + len);
	add16(ip + ID4_AT, number);
	memset(ip + CHECKSUM4_AT, 0, 2);
	sum = (uint16_t)~checksum_fold(checksum_add(0, ip, c->l4));
	memcpy(ip + CHECKSUM4_AT, &sum, 2);
}

/* `sum`: of the payload. */
static void set_checksum(const struct cut *c, struct weir_egress *v,
			 uint8_t *ip, uint64_t sum, uint32_t len)
{
	bool v6 = ip[0] >> 4 == 6;
	uint64_t pseudo = checksum_pseudo(ip + (v6 ? SOURCE6_AT : SOURCE4_AT),
					  ip + (v6 ? TARGET6_AT : TARGET4_AT),
					  v6, IPPROTO_TCP, len);
	uint8_t *field = ip + c->l4 + TCP_CHECKSUM_AT;
	uint16_t folded;

	memset(field, 0, 2);
	if (c->link->offloads & WEIR_LINK_CSUM) {
		folded = checksum_fold(pseudo);
		v->flags = WEIR_CSUM_PARTIAL;
		v->csum_start = (uint16_t)c->l4;
		v->csum_offset = TCP_CHECKSUM_AT;
	} else {
		sum = checksum_add(sum + pseudo, ip + c->l4,
				   v->header_len - c->l4);
		folded = (uint16_t)~checksum_fold(sum);
	}
	memcpy(field, &folded, 2);
}

static void flush(struct cut *c)
{
	if (c->n)
		link_output(c->link, c->v, c->n);
	c->n = 0;
}

static void cut_one(struct cut *c, uint32_t number, uint32_t len)
{
	struct weir_egress *v = &c->v[c->n];
	struct iovec *view = c->views[c->n];
	uint8_t *ip = c->headers[c->n++];
	uint32_t header_len = c->whole->header_len;
	uint32_t l4_len = header_len - c->l4 + len;
	uint64_t sum;

	memcpy(ip, c->whole->view[0].iov_base, header_len);
	view[0].iov_base = ip;
	view[0].iov_len = header_len;
	*v = (struct weir_egress){.view = view, .views = 1};
	v->header_len = (uint16_t)header_len;
	add32(ip + c->l4 + SEQ_AT, c->done);
	if (c->done + len < c->total)
		ip[c->l4 + FLAGS_AT] &= (uint8_t)~FLAGS_OF_LAST;
	if (c->done)
		ip[c->l4 + FLAGS_AT] &= (uint8_t)~FLAG_OF_FIRST;
	set_ip(c, ip, number, l4_len);
	sum = take_payload(c, v, view, len);
	set_checksum(c, v, ip, sum, l4_len);
	c->done += len;
	if (c->n == CUT_BATCH)
		flush(c);
}

void cut_output(struct weir_link *link, const struct weir_egress *whole,
		uint32_t size)
{
	const uint8_t *ip = whole->view[0].iov_base;
	struct cut c;

	c.link = link;
	c.whole = whole;
	c.l4 = ip[0] >> 4 == 6 ? IP6_HEADER : IP4_HEADER;
	c.view = 0;
	c.at = whole->header_len;
	if (c.at == whole->view[0].iov_len) {
		c.view = 1;
		c.at = 0;
	}
	c.n = 0;
	c.done = c.total = 0;
	for (int i = 0; i < whole->views; i++)
		c.total += (uint32_t)whole->view[i].iov_len;
	c.total -= whole->header_len;
	for (uint32_t number = 0; c.done < c.total; number++)
		cut_one(&c, number,
			c.total - c.done < size ? c.total - c.done : size);
	flush(&c);
}
