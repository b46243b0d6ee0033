/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reset.c - RST for segments that belong to no connection.
 *
 * A reset bears the sequence number that its receiver expects, the one it
 * acknowledged. A SYN acknowledges none: then the number is zero, and the reset
 * acknowledges the SYN. Without ACK the gate lets in nothing but SYNs. */
#include "reset.h"

#include "bytes.h"
#include "emit.h"

static void reset_send(struct weir_link *link, const struct tuple *key,
		       uint32_t seq, uint32_t ack, uint8_t flags)
{
	struct emit_packet p = {
		.source = key->local,
		.target = key->remote,
		.v6 = key->v6,
		.pseudo = true,
		.protocol = IPPROTO_TCP,
		.head_len = TCP_HEADER,
		.checksum_at = 16,
	};
	struct emit e;

	put16(p.head, key->local_port);
	put16(p.head + 2, key->remote_port);
	put32(p.head + 4, seq);
	put32(p.head + 8, ack);
	p.head[12] = TCP_HEADER / 4 << 4;
	p.head[13] = flags;
	emit_begin(&e, link);
	emit_packet(&e, &p);
	emit_end(&e);
}

void reset_wrong(struct weir_link *link, const struct tuple *key, uint32_t ack)
{
	reset_send(link, key, ack, 0, TCP_FLAG_RST);
}

void reset_syn(struct weir_link *link, const struct tuple *key,
	       const uint8_t *tcp)
{
	reset_send(link, key, 0, get32(tcp + 4) + 1,
		   TCP_FLAG_RST | TCP_FLAG_ACK);
}
