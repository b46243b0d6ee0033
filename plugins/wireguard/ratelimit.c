/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ratelimit.c - a hash table with chains, whose entries come from one array.
 * Tokens are microseconds: a handshake costs as many as pass between two at
 * the allowed rate. */
#include "ratelimit.h"

#include <stdlib.h>

#define COST_US (1000000u / RATELIMIT_PER_SECOND)
#define TOKENS_MOST_US (COST_US * RATELIMIT_BURST)
#define BUCKETS RATELIMIT_SOURCES_MOST
#define NOBODY 0u /* an index is one more than the place in the array */
#define PREFIX_BYTES 8u

_Static_assert(RATELIMIT_SOURCES_MOST < UINT16_MAX, "indices fit");
_Static_assert((BUCKETS & (BUCKETS - 1)) == 0, "a mask makes a bucket");
_Static_assert(TOKENS_MOST_US <= RATELIMIT_IDLE_US,
	       "an entry that is collected had all its tokens");

struct ratelimit_entry {
	uint64_t seen_us;
	uint32_t tokens_us; /* at seen_us */
	uint16_t kind;	    /* of the address */
	uint16_t next;
	uint8_t prefix[PREFIX_BYTES];
};

void ratelimit_init(struct ratelimit *r, const struct crypto_random *random)
{
	*r = (struct ratelimit){.free = NOBODY};
	crypto_random_fill(random, r->key, sizeof r->key);
}

void ratelimit_fini(struct ratelimit *r)
{
	free(r->entries);
	free(r->buckets);
	crypto_wipe(r, sizeof *r);
}

static bool table_make(struct ratelimit *r, uint64_t now_us)
{
	if (r->entries)
		return true;
	r->entries = calloc(RATELIMIT_SOURCES_MOST, sizeof *r->entries);
	r->buckets = calloc(BUCKETS, sizeof *r->buckets);
	if (!r->entries || !r->buckets) {
		free(r->entries);
		free(r->buckets);
		r->entries = NULL;
		r->buckets = NULL;
		return false;
	}
	for (uint32_t i = 0; i < RATELIMIT_SOURCES_MOST - 1; i++)
		r->entries[i].next = (uint16_t)(i + 2);
	r->free = 1;
	r->collected_us = now_us;
	return true;
}

/* Unlink what was idle from one chain. */
static void collect_chain(struct ratelimit *r, uint16_t *link, uint64_t now_us)
{
	while (*link != NOBODY) {
		uint16_t index = *link;
		struct ratelimit_entry *e = &r->entries[index - 1];

		if (now_us - e->seen_us < RATELIMIT_IDLE_US) {
			link = &e->next;
			continue;
		}
		*link = e->next;
		e->next = r->free;
		r->free = index;
		r->sources--;
	}
}

static void collect(struct ratelimit *r, uint64_t now_us)
{
	if (now_us - r->collected_us < RATELIMIT_IDLE_US)
		return;
	r->collected_us = now_us;
	for (uint32_t i = 0; i < BUCKETS && r->sources > 0; i++)
		collect_chain(r, &r->buckets[i], now_us);
}

static uint16_t *bucket_of(struct ratelimit *r, const struct ratelimit_entry *e)
{
	uint8_t mac[WG_MAC_BYTES], source[1 + PREFIX_BYTES];

	source[0] = (uint8_t)e->kind;
	memcpy(source + 1, e->prefix, PREFIX_BYTES);
	crypto_mac(mac, r->key, sizeof r->key, source, sizeof source);
	return &r->buckets[(mac[0] | (uint32_t)mac[1] << 8) & (BUCKETS - 1)];
}

/* The entry of the source that `wanted` names, or a new one with all its
 * tokens, or NULL when the table is full. */
static struct ratelimit_entry *entry_get(struct ratelimit *r,
					 const struct ratelimit_entry *wanted)
{
	uint16_t *head = bucket_of(r, wanted);
	struct ratelimit_entry *e;
	uint16_t index;

	for (index = *head; index != NOBODY; index = e->next) {
		e = &r->entries[index - 1];
		if (e->kind == wanted->kind &&
		    memcmp(e->prefix, wanted->prefix, PREFIX_BYTES) == 0)
			return e;
	}
	if (r->free == NOBODY)
		return NULL;
	index = r->free;
	e = &r->entries[index - 1];
	r->free = e->next;
	*e = *wanted;
	e->next = *head;
	*head = index;
	r->sources++;
	return e;
}

static bool spend(struct ratelimit_entry *e, uint64_t now_us)
{
	uint64_t tokens = e->tokens_us + (now_us - e->seen_us);

	e->seen_us = now_us;
	if (tokens > TOKENS_MOST_US)
		tokens = TOKENS_MOST_US;
	e->tokens_us = (uint32_t)tokens;
	if (e->tokens_us < COST_US)
		return false;
	e->tokens_us -= COST_US;
	return true;
}

bool ratelimit_allow(struct ratelimit *r, const struct weir_addr *from,
		     uint64_t now_us)
{
	struct ratelimit_entry wanted = {.seen_us = now_us,
					 .tokens_us = TOKENS_MOST_US,
					 .kind = from->kind};
	struct ratelimit_entry *e = NULL;

	memcpy(wanted.prefix, from->ip, from->kind == WEIR_ADDR_IP4 ? 4 : 8);
	if (table_make(r, now_us)) {
		collect(r, now_us);
		e = entry_get(r, &wanted);
	}
	if (!e) {
		r->full++;
		return false;
	}
	if (spend(e, now_us))
		return true;
	r->limited++;
	return false;
}
