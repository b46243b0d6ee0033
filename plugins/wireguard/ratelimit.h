/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ratelimit.h - how many handshakes one source may start: a token bucket an
 * IPv4 address or IPv6 /64. Asked only for sources that have proven, by a
 * cookie, that they receive there.
 *
 * The table is made at the first question, has RATELIMIT_SOURCES_MOST entries
 * and then refuses new sources, which is counted. An entry that was idle for a
 * second is as good as none and is collected. */
#ifndef WIREGUARD_RATELIMIT_H
#define WIREGUARD_RATELIMIT_H

#include "crypto.h"

#include <weir/base.h>

#define RATELIMIT_PER_SECOND 20u
#define RATELIMIT_BURST 5u
#define RATELIMIT_IDLE_US 1000000u
#define RATELIMIT_SOURCES_MOST 8192u

struct ratelimit_entry;

struct ratelimit {
	uint8_t key[WG_KEY_BYTES]; /* of the hash, so that none can collide */
	struct ratelimit_entry *entries;
	uint16_t *buckets;
	uint16_t free;	       /* list of unused entries */
	uint32_t sources;      /* that have an entry */
	uint64_t collected_us; /* when the idle ones were last thrown out */
	uint64_t limited;      /* counter: refused for their rate */
	uint64_t full;	       /* counter: refused for want of an entry */
};

void ratelimit_init(struct ratelimit *r, const struct crypto_random *random);
void ratelimit_fini(struct ratelimit *r);

/* May this source (an address; its port does not matter) start one now? */
bool ratelimit_allow(struct ratelimit *r, const struct weir_addr *from,
		     uint64_t now_us);

#endif
