/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allowedips.c - a binary trie in which only nodes that hold a prefix, and
 * forks, exist (a Patricia trie), so its depth and size go with the number of
 * prefixes and not of bits. A fork without an owner has two children always.
 *
 * Both families keep an address as 128 bits in two words, IPv4 in the first 32
 * of them; so a node takes 64 bytes, and one code does for both. */
#include "allowedips.h"

#include <endian.h>
#include <stdlib.h>

#define NODES_A_PREFIX 2u /* its own, and a fork above it */
#define IP4_BITS 32u
#define IP6_BITS 128u
#define IP4_HEADER 20u
#define IP4_SOURCE_AT 12u
#define IP4_TARGET_AT 16u
#define IP6_HEADER 40u
#define IP6_SOURCE_AT 8u
#define IP6_TARGET_AT 24u

struct key {
	uint64_t high, low;
};

struct allowed_node {
	struct allowed_node *child[2];
	struct allowed_owner *owner;  /* NULL: a fork */
	struct allowed_node *next;    /* of the same owner */
	struct allowed_node **before; /* what points to this in that list */
	struct key key;
	uint8_t bits;
	bool is_ip6;
};

static struct key key_of4(const uint8_t ip[4])
{
	uint32_t word;

	memcpy(&word, ip, sizeof word);
	return (struct key){.high = (uint64_t)be32toh(word) << 32};
}

static struct key key_of6(const uint8_t ip[16])
{
	struct key k;

	memcpy(&k, ip, sizeof k);
	k.high = be64toh(k.high);
	k.low = be64toh(k.low);
	return k;
}

/* How many of the first bits are equal. */
static unsigned common(struct key a, struct key b)
{
	if (a.high != b.high)
		return (unsigned)__builtin_clzll(a.high ^ b.high);
	if (a.low != b.low)
		return 64 + (unsigned)__builtin_clzll(a.low ^ b.low);
	return IP6_BITS;
}

static unsigned bit_at(struct key k, unsigned at)
{
	return (at < 64 ? k.high >> (63 - at) : k.low >> (127 - at)) & 1;
}

static struct key masked(struct key k, unsigned bits)
{
	if (bits < 64)
		return (struct key){
			.high = bits ? k.high & ~(uint64_t)0 << (64 - bits)
				     : 0};
	if (bits < IP6_BITS)
		k.low = bits > 64 ? k.low & ~(uint64_t)0 << (128 - bits) : 0;
	return k;
}

/* A prefix as the trie has it. False for what is no prefix. */
static bool key_of(const struct weir_cidr *prefix, struct key *k)
{
	bool is_ip6 = prefix->base.kind == WEIR_ADDR_IP6;

	if (!is_ip6 && prefix->base.kind != WEIR_ADDR_IP4)
		return false;
	if (prefix->bits > (is_ip6 ? IP6_BITS : IP4_BITS))
		return false;
	*k = masked(is_ip6 ? key_of6(prefix->base.ip)
			   : key_of4(prefix->base.ip),
		    prefix->bits);
	return true;
}

static struct allowed_node **root_of(struct allowedips *t, bool is_ip6)
{
	return is_ip6 ? &t->root6 : &t->root4;
}

static void owner_link(struct allowedips *t, struct allowed_node *n,
		       struct allowed_owner *owner)
{
	n->owner = owner;
	n->next = owner->first;
	if (n->next)
		n->next->before = &n->next;
	n->before = &owner->first;
	owner->first = n;
	owner->prefixes++;
	t->prefixes++;
}

static void owner_unlink(struct allowedips *t, struct allowed_node *n)
{
	*n->before = n->next;
	if (n->next)
		n->next->before = n->before;
	n->owner->prefixes--;
	t->prefixes--;
	n->owner = NULL;
}

void allowedips_fini(struct allowedips *t)
{
	struct allowed_node *roots[] = {t->root4, t->root6};

	allowedips_trim(t);
	for (size_t i = 0; i < sizeof roots / sizeof *roots; i++) {
		struct allowed_node *n = roots[i], *next;

		/* Turn each left child up until there is none. */
		for (; n; n = next) {
			next = n->child[0];
			if (next) {
				n->child[0] = next->child[1];
				next->child[1] = n;
				continue;
			}
			next = n->child[1];
			if (n->owner)
				owner_unlink(t, n);
			free(n);
		}
	}
	*t = (struct allowedips){.root4 = NULL};
}

