/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: two chains of blocks, one for ordinary things and one
 * for secrets. Memory is handed out from the newest block of a chain and never
 * returned singly; arena_free walks both chains and wipes the second. What is
 * larger than a block gets a block of its own. Blocks are zeroed by calloc, so
 * everything handed out is. Without memory for its configuration weir cannot
 * go on: running out aborts. */
#include "arena.h"

#include "util.h"

#include <stdalign.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#define ARENA_BLOCK_BYTES 4000u
#define ARENA_ALIGN alignof(max_align_t)

struct block {
	struct block *next;
	size_t size, used;
	alignas(max_align_t) unsigned char bytes[];
};

struct arena {
	struct block *plain, *secret;
};

struct arena *arena_new(void)
{
	return must(calloc(1, sizeof(struct arena)));
}

static void *take(struct block **chain, size_t size)
{
	struct block *b = *chain;
	void *p;

	if (size > SIZE_MAX / 2)
		must(NULL);
	size = (size + ARENA_ALIGN - 1) & ~(ARENA_ALIGN - 1);
	if (!b || b->size - b->used < size) {
		size_t room = ARENA_BLOCK_BYTES;

		if (size > room)
			room = size;
		b = must(calloc(1, sizeof *b + room));
		b->size = room;
		b->next = *chain;
		*chain = b;
	}
	p = b->bytes + b->used;
	b->used += size;
	return p;
}

void *arena_alloc(struct arena *a, size_t size)
{
	return take(&a->plain, size);
}

void *arena_secret(struct arena *a, size_t size)
{
	return take(&a->secret, size);
}

char *arena_strndup(struct arena *a, const char *text, size_t len)
{
	char *copy = arena_alloc(a, len + 1);

	memcpy(copy, text, len);
	return copy;
}

static void chain_free(struct block *b, int wipe)
{
	while (b) {
		struct block *next = b->next;

		if (wipe)
			explicit_bzero(b->bytes, b->used);
		free(b);
		b = next;
	}
}

void arena_free(struct arena *a)
{
	if (!a)
		return;
	chain_free(a->plain, 0);
	chain_free(a->secret, 1);
	free(a);
}
