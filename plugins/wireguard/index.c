/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index.c - the numbers by which peers address our handshakes and keypairs.
 *
 * Indices are random 32-bit numbers that we draw, so that they tell nothing
 * and are their own hash: open addressing, at most half full, and what is
 * removed closes its gap. */
#include "index.h"

#include <stdlib.h>

#define INDEX_SIZE_LEAST 16u

static uint32_t index_slot(const struct index_table *t, uint32_t index)
{
	uint32_t at = index & (t->size - 1);

	while (t->entries[at].kind != INDEX_NONE &&
	       t->entries[at].index != index)
		at = (at + 1) & (t->size - 1);
	return at;
}

static bool index_grow(struct index_table *t)
{
	struct index_table grown = {.count = t->count};

	if ((t->count + 1) * 2 <= t->size)
		return true;
	grown.size = t->size ? t->size * 2 : INDEX_SIZE_LEAST;
	grown.entries = calloc(grown.size, sizeof *grown.entries);
	if (!grown.entries)
		return false;
	for (uint32_t i = 0; i < t->size; i++) {
		struct index_entry *e = &t->entries[i];

		if (e->kind != INDEX_NONE)
			grown.entries[index_slot(&grown, e->index)] = *e;
	}
	free(t->entries);
	*t = grown;
	return true;
}

void index_fini(struct index_table *t)
{
	free(t->entries);
	*t = (struct index_table){0};
}

bool index_new(struct index_table *t, const struct crypto_random *random,
	       enum index_kind kind, void *what, uint32_t *index)
{
	uint32_t at;

	if (!index_grow(t))
		return false;
	do {
		crypto_random_fill(random, index, sizeof *index);
		at = index_slot(t, *index);
	} while (t->entries[at].kind != INDEX_NONE);
	t->entries[at] = (struct index_entry){*index, kind, what};
	t->count++;
	return true;
}

struct index_entry *index_find(const struct index_table *t, uint32_t index)
{
	struct index_entry *e;

	if (!t->size)
		return NULL;
	e = &t->entries[index_slot(t, index)];
	return e->kind == INDEX_NONE ? NULL : e;
}

void index_remove(struct index_table *t, uint32_t index)
{
	uint32_t mask = t->size - 1, gap, at;

	if (!index_find(t, index))
		return;
	gap = index_slot(t, index);
	t->entries[gap].kind = INDEX_NONE;
	t->count--;
	for (at = (gap + 1) & mask; t->entries[at].kind != INDEX_NONE;
	     at = (at + 1) & mask) {
		uint32_t home = t->entries[at].index & mask;

		/* Does its way from home to here lead over the gap? */
		if (((at - home) & mask) < ((at - gap) & mask))
			continue;
		t->entries[gap] = t->entries[at];
		t->entries[at].kind = INDEX_NONE;
		gap = at;
	}
}
