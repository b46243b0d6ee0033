/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Questions to a name server, and answers. */
#include "tests/unit/dns_message.h"

#include <ares_nameser.h>
#include <check.h>

#define TTL_S 60
#define EDNS_BYTES 11u
#define EDNS_COUNT_AT 11 /* the second byte of it */

/* Behind the one question of a message. */
static uint32_t question_end(const uint8_t *bytes)
{
	const uint8_t *at = bytes + HFIXEDSZ;

	while (*at)
		at += *at + 1;
	return (uint32_t)(at + 1 + QFIXEDSZ - bytes);
}

struct dns_message dns_asked(struct weir_dial *d)
{
	size_t skip = d->net == WEIR_NET_TCP ? 2 : 0;
	struct dns_message m = {.len = 0};

	ck_assert_uint_gt(d->out_len, skip + HFIXEDSZ);
	m.len = question_end(d->out + skip);
	if (d->out[skip + EDNS_COUNT_AT])
		m.len += EDNS_BYTES;
	ck_assert_uint_ge(d->out_len, skip + m.len);
	if (skip)
		ck_assert_uint_eq(d->out[0] << 8 | d->out[1], m.len);
	memcpy(m.bytes, d->out + skip, m.len);
	d->out_len -= skip + m.len;
	memmove(d->out, d->out + skip + m.len, d->out_len);
	return m;
}

uint8_t dns_type(const struct dns_message *question)
{
	return question->bytes[question_end(question->bytes) - QFIXEDSZ + 1];
}

struct dns_message dns_answer(const struct dns_message *question, int rcode,
			      unsigned records)
{
	uint32_t end = question_end(question->bytes);
	uint8_t type = dns_type(question);
	uint8_t ip_bytes = type == T_AAAA ? 16 : 4;
	const uint8_t head[] = {0xc0, HFIXEDSZ, 0, type,  0, C_IN,
				0,    0,	0, TTL_S, 0, ip_bytes};
	struct dns_message m = *question;

	m.len = end;
	m.bytes[2] |= 0x80;
	m.bytes[3] = (uint8_t)rcode;
	m.bytes[7] = (uint8_t)records;
	m.bytes[EDNS_COUNT_AT] = 0;
	for (unsigned i = 0; i < records; i++) {
		memcpy(m.bytes + m.len, head, sizeof head);
		memset(m.bytes + m.len + sizeof head, 0xc0, ip_bytes);
		m.len += (uint32_t)sizeof head + ip_bytes;
		m.bytes[m.len - 1] = (uint8_t)i;
	}
	return m;
}
