/* SPDX-License-Identifier: GPL-2.0-or-later */
/* narrow.c - what routers said, for those who go the same way later.
 *
 * Without it each connection would lose its first full segments anew. What a
 * router said is kept for ten minutes (RFC 1191, 6.3; RFC 8201, 5.3), then the
 * link's MTU is tried again. A hash with the stack's secret key gives each far
 * side its place in the table; one that needs a taken place gets it. The table
 * is made when something is learnt: on most links that never happens, and
 * nothing is looked up. */
#include "narrow.h"

#include <stdlib.h>
#include <string.h>

#define PLACES 1024u
#define REMEMBERED_US (600 * SECOND_US)

struct narrow {
	uint64_t until_us;
	uint8_t remote[16];
	uint16_t mtu;
	uint8_t v6, protocol; /* TCP, or 0: any other */
};

static struct tuple place_key(const struct tuple *remote, uint8_t protocol)
{
	struct tuple key = {.v6 = remote->v6, .protocol = protocol};

	memcpy(key.remote, remote->remote, sizeof key.remote);
	return key;
}

static struct narrow *place_of(const struct weir_link *link,
			       const struct tuple *key)
{
	return &link->narrow[table_hash(&link->stack->key, key) % PLACES];
}

static bool is_known(const struct weir_link *link, const struct narrow *n,
		     const struct tuple *key)
{
	return n->until_us > stack_now_us(link->stack) && n->v6 == key->v6 &&
	       n->protocol == key->protocol &&
	       !memcmp(n->remote, key->remote, sizeof n->remote);
}

/* One word of a narrower router does not outdate that of the narrowest. */
static void learn(struct weir_link *link, const struct tuple *key, uint32_t mtu)
{
	struct narrow *n = place_of(link, key);

	if (is_known(link, n, key) && n->mtu < mtu)
		return;
	n->until_us = stack_now_us(link->stack) + REMEMBERED_US;
	memcpy(n->remote, key->remote, sizeof n->remote);
	n->mtu = (uint16_t)mtu;
	n->v6 = key->v6;
	n->protocol = key->protocol;
}

void narrow_learn(struct weir_link *link, const struct tuple *remote,
		  uint32_t mtu)
{
	struct tuple key = place_key(remote, 0);

	if (!link->narrow)
		link->narrow = calloc(PLACES, sizeof *link->narrow);
	if (!link->narrow)
		return;
	learn(link, &key, mtu);
	key.protocol = IPPROTO_TCP;
	if (remote->protocol == IPPROTO_TCP)
		learn(link, &key, mtu);
}

uint32_t narrow_mtu(const struct weir_link *link, const struct tuple *remote)
{
	struct tuple key;
	const struct narrow *n;

	if (!link->narrow)
		return link->mtu;
	key = place_key(remote,
			remote->protocol == IPPROTO_TCP ? IPPROTO_TCP : 0);
	n = place_of(link, &key);
	return is_known(link, n, &key) ? n->mtu : link->mtu;
}
