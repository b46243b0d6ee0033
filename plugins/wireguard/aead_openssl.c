/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aead_openssl.c - the data path by libcrypto, three times as fast as the
 * other where that is built without assembly.
 *
 * A context costs about a kilobyte and some hundred nanoseconds to make, so it
 * is made at a key's first packet and kept; a packet sets only the nonce. A
 * peer with two keypairs in use so has four, and an idle one none. */
#include "aead.h"

#include <endian.h>
#include <openssl/evp.h>
#include <string.h>

#define NONCE_BYTES 12

static void openssl_init_key(struct aead *a, enum aead_direction direction,
			     const uint8_t key[WG_KEY_BYTES])
{
	a->direction = direction;
	memcpy(a->key, key, WG_KEY_BYTES);
}

/* The context, with its key: made now if this is the first packet. */
static EVP_CIPHER_CTX *context_get(struct aead *a)
{
	EVP_CIPHER_CTX *c = a->context;

	if (c)
		return c;
	c = EVP_CIPHER_CTX_new();
	if (c && EVP_CipherInit_ex(c, EVP_chacha20_poly1305(), NULL, a->key,
				   NULL, a->direction == AEAD_SEAL) != 1) {
		EVP_CIPHER_CTX_free(c);
		c = NULL;
	}
	a->context = c;
	return c;
}

/* Begin a packet. */
static EVP_CIPHER_CTX *context_at(struct aead *a, uint64_t counter)
{
	EVP_CIPHER_CTX *c = context_get(a);
	uint8_t nonce[NONCE_BYTES] = {0};

	counter = htole64(counter);
	memcpy(nonce + 4, &counter, sizeof counter);
	if (c && EVP_CipherInit_ex(c, NULL, NULL, NULL, nonce, -1) == 1)
		return c;
	return NULL;
}

static bool openssl_seal(struct aead *a, uint8_t *dst, const uint8_t *src,
			 size_t len, uint64_t counter)
{
	EVP_CIPHER_CTX *c = context_at(a, counter);
	int n;

	return c &&
	       (len == 0 ||
		EVP_EncryptUpdate(c, dst, &n, src, (int)len) == 1) &&
	       EVP_EncryptFinal_ex(c, dst + len, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_GET_TAG, WG_TAG_BYTES,
				   dst + len) == 1;
}

static bool openssl_open(struct aead *a, uint8_t *dst, const uint8_t *src,
			 size_t len, uint64_t counter)
{
	size_t plain = len - WG_TAG_BYTES;
	uint8_t tag[WG_TAG_BYTES], nothing[WG_TAG_BYTES];
	EVP_CIPHER_CTX *c;
	int n;

	if (len < WG_TAG_BYTES)
		return false;
	memcpy(tag, src + plain, sizeof tag);
	c = context_at(a, counter);
	if (c &&
	    EVP_CIPHER_CTX_ctrl(c, EVP_CTRL_AEAD_SET_TAG, WG_TAG_BYTES, tag) ==
		    1 &&
	    (plain == 0 ||
	     EVP_DecryptUpdate(c, dst, &n, src, (int)plain) == 1) &&
	    EVP_DecryptFinal_ex(c, nothing, &n) == 1)
		return true;
	if (plain > 0)
		crypto_wipe(dst, plain);
	return false;
}

/* libcrypto cleanses the contexts that it frees. */
static void openssl_wipe(struct aead *a)
{
	EVP_CIPHER_CTX_free(a->context);
	crypto_wipe(a, sizeof *a);
}

const struct aead_ops aead_openssl = {
	.name = "openssl",
	.init_key = openssl_init_key,
	.seal = openssl_seal,
	.open = openssl_open,
	.wipe = openssl_wipe,
};

const struct aead_ops *const aead_default = &aead_openssl;
