/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aead.h - ChaCha20-Poly1305 of the data path, by one of three libraries.
 *
 * A struct aead is one direction of one keypair, embedded in its owner. What
 * the library wants to keep for it is made at the first packet, so a keypair
 * that carries none costs nothing but this struct. An aead belongs to one
 * thread; another thread makes one of its own from the same key.
 *
 * Life: aead_init, then aead_seal or aead_open as often as wanted, then
 * aead_wipe, which also zeroes the key. */
#ifndef WIREGUARD_AEAD_H
#define WIREGUARD_AEAD_H

#include <string.h>

#include "crypto.h"

enum aead_direction { AEAD_SEAL, AEAD_OPEN };

struct aead_ops;

struct aead {
	const struct aead_ops *ops; /* NULL: not initialised, or wiped */
	void *context;		    /* the library's, NULL until needed */
	enum aead_direction direction;
	uint8_t key[WG_KEY_BYTES];
};

/* One library. `dst` is either `src` itself or apart from it; nothing may
 * overlap partly. The nonce is four zero bytes and the counter in little
 * endian; there is no additional data. */
struct aead_ops {
	const char *name; /* as --with-aead has it */

	/* `len` bytes (0 is a keepalive) become len + 16. False: no memory. */
	bool (*seal)(struct aead *a, uint8_t *dst, const uint8_t *src,
		     size_t len, uint64_t counter);

	/* `len` bytes, tag included, become len - 16. False: forged, shorter
	 * than a tag, or no memory; then dst's len - 16 bytes are zero. */
	bool (*open)(struct aead *a, uint8_t *dst, const uint8_t *src,
		     size_t len, uint64_t counter);

	/* Free a context; only of a library that makes one. */
	void (*context_free)(void *context);
};

#ifdef WEIR_AEAD_IPSEC_MB
extern const struct aead_ops aead_ipsec_mb;
#endif
#ifdef WEIR_AEAD_OPENSSL
extern const struct aead_ops aead_openssl;
#endif
extern const struct aead_ops aead_wolfssl;

/* Those of this build (--with-aead), the fastest first, wolfSSL last, and
 * NULL. */
extern const struct aead_ops *const aead_all[];

/* Whether it does this cipher here: ipsec-mb wants a processor to gain by,
 * libcrypto may not where the system keeps to FIPS. Seals a packet to see. */
bool aead_works(const struct aead_ops *ops);

/* The first that works; wolfSSL is taken to. */
const struct aead_ops *aead_best(void);

static inline void aead_init(struct aead *a, const struct aead_ops *ops,
			     enum aead_direction direction,
			     const uint8_t key[WG_KEY_BYTES])
{
	*a = (struct aead){.ops = ops, .direction = direction};
	memcpy(a->key, key, WG_KEY_BYTES);
}

static inline bool aead_seal(struct aead *a, uint8_t *dst, const uint8_t *src,
			     size_t len, uint64_t counter)
{
	return a->ops->seal(a, dst, src, len, counter);
}

static inline bool aead_open(struct aead *a, uint8_t *dst, const uint8_t *src,
			     size_t len, uint64_t counter)
{
	return a->ops->open(a, dst, src, len, counter);
}

/* Does nothing to one that was never initialised. */
static inline void aead_wipe(struct aead *a)
{
	if (a->context)
		a->ops->context_free(a->context);
	crypto_wipe(a, sizeof *a);
}

#endif
