/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crypto.h - the primitives that Noise, cookies and MACs are made of.
 *
 * Keys, hashes and public keys are plain arrays of WG_KEY_BYTES, so that they
 * can be named in messages and compared here. What holds a secret is wiped by
 * its owner with crypto_wipe before its memory goes. The ciphers of the data
 * path are in aead.h. */
#ifndef WIREGUARD_CRYPTO_H
#define WIREGUARD_CRYPTO_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WG_KEY_BYTES 32u  /* private, public, pre-shared, symmetric */
#define WG_HASH_BYTES 32u /* BLAKE2s */
#define WG_MAC_BYTES 16u  /* keyed BLAKE2s, and a cookie */
#define WG_TAG_BYTES 16u  /* Poly1305 */
#define WG_COOKIE_NONCE_BYTES 24u

/* Where random bytes come from: `fill` writes `len` of them. The caller of the
 * engine passes one; tests pass one that counts. `self` is the maker's. */
struct crypto_random {
	void (*fill)(void *self, void *out, size_t len);
	void *self;
};

/* The kernel's generator (getrandom). It never fails: without random bytes
 * the process must not go on. */
extern const struct crypto_random crypto_random_system;

static inline void crypto_random_fill(const struct crypto_random *r, void *out,
				      size_t len)
{
	r->fill(r->self, out, len);
}

/* Once before any thread and before anything below; again does no harm. */
bool crypto_init(void);

/* Overwrite, and do not let the compiler leave it out. */
void crypto_wipe(void *secret, size_t len);

/* Equal? Takes as long for any two byte strings of this length. */
bool crypto_equal(const void *a, const void *b, size_t len);
bool crypto_is_zero(const void *bytes, size_t len);

/* X25519 (RFC 7748). Every function takes a private key of any bits and clamps
 * a copy; the most significant bit of a public key is ignored. crypto_dh says
 * false, with `out` zeroed, when the result is all zero, which is what a point
 * of low order gives. */
void crypto_clamp(uint8_t private_key[WG_KEY_BYTES]);
bool crypto_public_key(uint8_t out[WG_KEY_BYTES],
		       const uint8_t private_key[WG_KEY_BYTES]);
bool crypto_dh(uint8_t out[WG_KEY_BYTES],
	       const uint8_t private_key[WG_KEY_BYTES],
	       const uint8_t public_key[WG_KEY_BYTES]);

/* BLAKE2s-256 of `a` and then `b`; either may be NULL with length 0. */
void crypto_hash(uint8_t out[WG_HASH_BYTES], const void *a, size_t a_len,
		 const void *b, size_t b_len);

/* Keyed BLAKE2s with 16 bytes of output (RFC 7693), WireGuard's MAC. The key
 * is of 1 to 32 bytes: a public key's hash, or a cookie of 16. */
void crypto_mac(uint8_t out[WG_MAC_BYTES], const void *key, size_t key_len,
		const void *data, size_t len);

/* HMAC-BLAKE2s of `a` and then `b`, under a key of 32 bytes. */
void crypto_hmac(uint8_t out[WG_HASH_BYTES], const uint8_t key[WG_KEY_BYTES],
		 const void *a, size_t a_len, const void *b, size_t b_len);

/* HKDF as Noise has it: 1 to 3 outputs of 32 bytes; those after the first that
 * is NULL are not computed. An output may be the key itself. */
void crypto_kdf(uint8_t *first, uint8_t *second, uint8_t *third,
		const uint8_t key[WG_KEY_BYTES], const void *input, size_t len);

/* ChaCha20-Poly1305 for handshakes: `len` bytes of `src` become len + 16 in
 * `dst`. `len` may be 0. Buffers may not overlap. */
void crypto_seal(uint8_t *dst, const void *src, size_t len, const void *ad,
		 size_t ad_len, uint64_t counter,
		 const uint8_t key[WG_KEY_BYTES]);

/* Its inverse: `len` counts the tag, dst gets len - 16 bytes. False leaves
 * zeros in dst. */
bool crypto_open(void *dst, const uint8_t *src, size_t len, const void *ad,
		 size_t ad_len, uint64_t counter,
		 const uint8_t key[WG_KEY_BYTES]);

/* XChaCha20-Poly1305, for cookies: the same with a random nonce. */
void crypto_xseal(uint8_t *dst, const void *src, size_t len, const void *ad,
		  size_t ad_len, const uint8_t nonce[WG_COOKIE_NONCE_BYTES],
		  const uint8_t key[WG_KEY_BYTES]);
bool crypto_xopen(void *dst, const uint8_t *src, size_t len, const void *ad,
		  size_t ad_len, const uint8_t nonce[WG_COOKIE_NONCE_BYTES],
		  const uint8_t key[WG_KEY_BYTES]);

#endif
