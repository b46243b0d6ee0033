/* SPDX-License-Identifier: GPL-2.0-or-later */
/* table.c - chained hash table that doubles when it has a node a chain.
 *
 * Doubling moves every node at once: a millisecond at 60,000 of them, and each
 * node is moved twice at most on average. Where memory for a bigger array is
 * out the chains just grow longer. */
#include "table.h"

#include "port.h"

#include <stdlib.h>
#include <string.h>

#define TABLE_FIRST_SIZE 64u
#define PORT_FIRST 32768u
#define PORT_COUNT 28232u
#define PORT_TRIES 128

bool table_init(struct table *t)
{
	t->chains = calloc(TABLE_FIRST_SIZE, sizeof(*t->chains));
	t->mask = TABLE_FIRST_SIZE - 1;
	t->count = 0;
	return t->chains;
}

void table_fini(struct table *t)
{
	free(t->chains);
	t->chains = NULL;
}

uint64_t table_hash(const struct siphash_key *key, const struct tuple *k)
{
	return siphash(key, k, sizeof *k);
}

struct node *table_find_hash(const struct table *t, uint64_t hash,
			     const struct tuple *k)
{
	struct node *n = *table_chain(t, hash);

	while (n && (n->hash != hash || memcmp(&n->key, k, sizeof *k) != 0))
		n = n->next;
	return n;
}

struct node *table_find(const struct table *t, const struct siphash_key *key,
			const struct tuple *k)
{
	return table_find_hash(t, table_hash(key, k), k);
}

static void table_grow(struct table *t)
{
	uint32_t size = (t->mask + 1) * 2;
	struct node **chains = calloc(size, sizeof(struct node *));

	if (!chains)
		return;
	for (uint32_t i = 0; i <= t->mask; i++) {
		while (t->chains[i]) {
			struct node *n = t->chains[i];
			struct node **to = &chains[n->hash & (size - 1)];

			t->chains[i] = n->next;
			n->next = *to;
			*to = n;
		}
	}
	free(t->chains);
	t->chains = chains;
	t->mask = size - 1;
}

void table_insert(struct table *t, const struct siphash_key *key,
		  const struct tuple *k, struct node *n)
{
	struct node **chain;

	if (t->count > t->mask)
		table_grow(t);
	n->key = *k;
	n->hash = table_hash(key, k);
	chain = table_chain(t, n->hash);
	n->next = *chain;
	*chain = n;
	t->count++;
}

void table_remove(struct table *t, struct node *n)
{
	struct node **at = table_chain(t, n->hash);

	while (*at != n)
		at = &(*at)->next;
	*at = n->next;
	t->count--;
}

bool table_choose_port(const struct table *t, const struct siphash_key *key,
		       struct tuple *k)
{
	for (int i = 0; i < PORT_TRIES; i++) {
		uint16_t random;

		if (!port_random(&random, sizeof random))
			return false;
		k->local_port = (uint16_t)(PORT_FIRST + random % PORT_COUNT);
		if (!table_find(t, key, k))
			return true;
	}
	return false;
}

struct node *table_any(const struct table *t)
{
	for (uint32_t i = 0; t->count && i <= t->mask; i++)
		if (t->chains[i])
			return t->chains[i];
	return NULL;
}

void table_each(const struct table *t, void (*show)(void *arg, struct node *),
		void *arg)
{
	for (uint32_t i = 0; i <= t->mask; i++)
		for (struct node *n = t->chains[i], *next; n; n = next) {
			next = n->next;
			show(arg, n);
		}
}
