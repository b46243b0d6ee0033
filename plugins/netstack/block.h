/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block.h - memory for what a connection sends: a queue of blocks that the core
 * writes to, or has a socket receive into, or lends memory for, and that lwIP
 * sends from. */
#ifndef NETSTACK_BLOCK_H
#define NETSTACK_BLOCK_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct netstack;
struct weir_loan;

#define BLOCK_ROOM 65536u
#define SMALL_ROOM 2048u

/* size: room for data; [acked, sent) is in flight, [sent, len) waits. */
struct block {
	struct block *next;
	uint32_t size, len, sent, acked;
	uint32_t cost; /* to the budget */
	uint8_t *data;
	struct weir_loan *loan; /* where data lies; NULL: behind this */
};

/* May the connection have one more of that size, beside `more` big ones that it
 * was promised? */
bool block_admitted(const struct conn *c, uint32_t more, uint32_t size);

/* Nobody's yet, for at least `size` bytes; NULL: no memory. A big one that is
 * kept is the next big one that is made. */
struct block *block_new(struct netstack *s, uint32_t size);
/* The `len` bytes at `data`, which are lent: kept until the block goes. */
struct block *block_lent(struct weir_loan *loan, uint8_t *data, uint32_t len);
void block_keep(struct netstack *s, struct block *b);
void block_trim(struct netstack *s, uint32_t n); /* give n kept ones back */

/* It joins the end of the queue; the first one leaves it. */
void block_append(struct conn *c, struct block *b);
void block_shift(struct conn *c);

#endif
