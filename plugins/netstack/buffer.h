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

/* The `len` bytes at `at` within `b` as a pbuf that may be kept. Takes the
 * buffer; small ones are copied so that they pin no slab. NULL: no memory. */
struct pbuf *buffer_pbuf(struct netstack *s, struct weir_buffer *b, uint8_t *at,
			 uint32_t len);

/* How much of the bound on held memory is in use, in 1/256. */
unsigned buffer_pressure(const struct netstack *s);

#endif
