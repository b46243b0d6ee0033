/* SPDX-License-Identifier: GPL-2.0-or-later */
/* crypto.c - wolfSSL, with its edges filed off.
 *
 * wolfSSL's X25519 neither clamps private keys nor refuses points of low
 * order, and some of its builds mind the high bit of a public key: a clamped
 * and a masked copy go in, and an all-zero result is looked for here. Its AEADs
 * want pointers even to nothing, leave the plaintext of a forgery behind, and
 * subtract the tag's length before they look at it. Its HMAC does not know
 * BLAKE2s. A call that can fail only for arguments that are ours is
 * asserted. */
#include "crypto.h"
#include "wolf.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#define HMAC_BLOCK_BYTES 64u
#define HMAC_INNER_PAD 0x36
#define HMAC_OUTER_PAD 0x5c
#define NONCE_BYTES 12u

static void must(bool ok)
{
	if (!ok)
		abort();
}

/* wolfSSL refuses NULL, even for no bytes at all. */
static const void *some(const void *bytes)
{
	return bytes ? bytes : "";
}

static void system_fill(void *self, void *out, size_t len)
{
	uint8_t *to = out;

	(void)self;
	while (len > 0) {
		ssize_t got = getrandom(to, len, 0);

		must(got > 0 || errno == EINTR);
		if (got > 0) {
			to += got;
			len -= (size_t)got;
		}
	}
}

const struct crypto_random crypto_random_system = {.fill = system_fill};

bool crypto_init(void)
{
	return wolfCrypt_Init() == 0;
}

void crypto_wipe(void *secret, size_t len)
{
	explicit_bzero(secret, len);
}

bool crypto_equal(const void *a, const void *b, size_t len)
{
	const volatile uint8_t *x = a, *y = b;
	uint8_t differ = 0;

	for (size_t i = 0; i < len; i++)
		differ |= x[i] ^ y[i];
	return differ == 0;
}

bool crypto_is_zero(const void *bytes, size_t len)
{
	const volatile uint8_t *x = bytes;
	uint8_t any = 0;

	for (size_t i = 0; i < len; i++)
		any |= x[i];
	return any == 0;
}

void crypto_clamp(uint8_t private_key[WG_KEY_BYTES])
{
	private_key[0] &= 0xf8;
	private_key[WG_KEY_BYTES - 1] &= 0x7f;
	private_key[WG_KEY_BYTES - 1] |= 0x40;
}

bool crypto_dh(uint8_t out[WG_KEY_BYTES],
	       const uint8_t private_key[WG_KEY_BYTES],
	       const uint8_t public_key[WG_KEY_BYTES])
{
	uint8_t scalar[WG_KEY_BYTES], point[WG_KEY_BYTES];
	bool ok;

	memcpy(scalar, private_key, sizeof scalar);
	crypto_clamp(scalar);
	memcpy(point, public_key, sizeof point);
	point[WG_KEY_BYTES - 1] &= 0x7f;
	ok = wc_curve25519_generic(WG_KEY_BYTES, out, WG_KEY_BYTES, scalar,
				   WG_KEY_BYTES, point) == 0;
	crypto_wipe(scalar, sizeof scalar);
	if (!ok)
		memset(out, 0, WG_KEY_BYTES);
	return !crypto_is_zero(out, WG_KEY_BYTES);
}

bool crypto_public_key(uint8_t out[WG_KEY_BYTES],
		       const uint8_t private_key[WG_KEY_BYTES])
{
	static const uint8_t base_point[WG_KEY_BYTES] = {9};

	return crypto_dh(out, private_key, base_point);
}

void crypto_hash(uint8_t out[WG_HASH_BYTES], const void *a, size_t a_len,
		 const void *b, size_t b_len)
{
	Blake2s state;

	must(wc_InitBlake2s(&state, WG_HASH_BYTES) == 0);
	must(wc_Blake2sUpdate(&state, some(a), (word32)a_len) == 0);
	must(wc_Blake2sUpdate(&state, some(b), (word32)b_len) == 0);
	must(wc_Blake2sFinal(&state, out, WG_HASH_BYTES) == 0);
	crypto_wipe(&state, sizeof state);
}

/* The length of the output is a parameter of the hash: 16 bytes from the start,
 * not the first 16 of 32. */
void crypto_mac(uint8_t out[WG_MAC_BYTES], const void *key, size_t key_len,
		const void *data, size_t len)
{
	Blake2s state;

	must(key_len > 0 && key_len <= WG_KEY_BYTES);
	must(wc_InitBlake2s_WithKey(&state, WG_MAC_BYTES, key,
				    (word32)key_len) == 0);
	must(wc_Blake2sUpdate(&state, some(data), (word32)len) == 0);
	must(wc_Blake2sFinal(&state, out, WG_MAC_BYTES) == 0);
	crypto_wipe(&state, sizeof state);
}

/* Start a hash with a key of 32 bytes, XORed with the pad, as its first
 * block. */
