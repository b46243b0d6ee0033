/* SPDX-License-Identifier: GPL-2.0-or-later */
/* peers.h - a device's peers by their public keys, and in the order they were
 * made.
 *
 * Room is made beforehand, so that a configuration that was found right can be
 * applied without a word of the allocator: peers_reserve may fail, peers_add
 * does not. */
#ifndef WIREGUARD_PEERS_H
#define WIREGUARD_PEERS_H

#include "crypto.h"

struct wg_peer;

struct peers {
	struct wg_peer **slots; /* a power of two, at most half of it used */
	uint32_t size, count;
	struct wg_peer *first, **last; /* by wg_peer.after */
	struct wg_peer *spare;	       /* memory of peers to come */
	uint32_t spares;
};

void peers_init(struct peers *);
/* No peer may be left. */
void peers_fini(struct peers *);

/* Room and memory for this many more; false: out of memory. */
bool peers_reserve(struct peers *, uint32_t more);
/* Give back memory that was reserved and not used. */
void peers_trim(struct peers *);

/* A zeroed peer with this key; it must have been reserved. */
struct wg_peer *peers_add(struct peers *, const uint8_t key[WG_KEY_BYTES]);
/* Take it out and free its memory. */
void peers_remove(struct peers *, struct wg_peer *);
struct wg_peer *peers_find(const struct peers *,
			   const uint8_t key[WG_KEY_BYTES]);

#endif
