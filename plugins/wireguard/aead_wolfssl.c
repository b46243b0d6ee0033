/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aead_wolfssl.c - the data path by wolfSSL's one-shot functions, which keep
 * nothing between packets: the key is all there is. It is in every build, to
 * stand in for the others. */
#include "aead.h"
#include "wolf.h"

#include <endian.h>
#include <string.h>

static void nonce_of(uint8_t nonce[CHACHA20_POLY1305_AEAD_IV_SIZE],
		     uint64_t counter)
{
	counter = htole64(counter);
	memset(nonce, 0, 4);
	memcpy(nonce + 4, &counter, sizeof counter);
}

/* Without a packet the pointers are still looked at; `dst` has room for a tag
 * and may stand for both. */
static bool wolfssl_seal(struct aead *a, uint8_t *dst, const uint8_t *src,
			 size_t len, uint64_t counter)
{
	uint8_t nonce[CHACHA20_POLY1305_AEAD_IV_SIZE];

	nonce_of(nonce, counter);
	return wc_ChaCha20Poly1305_Encrypt(a->key, nonce, nonce, 0,
					   len > 0 ? src : nonce, (word32)len,
					   dst, dst + len) == 0;
}

static bool wolfssl_open(struct aead *a, uint8_t *dst, const uint8_t *src,
			 size_t len, uint64_t counter)
{
	uint8_t nonce[CHACHA20_POLY1305_AEAD_IV_SIZE], nothing[1];
	size_t plain = len - WG_TAG_BYTES;

	if (len < WG_TAG_BYTES)
		return false;
	nonce_of(nonce, counter);
	if (wc_ChaCha20Poly1305_Decrypt(a->key, nonce, nonce, 0, src,
					(word32)plain, src + plain,
					plain > 0 ? dst : nothing) == 0)
		return true;
	if (plain > 0)
		crypto_wipe(dst, plain);
	return false;
}

const struct aead_ops aead_wolfssl = {
	.name = "wolfssl",
	.seal = wolfssl_seal,
	.open = wolfssl_open,
};
