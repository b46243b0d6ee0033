/* SPDX-License-Identifier: GPL-2.0-or-later */
/* block.c - memory for what a connection sends.
 *
 * Blocks are big, or small for a few bytes; big ones are kept for reuse
 * (trim.c). Those of lent bytes are only a head. What one takes of the budget
 * (memory.c) is reckoned with the segments it will be cut to. These are made
 * when they may go, must not be refused then, and take memory of their own:
 * with the segments that a peer may ask for at the least that is more than the
 * payload's. */
#include "block.h"

#include "conn.h"
#include "memory.h"

#include <stdlib.h>

#define BLOCKS_KEPT 128u
/* What lwIP keeps of a segment beside its payload: three pieces of memory, with
 * malloc's own. */
#define SEGMENT_COST 240u

struct block *block_new(struct netstack *s, uint32_t size)
{
	struct block *b = s->free_blocks;

	if (size > SMALL_ROOM && b) {
		s->free_blocks = b->next;
		s->blocks_free--;
		if (s->blocks_free < s->blocks_idle)
			s->blocks_idle = s->blocks_free;
	} else {
		size = size > SMALL_ROOM ? BLOCK_ROOM : SMALL_ROOM;
		b = malloc(sizeof *b + size);
		if (!b)
			return NULL;
		b->size = size;
		b->data = (uint8_t *)(b + 1);
		b->loan = NULL;
	}
	b->next = NULL;
	b->len = b->sent = b->acked = 0;
	return b;
}

struct block *block_lent(struct weir_loan *loan, uint8_t *data, uint32_t len)
{
	struct block *b = calloc(1, sizeof *b);

	if (!b)
		return NULL;
	b->size = b->len = len;
	b->data = data;
	b->loan = loan;
	loan->keep(loan);
	return b;
}

void block_keep(struct netstack *s, struct block *b)
{
	b->next = s->free_blocks;
	s->free_blocks = b;
	s->blocks_free++;
}

void block_shift(struct conn *c)
{
	struct netstack *s = c->stack;
	struct block *b = c->tx;

	c->tx = b->next;
	if (!c->tx)
		c->tx_tail = NULL;
	c->tx_held -= b->cost;
	memory_give(s, b->cost);
	if (b->loan)
		b->loan->give_back(b->loan);
	if (b->size < BLOCK_ROOM || s->blocks_free >= BLOCKS_KEPT) {
		free(b);
		return;
	}
	block_keep(s, b);
	trim_later(s);
}

void block_trim(struct netstack *s, uint32_t n)
{
	for (; n && s->free_blocks; n--) {
		struct block *b = s->free_blocks;

		s->free_blocks = b->next;
		s->blocks_free--;
		free(b);
	}
}

/* Its own memory and that of the segments it will be cut to: these are made
 * when they may go, and must not be refused then. */
static uint32_t block_cost(const struct conn *c, uint32_t size)
{
	uint32_t mss = c->recovery.mss ? c->recovery.mss : PAYLOAD_LEAST;

	return size + (size / mss + 1) * SEGMENT_COST;
}

void block_append(struct conn *c, struct block *b)
{
	b->next = NULL;
	b->cost = block_cost(c, b->loan ? b->loan->pinned : b->size);
	c->tx_held += b->cost;
	memory_take(c->stack, b->cost);
	if (c->tx_tail)
		c->tx_tail->next = b;
	else
		c->tx = b;
	c->tx_tail = b;
	if (!c->tx_next)
		c->tx_next = b;
	c->tx_bytes += b->len;
}

/* A connection without any block gets a small one however little memory is
 * left: with nothing in flight no ACK would ever tell it to go on. */
bool block_admitted(const struct conn *c, uint32_t more, uint32_t size)
{
	uint32_t big = block_cost(c, BLOCK_ROOM);
	uint64_t held = c->tx_held + (uint64_t)more * big;

	if (!held && size == SMALL_ROOM)
		return true;
	return memory_admits(c->stack, held,
			     (uint64_t)memory_share(c->stack) + big,
			     block_cost(c, size));
}
