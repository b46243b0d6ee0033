/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buffer.h - memory for what comes in: slabs that a link fills, and payload
 * that waits in receive queues, accounted at its true size. */
#ifndef NETSTACK_BUFFER_H
#define NETSTACK_BUFFER_H

#include "stack.h"

struct pbuf;

#define SLAB_ROOM (65535u + 128u)

struct weir_buffer *buffer_get(void *self);
void buffer_put(void *self, struct weir_buffer *b);
void buffer_trim(struct netstack *s, uint32_t n); /* give n free slabs back */

/* Would the budget take `size` bytes more of a connection that holds `held`? */
bool buffer_admits(const struct netstack *s, uint32_t held, uint32_t size,
		   bool in_order);

/* The `len` bytes at `at` within `b` as a pbuf that may be kept. Takes the
 * buffer; small ones are copied so that they pin no slab. *account, what the
 * connection holds, outlives it. NULL: no memory. */
struct pbuf *buffer_pbuf(struct netstack *s, struct weir_buffer *b, uint8_t *at,
			 uint32_t len, uint32_t *account, bool in_order);

/* What the payload of a receive queue lies in, to be lent; NULL: nothing that
 * may be kept. */
struct weir_loan *buffer_loan(struct pbuf *p);
/* Is it of this stack, which may keep what it lends as long as it likes? */
bool buffer_is_ours(const struct netstack *s, struct weir_loan *l);

#endif
