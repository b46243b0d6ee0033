/* SPDX-License-Identifier: GPL-2.0-or-later */
/* merge.c - opened packets of one TCP connection become a train.
 *
 * The kernel takes 64 KB of TCP by one call, at the cost of one packet. Bulk
 * arrives in order, so one train is enough: a packet that is the next of the
 * last one's connection, with the same headers but for what counts on, has its
 * payload added to the train's views, where it lies. All else ends the train.
 * A lone packet is handed on with the checksum it came with; a train's is left
 * to be completed, which nobody does: the peer's tag has vouched for it. */
#include "merge.h"

#include "bytes.h"

#include <netinet/in.h>

#define ALIGNED 16u
#define IP4_HEADER_BYTES 20u
#define IP4_LEN_AT 2u
#define IP4_ID_AT 4u
#define IP4_FRAGMENT_AT 6u
#define IP4_TTL_AT 8u
#define IP4_CHECK_AT 10u
#define IP4_ADDRESSES_AT 12u
#define IP4_ADDRESSES_BYTES 8u
#define IP6_HEADER_BYTES 40u
#define IP6_LEN_AT 4u
#define IP6_NEXT_AT 6u
#define IP6_ADDRESSES_AT 8u
#define IP6_ADDRESSES_BYTES 32u
#define MORE_OR_OFFSET 0x3fffu
#define TCP_HEADER_BYTES 20u
#define TCP_SEQ_AT 4u
#define TCP_ACK_AT 8u
#define TCP_LENGTH_AT 12u
#define TCP_FLAGS_AT 13u
#define TCP_CHECK_AT 16u
#define TCP_ACK 0x10u
#define TCP_PSH 0x08u
#define TRAIN_MOST 65535u

static uint32_t sum(uint32_t total, const uint8_t *p, size_t even)
{
	for (; even; even -= 2, p += 2)
		total += get16(p);
	return total;
}

static uint16_t fold(uint32_t total)
{
	total = (total & 0xffff) + (total >> 16);
	return (uint16_t)((total & 0xffff) + (total >> 16));
}

/* Where TCP begins in a packet that may be merged; 0: it may not. */
static uint16_t tcp_at(const uint8_t *p, uint32_t len)
{
	if (len > IP4_HEADER_BYTES && p[0] == 0x45)
		return p[IP4_TTL_AT + 1] == IPPROTO_TCP &&
				       get16(p + IP4_LEN_AT) == len &&
				       !(get16(p + IP4_FRAGMENT_AT) &
					 MORE_OR_OFFSET)
			       ? IP4_HEADER_BYTES
			       : 0;
	if (len > IP6_HEADER_BYTES && p[0] >> 4 == 6)
		return p[IP6_NEXT_AT] == IPPROTO_TCP &&
				       get16(p + IP6_LEN_AT) +
						       IP6_HEADER_BYTES ==
					       len
			       ? IP6_HEADER_BYTES
			       : 0;
	return 0;
}

/* Its headers' length where it is plain data; 0: it is not. */
static uint16_t data_at(const uint8_t *p, uint32_t len, uint16_t tcp)
{
	uint32_t header;

	if (!tcp || len < tcp + TCP_HEADER_BYTES)
		return 0;
	header = tcp + (p[tcp + TCP_LENGTH_AT] >> 4) * 4u;
	if (header < tcp + TCP_HEADER_BYTES || header >= len ||
	    (p[tcp + TCP_FLAGS_AT] & ~TCP_PSH) != TCP_ACK)
		return 0;
	return (uint16_t)header;
}

static void train_begin(struct merge *m, uint8_t *p, uint32_t len)
{
	uint16_t tcp = tcp_at(p, len), header = data_at(p, len, tcp);

	m->first = p;
	m->view[0] = (struct iovec){p, len};
	m->views = 1;
	m->len = len;
	m->mergeable = m->trains && header;
	if (!m->mergeable)
		return;
	m->transport_at = tcp;
	m->header_len = header;
	m->segment = (uint16_t)(len - header);
	m->closed = p[tcp + TCP_FLAGS_AT] & TCP_PSH;
	m->next_seq = get32(p + tcp + TCP_SEQ_AT) + m->segment;
}

