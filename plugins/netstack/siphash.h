/* SPDX-License-Identifier: GPL-2.0-or-later */
/* siphash.h - SipHash-1-3 (Aumasson, Bernstein): a keyed hash whose values an
 * outsider can neither predict nor make collide. */
#ifndef NETSTACK_SIPHASH_H
#define NETSTACK_SIPHASH_H

#include <stddef.h>
#include <stdint.h>

struct siphash_key {
	uint64_t k0, k1;
};

uint64_t siphash(const struct siphash_key *key, const void *data, size_t len);

#endif
