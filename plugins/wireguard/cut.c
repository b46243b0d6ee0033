/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cut.c - what an offload card would do: cut a train of TCP or UDP into
 * packets and complete their checksums.
 *
 * The stack, or the kernel behind a TUN, hands over up to 64 KB under one
 * header. Each piece gets a copy of it with its own lengths, identification,
 * sequence number and flags (RFC 9293, 3.8.3; FIN and PSH with the last, CWR
 * with the first: RFC 3168, 6.1.2). A piece is written where it will be
 * sealed, and summed there while it is in the cache. */
#include "cut.h"

#include "bytes.h"
#include "sum.h"

#include <netinet/in.h>
#include <netinet/tcp.h>

#define IP4_LEN_AT 2u
#define IP4_ID_AT 4u
#define IP4_CHECK_AT 10u
#define IP4_ADDRESSES_AT 12u
#define IP4_HEADER_BYTES 20u
#define IP6_LEN_AT 4u
#define IP6_ADDRESSES_AT 8u
#define IP6_HEADER_BYTES 40u
#define TCP_SEQ_AT 4u
#define TCP_FLAGS_AT 13u
#define TCP_CHECK_AT 16u
#define TCP_HEADER_BYTES 20u
#define TCP_CWR 0x80u
#define UDP_LEN_AT 4u
#define UDP_CHECK_AT 6u
#define UDP_HEADER_BYTES 8u

/* Copy the next `len` bytes of the views. */
static void cut_read(struct cut *c, uint8_t *to, size_t len)
{
	while (len) {
		size_t here = c->view->iov_len - c->offset;
		size_t n = here < len ? here : len;

		if (to) {
			memcpy(to, (uint8_t *)c->view->iov_base + c->offset, n);
			to += n;
		}
		len -= n;
		c->offset += n;
		if (c->offset == c->view->iov_len) {
			c->view++;
			c->offset = 0;
		}
	}
}

/* A train's headers: are they what its kind says? */
static bool train_is_sane(const struct cut *c)
{
	const struct weir_egress *e = c->e;
	bool udp = e->gso == WEIR_GSO_UDP;
	bool v6 = c->header[0] >> 4 == 6;
	uint32_t check_at = udp ? UDP_CHECK_AT : TCP_CHECK_AT;
	uint32_t least = udp ? UDP_HEADER_BYTES : TCP_HEADER_BYTES;

	if (!e->gso_size || !(e->flags & WEIR_CSUM_PARTIAL) ||
	    e->csum_offset != check_at)
		return false;
	if (!udp && v6 != (e->gso == WEIR_GSO_TCP6))
		return false;
	return e->csum_start >= (v6 ? IP6_HEADER_BYTES : IP4_HEADER_BYTES) &&
	       e->csum_start + least <= e->header_len &&
	       e->header_len <= CUT_HEADER_MAX && e->header_len < c->len;
}

static bool packet_is_sane(const struct cut *c)
{
	const struct weir_egress *e = c->e;
	unsigned version = c->header[0] >> 4;

	if (!((version == 4 && c->header_len >= IP4_HEADER_BYTES) ||
	      (version == 6 && c->header_len >= IP6_HEADER_BYTES)))
		return false;
	return !(e->flags & WEIR_CSUM_PARTIAL) ||
	       (e->csum_start >= IP4_HEADER_BYTES &&
		(uint32_t)e->csum_start + e->csum_offset + 2 <= c->len);
}

bool cut_begin(struct cut *c, const struct weir_egress *e)
{
	bool train = e->gso != WEIR_GSO_NONE;

	c->e = e;
	c->len = 0;
	for (unsigned i = 0; i < e->views; i++)
		c->len += (uint32_t)e->view[i].iov_len;
	c->header_len = train ? e->header_len : IP6_HEADER_BYTES;
	if (c->header_len > c->len)
		c->header_len = c->len;
	if (c->header_len > CUT_HEADER_MAX)
		return false;
	c->view = e->view;
	c->offset = 0;
	cut_read(c, c->header, c->header_len);
	if (!c->len || !packet_is_sane(c) || (train && !train_is_sane(c)))
		return false;
	if (!train) { /* in one piece, from the first byte */
		c->view = e->view;
		c->offset = 0;
	}
	c->at = 0;
	c->left = train ? c->len - c->header_len : c->len;
	c->pieces = 0;
	c->done = false;
	return true;
}

/* Payload of the next piece. */
static uint32_t piece_payload(const struct cut *c)
{
	if (c->e->gso == WEIR_GSO_NONE || c->left < c->e->gso_size)
		return c->left;
	return c->e->gso_size;
}

