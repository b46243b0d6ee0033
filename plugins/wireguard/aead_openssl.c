/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aead_openssl.c - the data path by libcrypto, three times as fast as wolfSSL
 * where that is built without assembly.
 *
 * A context costs about a kilobyte and some hundred nanoseconds to make, so it
 * is made at a key's first packet and kept; a packet sets only the nonce. So a
 * peer with two keypairs in use has four contexts, and an idle one none. The
 * tag passes as a parameter: EVP_CIPHER_CTX_ctrl would make the same one anew
 * for every packet, after it has looked up what is asked of it. */
#include "aead.h"

#include <endian.h>
#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

#define NONCE_BYTES 12

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

/* Begin a packet; `tag`, where it is to be opened, is checked at its end. */
static EVP_CIPHER_CTX *context_at(struct aead *a, uint64_t counter,
				  const OSSL_PARAM *tag)
{
	EVP_CIPHER_CTX *c = context_get(a);
	uint8_t nonce[NONCE_BYTES] = {0};

	counter = htole64(counter);
	memcpy(nonce + 4, &counter, sizeof counter);
	if (c && EVP_CipherInit_ex2(c, NULL, NULL, nonce, -1, tag) == 1)
		return c;
	return NULL;
}

/* The parameter that stands for the tag at `at`. */
static OSSL_PARAM tag_at(const uint8_t *at)
{
	return OSSL_PARAM_construct_octet_string(OSSL_CIPHER_PARAM_AEAD_TAG,
						 (void *)(uintptr_t)at,
						 WG_TAG_BYTES);
}

static bool openssl_seal(struct aead *a, uint8_t *dst, const uint8_t *src,
			 size_t len, uint64_t counter)
{
	EVP_CIPHER_CTX *c = context_at(a, counter, NULL);
	OSSL_PARAM tag[] = {tag_at(dst + len), OSSL_PARAM_END};
	int n;

	return c &&
	       (len == 0 ||
		EVP_EncryptUpdate(c, dst, &n, src, (int)len) == 1) &&
	       EVP_EncryptFinal_ex(c, dst + len, &n) == 1 &&
	       EVP_CIPHER_CTX_get_params(c, tag) == 1;
}

static bool openssl_open(struct aead *a, uint8_t *dst, const uint8_t *src,
			 size_t len, uint64_t counter)
{
	size_t plain = len - WG_TAG_BYTES;
	uint8_t nothing[WG_TAG_BYTES];
	EVP_CIPHER_CTX *c;
	int n;

	if (len < WG_TAG_BYTES)
		return false;
	c = context_at(a, counter,
		       (OSSL_PARAM[]){tag_at(src + plain), OSSL_PARAM_END});
	if (c &&
	    (plain == 0 ||
	     EVP_DecryptUpdate(c, dst, &n, src, (int)plain) == 1) &&
	    EVP_DecryptFinal_ex(c, nothing, &n) == 1)
		return true;
	if (plain > 0)
		crypto_wipe(dst, plain);
	return false;
}

/* libcrypto cleanses the contexts that it frees. */
static void openssl_context_free(void *context)
{
	EVP_CIPHER_CTX_free(context);
}

const struct aead_ops aead_openssl = {
	.name = "openssl",
	.seal = openssl_seal,
	.open = openssl_open,
	.context_free = openssl_context_free,
};