static bool same_ip(const struct merge *m, const uint8_t *p)
{
	const uint8_t *q = m->first;

	if (p[0] >> 4 == 6)
		return !memcmp(p, q, IP6_LEN_AT) &&
		       !memcmp(p + IP6_NEXT_AT, q + IP6_NEXT_AT,
			       2 + IP6_ADDRESSES_BYTES);
	return !memcmp(p, q, IP4_LEN_AT) &&
	       !memcmp(p + IP4_FRAGMENT_AT, q + IP4_FRAGMENT_AT, 4) &&
	       !memcmp(p + IP4_ADDRESSES_AT, q + IP4_ADDRESSES_AT,
		       IP4_ADDRESSES_BYTES);
}

static bool is_next(const struct merge *m, const uint8_t *p, uint32_t len)
{
	uint16_t tcp = tcp_at(p, len), header = data_at(p, len, tcp);
	const uint8_t *a = p + tcp, *b = m->first + tcp;

	if (!header || header != m->header_len || tcp != m->transport_at ||
	    len - header > m->segment || m->views == MERGE_VIEWS ||
	    m->len + len - header > TRAIN_MOST || !same_ip(m, p))
		return false;
	return get32(a + TCP_SEQ_AT) == m->next_seq &&
	       !memcmp(a, b, TCP_SEQ_AT) && /* ports */
	       !memcmp(a + TCP_ACK_AT, b + TCP_ACK_AT, 5) &&
	       !memcmp(a + TCP_FLAGS_AT + 1, b + TCP_FLAGS_AT + 1, 2) &&
	       !memcmp(a + TCP_HEADER_BYTES, b + TCP_HEADER_BYTES,
		       header - tcp - TCP_HEADER_BYTES);
}

static void train_grow(struct merge *m, uint8_t *p, uint32_t len)
{
	uint32_t payload = len - m->header_len;
	uint8_t push = p[m->transport_at + TCP_FLAGS_AT] & TCP_PSH;

	m->view[m->views++] = (struct iovec){p + m->header_len, payload};
	m->len += payload;
	m->next_seq += payload;
	m->first[m->transport_at + TCP_FLAGS_AT] |= push;
	m->closed = push || payload < m->segment;
}

uint8_t *merge_room(struct merge *m, uint32_t bytes)
{
	if (!m->views)
		m->at = 0;
	return m->at + bytes <= MERGE_ROOM_BYTES ? m->room + m->at : NULL;
}

bool merge_add(struct merge *m, uint32_t len)
{
	uint8_t *p = m->room + m->at;

	if (!m->views)
		train_begin(m, p, len);
	else if (m->mergeable && !m->closed && is_next(m, p, len))
		train_grow(m, p, len);
	else
		return false;
	m->at += (len + ALIGNED - 1) & ~(ALIGNED - 1);
	return true;
}

static void headers_complete(struct merge *m)
{
	uint8_t *p = m->first;
	uint32_t tcp_len = m->len - m->transport_at;
	uint32_t pseudo = IPPROTO_TCP + tcp_len;

	if (p[0] >> 4 == 6) {
		put16(p + IP6_LEN_AT, m->len - IP6_HEADER_BYTES);
		pseudo = sum(pseudo, p + IP6_ADDRESSES_AT, IP6_ADDRESSES_BYTES);
	} else {
		put16(p + IP4_LEN_AT, m->len);
		put16(p + IP4_CHECK_AT, 0);
		put16(p + IP4_CHECK_AT,
		      (uint16_t)~fold(sum(0, p, IP4_HEADER_BYTES)));
		pseudo = sum(pseudo, p + IP4_ADDRESSES_AT, IP4_ADDRESSES_BYTES);
	}
	put16(p + m->transport_at + TCP_CHECK_AT, fold(pseudo));
}

bool merge_take(struct merge *m, struct weir_egress *e)
{
	if (!m->views)
		return false;
	*e = (struct weir_egress){.view = m->view, .views = m->views};
	if (m->views > 1) {
		headers_complete(m);
		e->gso = m->first[0] >> 4 == 6 ? WEIR_GSO_TCP6 : WEIR_GSO_TCP4;
		e->gso_size = m->segment;
		e->flags = WEIR_CSUM_PARTIAL;
		e->header_len = m->header_len;
		e->csum_start = m->transport_at;
		e->csum_offset = TCP_CHECK_AT;
	}
	m->views = 0;
	return true;
}
