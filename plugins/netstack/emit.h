/* SPDX-License-Identifier: GPL-2.0-or-later */
/* emit.h - packets of our own making: IP and transport header before somebody
 * else's payload. They gather in a batch for the link. */
#ifndef NETSTACK_EMIT_H
#define NETSTACK_EMIT_H

#include "stack.h"

#define EMIT_BATCH 32
#define EMIT_PIECES 64 /* most pieces of a packet */
#define EMIT_VIEWS (2 * EMIT_BATCH + EMIT_PIECES)
#define EMIT_HEAD 20   /* the largest transport header: TCP's */
#define EMIT_HEADER 72 /* IPv6, fragment header, EMIT_HEAD */

struct emit {
	struct weir_link *link;
	uint32_t mtu; /* the link's, unless the path has a lesser one */
	int n;
	struct weir_egress v[EMIT_BATCH];
	int views_used;
	struct iovec views[EMIT_VIEWS];
	uint8_t headers[EMIT_BATCH][EMIT_HEADER];
};

/* What is to be sent: `head` (EMIT_HEAD bytes at most) and `data` make up the
 * transport packet. Its checksum field lies `checksum_at` in the head. */
struct emit_packet {
	const uint8_t *source, *target; /* 4 or 16 bytes */
	bool v6, pseudo;
	uint8_t protocol;
	uint8_t head_len, checksum_at;
	uint8_t head[EMIT_HEAD];
	const void *data;
	uint32_t len;
	uint16_t gso_size; /* a train, which the link has said it takes */
	/* Of a train only: where the `len` bytes lie, if not all at `data`. */
	const struct iovec *pieces;
	int piece_count;
};

void emit_begin(struct emit *e, struct weir_link *link);
/* Too large for the MTU is sent in fragments. */
void emit_packet(struct emit *e, struct emit_packet *p);
void emit_end(struct emit *e);

#endif