uint32_t cut_len(const struct cut *c)
{
	uint32_t header = c->e->gso == WEIR_GSO_NONE ? 0 : c->header_len;

	return header + piece_payload(c);
}

/* Copy a piece's payload; returns its sum. */
static uint64_t payload_write(struct cut *c, uint8_t *to, uint32_t len)
{
	uint64_t sum;

	if (c->view->iov_len - c->offset <= len) {
		cut_read(c, to, len);
		return sum_add(0, to, len);
	}
	sum = sum_copy(0, to, (uint8_t *)c->view->iov_base + c->offset, len);
	c->offset += len;
	return sum;
}

static void cut_advance(struct cut *c, uint32_t payload)
{
	c->at += payload;
	c->left -= payload;
	c->pieces++;
	c->done = !c->left;
}

void cut_skip(struct cut *c)
{
	uint32_t payload = piece_payload(c);

	cut_read(c, NULL, payload);
	cut_advance(c, payload);
}

static uint64_t pseudo_sum(const uint8_t *packet, uint8_t protocol,
			   uint32_t len)
{
	bool v6 = packet[0] >> 4 == 6;
	uint64_t sum = (uint64_t)htonl(len) + htons(protocol);

	return v6 ? sum_add(sum, packet + IP6_ADDRESSES_AT, 32)
		  : sum_add(sum, packet + IP4_ADDRESSES_AT, 8);
}

static void write_ip_header(const struct cut *c, uint8_t *packet, uint32_t len)
{
	uint16_t check;

	if (packet[0] >> 4 == 6) {
		put16(packet + IP6_LEN_AT, len - IP6_HEADER_BYTES);
		return;
	}
	put16(packet + IP4_LEN_AT, len);
	put16(packet + IP4_ID_AT, get16(packet + IP4_ID_AT) + c->pieces);
	put16(packet + IP4_CHECK_AT, 0);
	check = sum_fold(sum_add(0, packet, (packet[0] & 15u) * 4u));
	memcpy(packet + IP4_CHECK_AT, &check, sizeof check);
}

static void write_tcp_header(const struct cut *c, uint8_t *tcp, bool last)
{
	put32(tcp + TCP_SEQ_AT, get32(tcp + TCP_SEQ_AT) + c->at);
	if (!last)
		tcp[TCP_FLAGS_AT] &= (uint8_t) ~(TH_FIN | TH_PUSH);
	if (c->pieces)
		tcp[TCP_FLAGS_AT] &= (uint8_t)~TCP_CWR;
}

/* The transport's header of a piece of a train, and its checksum; `sum` is
 * that of the payload. */
static void write_transport(const struct cut *c, uint8_t *packet, uint32_t len,
			    uint64_t sum, bool last)
{
	const struct weir_egress *e = c->e;
	uint8_t *transport = packet + e->csum_start;
	uint32_t transport_len = len - e->csum_start;
	bool udp = e->gso == WEIR_GSO_UDP;
	uint16_t check;

	if (udp)
		put16(transport + UDP_LEN_AT, transport_len);
	else
		write_tcp_header(c, transport, last);
	put16(transport + e->csum_offset, 0);
	sum += pseudo_sum(packet, udp ? IPPROTO_UDP : IPPROTO_TCP,
			  transport_len);
	check = sum_fold(
		sum_add(sum, transport, c->header_len - e->csum_start));
	if (udp && !check)
		check = UINT16_MAX;
	memcpy(transport + e->csum_offset, &check, sizeof check);
}

/* The partial checksum of a single packet: the field holds the pseudo
 * header's sum and is summed with the rest. */
static void complete_checksum(const struct weir_egress *e, uint8_t *packet,
			      uint32_t len)
{
	uint8_t *transport = packet + e->csum_start;
	uint16_t check = sum_fold(sum_add(0, transport, len - e->csum_start));

	if (!check && e->csum_offset == UDP_CHECK_AT)
		check = UINT16_MAX;
	memcpy(transport + e->csum_offset, &check, sizeof check);
}

void cut_write(struct cut *c, uint8_t *to)
{
	uint32_t len = cut_len(c), payload = piece_payload(c);
	bool last = payload == c->left;

	if (c->e->gso != WEIR_GSO_NONE) {
		uint64_t sum = payload_write(c, to + c->header_len, payload);

		memcpy(to, c->header, c->header_len);
		write_ip_header(c, to, len);
		write_transport(c, to, len, sum, last);
	} else {
		cut_read(c, to, len);
		if (c->e->flags & WEIR_CSUM_PARTIAL)
			complete_checksum(c->e, to, len);
	}
	cut_advance(c, payload);
}
