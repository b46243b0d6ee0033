/* SPDX-License-Identifier: GPL-2.0-or-later */
/* buffer.c - slabs and what is cut from them.
 *
 * A link reads each packet or train into a slab of 64 KB. A big TCP segment
 * stays there until its reader consumed it: no copy on the fast path. Anything
 * smaller than half a slab is copied to memory of its own size, so that slow
 * or idle connections do not sit on slabs that are mostly air. Another
 * connection of the stack may keep it longer, and send from it (send.c).
 *
 * What is queued counts at its true size for the connection and for the budget
 * (memory.c), of which slabs may take half. What goes beyond the share of a
 * connection, or is out of order while little is left, is dropped and counted;
 * its sender will repeat it. Before it comes to that windows shrink
 * (receive.c). */
#include "buffer.h"

#include "memory.h"

#include "lwip/pbuf.h"

#include <stdlib.h>

#define SLABS_KEPT 64u

/* What a queued pbuf pins, to be returned to the account when it goes. */
struct held {
	struct pbuf_custom pbuf;
	struct netstack *stack;
	uint32_t *account; /* of the connection */
	uint32_t size;
};

struct slab {
	struct weir_buffer buffer; /* first: the link's handle */
	struct slab *next;
	struct weir_loan loan;
	uint32_t users; /* whom it was given to, and who keeps its loan */
	struct held held;
	uint8_t room[];
};

static struct slab *slab_of_held(struct held *h)
{
	return (struct slab *)(void *)((char *)h - offsetof(struct slab, held));
}

static struct slab *slab_of_loan(struct weir_loan *l)
{
	return (struct slab *)(void *)((char *)l - offsetof(struct slab, loan));
}

static void slab_keep(struct weir_loan *l)
{
	slab_of_loan(l)->users++;
}

static void slab_give_back(struct weir_loan *l)
{
	struct slab *slab = slab_of_loan(l);

	buffer_put(slab->held.stack, &slab->buffer);
}

struct weir_buffer *buffer_get(void *self)
{
	struct netstack *s = self;
	struct slab *slab = s->free_slabs;

	if (slab) {
		s->free_slabs = slab->next;
		s->slabs_free--;
		if (s->slabs_free < s->slabs_idle)
			s->slabs_idle = s->slabs_free;
		slab->users = 1;
		return &slab->buffer;
	}
	if (s->slabs >= s->slabs_max)
		return NULL;
	slab = malloc(sizeof *slab + SLAB_ROOM);
	if (!slab)
		return NULL;
	slab->loan = (struct weir_loan){slab_keep, slab_give_back,
					(uint32_t)sizeof *slab + SLAB_ROOM};
	slab->users = 1;
	slab->buffer.data = slab->room;
	slab->buffer.capacity = SLAB_ROOM;
	s->slabs++;
	return &slab->buffer;
}

void buffer_put(void *self, struct weir_buffer *b)
{
	struct netstack *s = self;
	struct slab *slab = (struct slab *)(void *)b;

	if (--slab->users)
		return;
	if (s->slabs_free >= SLABS_KEPT) {
		s->slabs--;
		free(slab);
		return;
	}
	slab->next = s->free_slabs;
	s->free_slabs = slab;
	s->slabs_free++;
	trim_later(s);
}

void buffer_trim(struct netstack *s, uint32_t n)
{
	for (; n && s->free_slabs; n--) {
		struct slab *slab = s->free_slabs;

		s->free_slabs = slab->next;
		s->slabs_free--;
		s->slabs--;
		free(slab);
	}
}

static void hold(struct netstack *s, struct held *h, uint32_t size,
		 uint32_t *account)
{
	h->stack = s;
	h->size = size;
	h->account = account;
	*account += size;
	memory_take(s, size);
	s->held_bytes += size;
	stack_set(s, COUNT_HELD_BYTES, s->held_bytes);
}

static struct netstack *release(struct held *h)
{
	struct netstack *s = h->stack;

	*h->account -= h->size;
	memory_give(s, h->size);
	s->held_bytes -= h->size;
	stack_set(s, COUNT_HELD_BYTES, s->held_bytes);
	return s;
}

static void copy_free(struct pbuf *p)
{
	struct held *h = (struct held *)(void *)p;

	release(h);
	free(h);
}

static void slab_free(struct pbuf *p)
{
	struct held *h = (struct held *)(void *)p;

	buffer_put(release(h), &slab_of_held(h)->buffer);
}

struct weir_loan *buffer_loan(struct pbuf *p)
{
	struct held *h = (struct held *)(void *)p;

	if (!(p->flags & PBUF_FLAG_IS_CUSTOM) ||
	    h->pbuf.custom_free_function != slab_free)
		return NULL;
	return &slab_of_held(h)->loan;
}

bool buffer_is_ours(const struct netstack *s, struct weir_loan *l)
{
	return l && l->keep == slab_keep && slab_of_loan(l)->held.stack == s;
}

static struct pbuf *buffer_copy(struct netstack *s, const uint8_t *at,
				uint32_t len, uint32_t *account)
{
	struct held *h = malloc(sizeof *h + len);

	if (!h)
		return NULL;
	memcpy(h + 1, at, len);
	h->pbuf.custom_free_function = copy_free;
	hold(s, h, (uint32_t)sizeof *h + len, account);
	return pbuf_alloced_custom(PBUF_RAW, (u16_t)len, PBUF_REF, &h->pbuf,
				   h + 1, (u16_t)len);
}

/* A window's worth of payload may take twice as much memory. */
bool buffer_admits(const struct netstack *s, uint32_t held, uint32_t size,
		   bool in_order)
{
	uint64_t share = memory_share(s);

	return memory_admits(s, held, (in_order ? 2 : 1) * share + SLAB_ROOM,
			     size);
}

struct pbuf *buffer_pbuf(struct netstack *s, struct weir_buffer *b, uint8_t *at,
			 uint32_t len, uint32_t *account, bool in_order)
{
	struct slab *slab = (struct slab *)(void *)b;
	struct held *h = &slab->held;
	uint32_t copy = (uint32_t)sizeof *h + len;
	uint32_t whole = (uint32_t)sizeof *slab + SLAB_ROOM;
	struct pbuf *p = NULL;

	if (len >= SLAB_ROOM / 2 &&
	    s->slabs - s->slabs_free <= s->slabs_max / 4 * 3 &&
	    buffer_admits(s, *account, whole, in_order)) {
		h->pbuf.custom_free_function = slab_free;
		hold(s, h, whole, account);
		return pbuf_alloced_custom(PBUF_RAW, (u16_t)len, PBUF_REF,
					   &h->pbuf, at, (u16_t)len);
	}
	if (buffer_admits(s, *account, copy, in_order))
		p = buffer_copy(s, at, len, account);
	else
		stack_add(s, COUNT_MEMORY_DROPPED, 1);
	buffer_put(s, b);
	return p;
}
