/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.h - a hash table of things that embed a node and are found by the
 * tuple of addresses and ports that follows it. The table owns only its array
 * of chains. */
#ifndef NETSTACK_TABLE_H
#define NETSTACK_TABLE_H

#include "siphash.h"

#include <stdbool.h>
#include <stdint.h>

/* Who talks to whom. Compared and hashed as bytes: every field is set, unused
 * ones to zero. IPv4 addresses take the first 4 bytes. */
struct tuple {
	uint8_t remote[16], local[16];	  /* remote: at the link's far side */
	uint16_t remote_port, local_port; /* host order */
	uint8_t protocol, v6;
	uint16_t realm; /* whose addresses these are, where it matters */
};

struct node {
	struct node *next;
	uint64_t hash;
	struct tuple key;
};

struct table {
	struct node **chains;
	uint32_t mask, count;
};

bool table_init(struct table *t);
void table_fini(struct table *t);

struct node *table_find(const struct table *t, const struct siphash_key *key,
			const struct tuple *k);

/* The same in steps, for batches: hash all, fetch the chains, fetch the nodes,
 * and look them up when they have arrived in the cache. */
uint64_t table_hash(const struct siphash_key *key, const struct tuple *k);
struct node *table_find_hash(const struct table *t, uint64_t hash,
			     const struct tuple *k);
static inline struct node **table_chain(const struct table *t, uint64_t hash)
{
	return &t->chains[hash & t->mask];
}

/* `n` keeps `k`, which must not be in the table yet. */
void table_insert(struct table *t, const struct siphash_key *key,
		  const struct tuple *k, struct node *n);
void table_remove(struct table *t, struct node *n);

/* A local port for `k` with which it is not in the table, of those that are for
 * connections outward (RFC 6335: dynamic ports, from 32768 as Linux does it).
 * False: none was found, or no random bytes were. */
bool table_choose_port(const struct table *t, const struct siphash_key *key,
		       struct tuple *k);

/* Any node, or NULL where the table is empty: for clearing it. */
struct node *table_any(const struct table *t);
/* Show each node, which may be removed and freed meanwhile; nothing is
 * inserted. */
void table_each(const struct table *t, void (*show)(void *arg, struct node *),
		void *arg);

#endif
