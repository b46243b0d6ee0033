/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reset.h - RST for segments that belong to no connection. */
#ifndef NETSTACK_RESET_H
#define NETSTACK_RESET_H

#include "stack.h"

/* Answer a segment that acknowledges what nobody sent (RFC 9293, 3.10.7.1). */
void reset_wrong(struct weir_link *link, const struct tuple *key, uint32_t ack);
/* Refuse a SYN: `tcp` is its header. */
void reset_syn(struct weir_link *link, const struct tuple *key,
	       const uint8_t *tcp);

#endif