static void hmac_begin(Blake2s *state, const uint8_t key[WG_KEY_BYTES],
		       uint8_t pad)
{
	uint8_t block[HMAC_BLOCK_BYTES];

	memset(block, pad, sizeof block);
	for (size_t i = 0; i < WG_KEY_BYTES; i++)
		block[i] ^= key[i];
	must(wc_InitBlake2s(state, WG_HASH_BYTES) == 0);
	must(wc_Blake2sUpdate(state, block, sizeof block) == 0);
	crypto_wipe(block, sizeof block);
}

void crypto_hmac(uint8_t out[WG_HASH_BYTES], const uint8_t key[WG_KEY_BYTES],
		 const void *a, size_t a_len, const void *b, size_t b_len)
{
	uint8_t inner[WG_HASH_BYTES];
	Blake2s state;

	hmac_begin(&state, key, HMAC_INNER_PAD);
	must(wc_Blake2sUpdate(&state, some(a), (word32)a_len) == 0);
	must(wc_Blake2sUpdate(&state, some(b), (word32)b_len) == 0);
	must(wc_Blake2sFinal(&state, inner, sizeof inner) == 0);
	hmac_begin(&state, key, HMAC_OUTER_PAD);
	must(wc_Blake2sUpdate(&state, inner, sizeof inner) == 0);
	must(wc_Blake2sFinal(&state, out, WG_HASH_BYTES) == 0);
	crypto_wipe(&state, sizeof state);
	crypto_wipe(inner, sizeof inner);
}

void crypto_kdf(uint8_t *first, uint8_t *second, uint8_t *third,
		const uint8_t key[WG_KEY_BYTES], const void *input, size_t len)
{
	uint8_t *const outputs[] = {first, second, third};
	uint8_t secret[WG_HASH_BYTES], last[WG_HASH_BYTES];
	size_t last_len = 0;

	crypto_hmac(secret, key, input, len, NULL, 0);
	for (uint8_t i = 0; i < 3 && outputs[i]; i++) {
		const uint8_t number = (uint8_t)(i + 1);

		crypto_hmac(last, secret, last, last_len, &number, 1);
		last_len = sizeof last;
		memcpy(outputs[i], last, sizeof last);
	}
	crypto_wipe(secret, sizeof secret);
	crypto_wipe(last, sizeof last);
}

static void counter_nonce(uint8_t nonce[NONCE_BYTES], uint64_t counter)
{
	memset(nonce, 0, NONCE_BYTES);
	for (unsigned i = 0; i < sizeof counter; i++)
		nonce[4 + i] = (uint8_t)(counter >> (8 * i));
}

void crypto_seal(uint8_t *dst, const void *src, size_t len, const void *ad,
		 size_t ad_len, uint64_t counter,
		 const uint8_t key[WG_KEY_BYTES])
{
	uint8_t nonce[NONCE_BYTES];

	counter_nonce(nonce, counter);
	must(wc_ChaCha20Poly1305_Encrypt(key, nonce, some(ad), (word32)ad_len,
					 some(src), (word32)len, dst,
					 dst + len) == 0);
}

bool crypto_open(void *dst, const uint8_t *src, size_t len, const void *ad,
		 size_t ad_len, uint64_t counter,
		 const uint8_t key[WG_KEY_BYTES])
{
	uint8_t nonce[NONCE_BYTES], nothing[1];
	size_t plain = len - WG_TAG_BYTES;

	if (len < WG_TAG_BYTES)
		return false;
	counter_nonce(nonce, counter);
	if (wc_ChaCha20Poly1305_Decrypt(key, nonce, some(ad), (word32)ad_len,
					src, (word32)plain, src + plain,
					plain > 0 ? dst : nothing) == 0)
		return true;
	if (plain > 0)
		crypto_wipe(dst, plain);
	return false;
}

void crypto_xseal(uint8_t *dst, const void *src, size_t len, const void *ad,
		  size_t ad_len, const uint8_t nonce[WG_COOKIE_NONCE_BYTES],
		  const uint8_t key[WG_KEY_BYTES])
{
	must(wc_XChaCha20Poly1305_Encrypt(
		     dst, len + WG_TAG_BYTES, some(src), len, some(ad), ad_len,
		     nonce, WG_COOKIE_NONCE_BYTES, key, WG_KEY_BYTES) == 0);
}

bool crypto_xopen(void *dst, const uint8_t *src, size_t len, const void *ad,
		  size_t ad_len, const uint8_t nonce[WG_COOKIE_NONCE_BYTES],
		  const uint8_t key[WG_KEY_BYTES])
{
	if (len < WG_TAG_BYTES)
		return false;
	if (wc_XChaCha20Poly1305_Decrypt(
		    dst, len - WG_TAG_BYTES, src, len, some(ad), ad_len, nonce,
		    WG_COOKIE_NONCE_BYTES, key, WG_KEY_BYTES) == 0)
		return true;
	crypto_wipe(dst, len - WG_TAG_BYTES);
	return false;
}
