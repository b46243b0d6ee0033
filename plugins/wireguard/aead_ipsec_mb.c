/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aead_ipsec_mb.c - the data path by Intel's Multi-Buffer Crypto for IPsec,
 * twice as fast as libcrypto where the processor has AVX-512 with IFMA, and no
 * faster where it has not; so elsewhere it declines.
 *
 * A packet is a job, and one of this cipher is done when it is submitted. Jobs
 * pass a manager of 200 KB that no two threads may share: each thread makes
 * its own at its first packet, and it goes with the thread. A key costs
 * nothing but its bytes. */
#include "aead.h"

#include <endian.h>
#include <intel-ipsec-mb.h>
#include <pthread.h>
#include <string.h>

#define NONCE_BYTES 12

/* A processor to gain by, and a library that clears what it worked with. */
#define FEATURES (IMB_CPUFLAGS_AVX512_T2 | IMB_FEATURE_SAFE_DATA)

static pthread_key_t threads_manager;
static bool has_key;

static void manager_free(void *manager)
{
	free_mb_mgr(manager);
}

static void key_make(void)
{
	has_key = pthread_key_create(&threads_manager, manager_free) == 0;
}

/* NULL: no memory, or not this processor. That is asked first, since to look
 * at itself costs the library 5 ms and 4 MB of its code. */
static IMB_MGR *manager_new(void)
{
	IMB_MGR *m;

	if (!__builtin_cpu_supports("avx512ifma"))
		return NULL;
	m = alloc_mb_mgr(0);
	if (!m)
		return NULL;
	init_mb_mgr_auto(m, NULL);
	if (imb_get_errno(m) == 0 && (m->features & FEATURES) == FEATURES &&
	    pthread_setspecific(threads_manager, m) == 0)
		return m;
	free_mb_mgr(m);
	return NULL;
}

/* This thread's. */
static IMB_MGR *manager_get(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;
	IMB_MGR *m;

	pthread_once(&once, key_make);
	if (!has_key)
		return NULL;
	m = pthread_getspecific(threads_manager);
	return m ? m : manager_new();
}

/* `len` bytes from src to dst, and the tag of what is or was sealed. */
static bool packet_do(const struct aead *a, uint8_t *dst, const uint8_t *src,
		      size_t len, uint64_t counter, uint8_t tag[WG_TAG_BYTES])
{
	uint8_t nonce[NONCE_BYTES] = {0};
	IMB_MGR *m = manager_get();
	bool seals = a->direction == AEAD_SEAL;
	IMB_JOB *job;

	if (!m)
		return false;
	counter = htole64(counter);
	memcpy(nonce + 4, &counter, sizeof counter);
	job = IMB_GET_NEXT_JOB(m);
	*job = (IMB_JOB){
		.cipher_mode = IMB_CIPHER_CHACHA20_POLY1305,
		.hash_alg = IMB_AUTH_CHACHA20_POLY1305,
		.cipher_direction = seals ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT,
		.chain_order =
			seals ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER,
		.enc_keys = a->key,
		.dec_keys = a->key,
		.key_len_in_bytes = WG_KEY_BYTES,
		.iv = nonce,
		.iv_len_in_bytes = sizeof nonce,
		.src = src,
		.dst = dst,
		.msg_len_to_cipher_in_bytes = len,
		.msg_len_to_hash_in_bytes = len,
		.u.CHACHA20_POLY1305.aad = nonce, /* none of it */
		.auth_tag_output = tag,
		.auth_tag_output_len_in_bytes = WG_TAG_BYTES,
	};
	job = IMB_SUBMIT_JOB_NOCHECK(m);
	return job && job->status == IMB_STATUS_COMPLETED;
}

static bool ipsec_mb_seal(struct aead *a, uint8_t *dst, const uint8_t *src,
			  size_t len, uint64_t counter)
{
	return packet_do(a, dst, src, len, counter, dst + len);
}

static bool ipsec_mb_open(struct aead *a, uint8_t *dst, const uint8_t *src,
			  size_t len, uint64_t counter)
{
	size_t plain = len - WG_TAG_BYTES;
	uint8_t tag[WG_TAG_BYTES];

	if (len < WG_TAG_BYTES)
		return false;
	if (packet_do(a, dst, src, plain, counter, tag) &&
	    crypto_equal(tag, src + plain, sizeof tag))
		return true;
	if (plain > 0)
		crypto_wipe(dst, plain);
	return false;
}

const struct aead_ops aead_ipsec_mb = {
	.name = "ipsec-mb",
	.seal = ipsec_mb_seal,
	.open = ipsec_mb_open,
};
