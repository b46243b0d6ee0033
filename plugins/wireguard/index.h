/* SPDX-License-Identifier: GPL-2.0-or-later */
/* index.h - which handshake or keypair a receiver index of ours means. */
#ifndef WIREGUARD_INDEX_H
#define WIREGUARD_INDEX_H

#include "crypto.h"

enum index_kind { INDEX_NONE, INDEX_HANDSHAKE, INDEX_KEYPAIR };

struct index_entry {
	uint32_t index;
	uint32_t kind; /* enum index_kind */
	void *what;    /* a struct wg_peer, or a struct keypair */
};

struct index_table {
	struct index_entry *entries;
	uint32_t size; /* a power of two, or 0: none yet */
	uint32_t count;
};

/* All zero is an empty table. */
void index_fini(struct index_table *t);

/* A random index that nobody has; false without memory. */
bool index_new(struct index_table *t, const struct crypto_random *random,
	       enum index_kind kind, void *what, uint32_t *index);

/* Borrowed until the table changes; NULL: nobody has it. */
struct index_entry *index_find(const struct index_table *t, uint32_t index);
void index_remove(struct index_table *t, uint32_t index);

#endif