static struct allowed_node *node_new(struct allowedips *t, struct key k,
				     unsigned bits, bool is_ip6)
{
	struct allowed_node *n = t->spare;

	if (n) {
		t->spare = n->child[0];
		t->spares--;
		n->child[0] = NULL;
	} else {
		n = calloc(1, sizeof *n);
	}
	if (n) {
		n->key = masked(k, bits);
		n->bits = (uint8_t)bits;
		n->is_ip6 = is_ip6;
	}
	return n;
}

bool allowedips_reserve(struct allowedips *t, uint32_t more)
{
	while (t->spares < more * NODES_A_PREFIX) {
		struct allowed_node *n = calloc(1, sizeof *n);

		if (!n)
			return false;
		n->child[0] = t->spare;
		t->spare = n;
		t->spares++;
	}
	return true;
}

void allowedips_trim(struct allowedips *t)
{
	struct allowed_node *n;

	while ((n = t->spare)) {
		t->spare = n->child[0];
		free(n);
	}
	t->spares = 0;
}

/* The link at which a prefix is, or would be put: walks on while nodes contain
 * it. *up is the link of the node above, or NULL. */
static struct allowed_node **walk(struct allowed_node **link, struct key k,
				  unsigned bits, struct allowed_node ***up)
{
	*up = NULL;
	while (*link && (*link)->bits < bits &&
	       common((*link)->key, k) >= (*link)->bits) {
		*up = link;
		link = &(*link)->child[bit_at(k, (*link)->bits)];
	}
	return link;
}

static bool is_exact(const struct allowed_node *n, struct key k, unsigned bits)
{
	return n && n->bits == bits && common(n->key, k) >= bits;
}

/* Put a new node at a link, above what is there, with a fork where the two
 * part. NULL without memory. */
static struct allowed_node *graft(struct allowedips *t,
				  struct allowed_node **link, struct key k,
				  unsigned bits, bool is_ip6)
{
	struct allowed_node *below = *link, *fork;
	struct allowed_node *n = node_new(t, k, bits, is_ip6);
	unsigned shared;

	if (!n || !below) {
		if (n)
			*link = n;
		return n;
	}
	shared = common(below->key, k);
	if (shared >= bits) { /* it contains what is there */
		n->child[bit_at(below->key, bits)] = below;
		*link = n;
		return n;
	}
	fork = node_new(t, k, shared, is_ip6);
	if (!fork) {
		free(n);
		return NULL;
	}
	fork->child[bit_at(k, shared)] = n;
	fork->child[bit_at(below->key, shared)] = below;
	*link = fork;
	return n;
}

/* Who has the longest prefix, of at most so many bits, that contains this. */
static struct allowed_owner *find(const struct allowed_node *n, struct key k,
				  unsigned most)
{
	struct allowed_owner *found = NULL;

	while (n && n->bits <= most && common(n->key, k) >= n->bits) {
		if (n->owner)
			found = n->owner;
		if (n->bits == most)
			break;
		n = n->child[bit_at(k, n->bits)];
	}
	return found;
}

bool allowedips_insert(struct allowedips *t, const struct weir_cidr *prefix,
		       struct allowed_owner *owner, struct allowed_owner **was)
{
	bool is_ip6 = prefix->base.kind == WEIR_ADDR_IP6;
	struct allowed_node **link, **up, *n;
	struct allowed_owner *before;
	struct key k;

	if (was)
		*was = NULL;
	if (!key_of(prefix, &k))
		return false;
	before = find(*root_of(t, is_ip6), k, prefix->bits);
	link = walk(root_of(t, is_ip6), k, prefix->bits, &up);
	n = *link;
	if (!is_exact(n, k, prefix->bits))
		n = graft(t, link, k, prefix->bits, is_ip6);
	if (!n)
		return false;
	if (n->owner == owner)
		return true;
	if (n->owner)
		owner_unlink(t, n);
	owner_link(t, n, owner);
	if (was && before != owner)
		*was = before;
	return true;
}

