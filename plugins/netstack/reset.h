/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reset.h - RST for segments that belong to no connection. */
#ifndef NETSTACK_RESET_H
#define NETSTACK_RESET_H

#include "stack.h"

/* Answer a segment nobody waits for (RFC 9293, 3.10.7.1). */
void reset_stranger(struct weir_link *link, const struct packet *p);
/* Answer what acknowledges something that was never sent. */
void reset_wrong(struct weir_link *link, const struct tuple *key, uint32_t ack);
/* Refuse a SYN: `tcp` is its header. */
void reset_syn(struct weir_link *link, const struct tuple *key,
	       const uint8_t *tcp);

#endif
