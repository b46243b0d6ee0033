/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: two peers may share neither a public key nor a prefix.
 * wg would let the later one take what the earlier had, in silence; in a file
 * that is a mistake. Both are found by sorting, as there may be thousands. */
#include <stdlib.h>

#include "quick_reading.h"

#define KEY_SHOWN 8 /* characters that tell peers apart for people */

static int order(size_t a, size_t b)
{
	return (a > b) - (a < b);
}

/* ---- prefixes ---- */

static int by_prefix(const void *left, const void *right)
{
	const struct quick_claim *a = left, *b = right;
	int cmp = order(a->prefix.base.kind, b->prefix.base.kind);

	if (!cmp)
		cmp = order(a->prefix.bits, b->prefix.bits);
	if (!cmp)
		cmp = memcmp(a->prefix.base.ip, b->prefix.base.ip,
			     sizeof a->prefix.base.ip);
	return cmp;
}

static int by_claim(const void *left, const void *right)
{
	const struct quick_claim *a = left, *b = right;
	int cmp = by_prefix(a, b);

	return cmp ? cmp : order(a->line, b->line);
}

static void refuse_claim(struct quick_reading *r, const struct quick_claim *a,
			 const struct quick_claim *b)
{
	const struct quick_peer *peers = r->quick->peers.items;
	char first[KEY_BASE64 + 1], second[KEY_BASE64 + 1];
	char ip[INET6_ADDRSTRLEN];

	inet_ntop(a->prefix.base.kind == WEIR_ADDR_IP4 ? AF_INET : AF_INET6,
		  a->prefix.base.ip, ip, sizeof ip);
	key_to_base64(peers[a->peer].public_key, first);
	key_to_base64(peers[b->peer].public_key, second);
	quick_error(r, b->line,
		    "AllowedIPs: %s/%u: is wanted by two peers, %.*s... (line "
		    "%u) and %.*s... (line %u); only one can have it",
		    ip, a->prefix.bits, KEY_SHOWN, first, peers[a->peer].line,
		    KEY_SHOWN, second, peers[b->peer].line);
}

static void refuse_claims(struct quick_reading *r)
{
	struct quick_claim *all = r->claims.items;

	if (!r->claims.count)
		return;
	qsort(all, r->claims.count, sizeof *all, by_claim);
	for (size_t i = 1; i < r->claims.count; i++)
		if (by_prefix(&all[i - 1], &all[i]) == 0 &&
		    all[i - 1].peer != all[i].peer)
			refuse_claim(r, &all[i - 1], &all[i]);
}

/* ---- public keys ---- */

static int by_key(const void *left, const void *right)
{
	const struct quick_peer *const *a = left, *const *b = right;
	int cmp = memcmp((*a)->public_key, (*b)->public_key, KEY_BYTES);

	return cmp ? cmp : order((*a)->line, (*b)->line);
}

static void refuse_peers(struct quick_reading *r,
			 const struct quick_peer **sorted)
{
	const struct quick_peer *peers = r->quick->peers.items;
	size_t count = r->quick->peers.count;

	for (size_t i = 0; i < count; i++)
		sorted[i] = &peers[i];
	qsort(sorted, count, sizeof *sorted, by_key);
	for (size_t i = 1; i < count; i++) {
		const struct quick_peer *a = sorted[i - 1], *b = sorted[i];

		if (!key_is_zero(b->public_key) &&
		    memcmp(a->public_key, b->public_key, KEY_BYTES) == 0)
			quick_error(r, b->line,
				    "[Peer]: has the PublicKey of the one in "
				    "line %u",
				    a->line);
	}
}

void quick_refuse_shared(struct quick_reading *r)
{
	size_t count = r->quick->peers.count;
	const struct quick_peer **sorted;

	refuse_claims(r);
	if (!count)
		return;
	sorted = calloc(count, sizeof *sorted);
	if (sorted)
		refuse_peers(r, sorted);
	else
		quick_error(r, 0, "out of memory");
	free(sorted);
}