static const struct allowed_node *exact_node(const struct allowedips *t,
					     const struct weir_cidr *prefix)
{
	struct allowed_node *root =
		prefix->base.kind == WEIR_ADDR_IP6 ? t->root6 : t->root4;
	struct allowed_node **link, **up;
	struct key k;

	if (!key_of(prefix, &k))
		return NULL;
	link = walk(&root, k, prefix->bits, &up);
	return is_exact(*link, k, prefix->bits) ? *link : NULL;
}

/* A node that lost its owner goes unless it forks; so does a fork above it
 * that has but one child left. */
static void prune(struct allowed_node **link, struct allowed_node **up)
{
	struct allowed_node *n = *link, *parent;

	if (n->child[0] && n->child[1])
		return;
	*link = n->child[0] ? n->child[0] : n->child[1];
	free(n);
	if (!up)
		return;
	parent = *up;
	if (parent->owner || (parent->child[0] && parent->child[1]))
		return;
	*up = parent->child[0] ? parent->child[0] : parent->child[1];
	free(parent);
}

static void remove_at(struct allowedips *t, struct allowed_node **link,
		      struct allowed_node **up)
{
	owner_unlink(t, *link);
	prune(link, up);
}

bool allowedips_remove(struct allowedips *t, const struct weir_cidr *prefix,
		       struct allowed_owner *owner)
{
	struct allowed_node **link, **up;
	struct key k;

	if (!key_of(prefix, &k))
		return false;
	link = walk(root_of(t, prefix->base.kind == WEIR_ADDR_IP6), k,
		    prefix->bits, &up);
	if (!is_exact(*link, k, prefix->bits) || (*link)->owner != owner)
		return false;
	remove_at(t, link, up);
	return true;
}

void allowedips_remove_owner(struct allowedips *t, struct allowed_owner *owner)
{
	while (owner->first) {
		const struct allowed_node *n = owner->first;
		struct allowed_node **up, **link;

		link = walk(root_of(t, n->is_ip6), n->key, n->bits, &up);
		remove_at(t, link, up);
	}
}

struct allowed_owner *allowedips_lookup4(const struct allowedips *t,
					 const uint8_t ip[4])
{
	return find(t->root4, key_of4(ip), IP4_BITS);
}

struct allowed_owner *allowedips_lookup6(const struct allowedips *t,
					 const uint8_t ip[16])
{
	return find(t->root6, key_of6(ip), IP6_BITS);
}

static struct allowed_owner *packet_owner(const struct allowedips *t,
					  const uint8_t *packet, size_t len,
					  size_t at4, size_t at6)
{
	if (len >= IP4_HEADER && packet[0] >> 4 == 4)
		return allowedips_lookup4(t, packet + at4);
	if (len >= IP6_HEADER && packet[0] >> 4 == 6)
		return allowedips_lookup6(t, packet + at6);
	return NULL;
}

struct allowed_owner *allowedips_target(const struct allowedips *t,
					const uint8_t *packet, size_t len)
{
	return packet_owner(t, packet, len, IP4_TARGET_AT, IP6_TARGET_AT);
}

struct allowed_owner *allowedips_source(const struct allowedips *t,
					const uint8_t *packet, size_t len)
{
	return packet_owner(t, packet, len, IP4_SOURCE_AT, IP6_SOURCE_AT);
}

static struct weir_cidr prefix_of(const struct allowed_node *n)
{
	const uint64_t words[2] = {htobe64(n->key.high), htobe64(n->key.low)};
	struct weir_cidr prefix = {.bits = n->bits};

	prefix.base.kind = n->is_ip6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4;
	memcpy(prefix.base.ip, words, n->is_ip6 ? sizeof words : 4);
	return prefix;
}

void allowedips_each(const struct allowedips *t,
		     const struct allowed_owner *owner,
		     const struct weir_cidr *after,
		     bool (*each)(void *arg, const struct weir_cidr *),
		     void *arg)
{
	const struct allowed_node *n = owner->first;
	struct weir_cidr prefix;

	if (after) {
		n = exact_node(t, after);
		n = n && n->owner == owner ? n->next : NULL;
	}
	for (; n; n = n->next) {
		prefix = prefix_of(n);
		if (!each(arg, &prefix))
			return;
	}
}
