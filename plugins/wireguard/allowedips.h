/* SPDX-License-Identifier: GPL-2.0-or-later */
/* allowedips.h - which peer an address belongs to: one trie a family, in which
 * the longest prefix wins.
 *
 * A prefix has one owner. struct allowed_owner is embedded in the peer, which
 * is found from it by its place; it lists the peer's prefixes. Before a peer
 * goes, allowedips_remove_owner must be called. */
#ifndef WIREGUARD_ALLOWEDIPS_H
#define WIREGUARD_ALLOWEDIPS_H

#include <weir/base.h>

struct allowed_node;

struct allowed_owner {
	struct allowed_node *first;
	uint32_t prefixes;
};

struct allowedips {
	struct allowed_node *root4, *root6;
	uint32_t prefixes;
	uint32_t spares;
	struct allowed_node *spare; /* memory of nodes to come */
};

/* All zero is an empty table. */
void allowedips_fini(struct allowedips *t);

/* Memory for this many more prefixes: so many inserts, whatever is removed in
 * between, will not fail. False: out of memory. _trim gives back what of it was
 * not used. */
bool allowedips_reserve(struct allowedips *t, uint32_t more);
void allowedips_trim(struct allowedips *t);

/* Give a prefix to `owner`. Host bits are ignored. Where it had another owner
 * it moves. *was says whose its addresses were so far: who had it, or the
 * closest one around it (NULL: nobody else's; `was` may be NULL). False only
 * without memory; then nothing has changed. */
bool allowedips_insert(struct allowedips *t, const struct weir_cidr *prefix,
		       struct allowed_owner *owner, struct allowed_owner **was);

/* Take a prefix away from `owner`; false when it is not the owner's. */
bool allowedips_remove(struct allowedips *t, const struct weir_cidr *prefix,
		       struct allowed_owner *owner);
void allowedips_remove_owner(struct allowedips *t, struct allowed_owner *owner);

/* Whose is this address (4 or 16 bytes)? NULL: nobody's. */
struct allowed_owner *allowedips_lookup4(const struct allowedips *t,
					 const uint8_t ip[4]);
struct allowed_owner *allowedips_lookup6(const struct allowedips *t,
					 const uint8_t ip[16]);

/* Whose is the destination, or the source, of this IP packet? NULL also when
 * it is too short for its header or of no known version. */
struct allowed_owner *allowedips_target(const struct allowedips *t,
					const uint8_t *packet, size_t len);
struct allowed_owner *allowedips_source(const struct allowedips *t,
					const uint8_t *packet, size_t len);

/* An owner's prefixes, until each() says no: all, or those behind `after` where
 * that is not NULL; none where it is no longer the owner's. each() may change
 * nothing in the table. */
void allowedips_each(const struct allowedips *t,
		     const struct allowed_owner *owner,
		     const struct weir_cidr *after,
		     bool (*each)(void *arg, const struct weir_cidr *),
		     void *arg);

#endif
