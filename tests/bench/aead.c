/* SPDX-License-Identifier: GPL-2.0-or-later */
/* aead.c - sealing and opening a packet through weir's interface, beside the
 * same calls made of the library directly.
 *
 * The two take turns, and the best turn of each counts, so that what else the
 * machine does falls out. One JSON line a library and direction; the exit
 * status is 1 where weir takes over 5 % more. Usage: aead [BYTES] */
#include "aead.h"
#include "wolf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#ifdef WEIR_AEAD_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif
#ifdef WEIR_AEAD_OPENSSL
#include <openssl/evp.h>
#endif

#define PACKET_BYTES 1420u
#define PACKET_MOST 65536u
#define PACKETS_A_TURN 4000u
#define TURNS 150u
#define OVERHEAD_MOST 0.05
#define NONCE_BYTES 12u

/* What is measured: one packet with a counter. False is a failure. */
struct contender {
	const char *library, *what;
	bool (*alone)(void *self, uint64_t counter);
	struct aead *weirs;
	void *self;
};

static uint8_t key[WG_KEY_BYTES], plain[PACKET_MOST];
static uint8_t sealed[PACKET_MOST + WG_TAG_BYTES];
static uint8_t out[PACKET_MOST + WG_TAG_BYTES];
static size_t packet_bytes = PACKET_BYTES;

static void must(bool ok)
{
	if (!ok) {
		fputs("a call failed\n", stderr);
		exit(2);
	}
}

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void nonce_of(uint8_t nonce[NONCE_BYTES], uint64_t counter)
{
	memset(nonce, 0, 4);
	memcpy(nonce + 4, &counter, sizeof counter);
}

static bool wolf_seal(void *self, uint64_t counter)
{
	uint8_t nonce[NONCE_BYTES];

	(void)self;
	nonce_of(nonce, counter);
	return wc_ChaCha20Poly1305_Encrypt(key, nonce, NULL, 0, plain,
					   (word32)packet_bytes, out,
					   out + packet_bytes) == 0;
}

/* Always of the packet that is sealed: the one with counter 0. */
static bool wolf_open(void *self, uint64_t counter)
{
	uint8_t nonce[NONCE_BYTES];

	(void)self;
	(void)counter;
	nonce_of(nonce, 0);
	return wc_ChaCha20Poly1305_Decrypt(key, nonce, NULL, 0, sealed,
					   (word32)packet_bytes,
					   sealed + packet_bytes, out) == 0;
}

#ifdef WEIR_AEAD_OPENSSL
static EVP_CIPHER_CTX *evp_new(int encrypt)
{
	EVP_CIPHER_CTX *c = EVP_CIPHER_CTX_new();

	must(c && EVP_CipherInit_ex(c, EVP_chacha20_poly1305(), NULL, key, NULL,
				    encrypt) == 1);
	return c;
}

static bool evp_seal(void *self, uint64_t counter)
{
	uint8_t nonce[NONCE_BYTES];
	int n;

	nonce_of(nonce, counter);
	return EVP_EncryptInit_ex(self, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_EncryptUpdate(self, out, &n, plain, (int)packet_bytes) ==
		       1 &&
	       EVP_EncryptFinal_ex(self, out + n, &n) == 1 &&
	       EVP_CIPHER_CTX_ctrl(self, EVP_CTRL_AEAD_GET_TAG, WG_TAG_BYTES,
				   out + packet_bytes) == 1;
}

static bool evp_open(void *self, uint64_t counter)
{
	uint8_t nonce[NONCE_BYTES];
	int n;

	(void)counter;
	nonce_of(nonce, 0);
	return EVP_DecryptInit_ex(self, NULL, NULL, NULL, nonce) == 1 &&
	       EVP_CIPHER_CTX_ctrl(self, EVP_CTRL_AEAD_SET_TAG, WG_TAG_BYTES,
				   sealed + packet_bytes) == 1 &&
	       EVP_DecryptUpdate(self, out, &n, sealed, (int)packet_bytes) ==
		       1 &&
	       EVP_DecryptFinal_ex(self, out + n, &n) == 1;
}
#endif

#ifdef WEIR_AEAD_IPSEC_MB
static IMB_MGR *mb_new(void)
{
	IMB_MGR *m = alloc_mb_mgr(0);

	must(m != NULL);
	init_mb_mgr_auto(m, NULL);
	return m;
}

static bool mb_do(IMB_MGR *m, uint64_t counter, const uint8_t *src, bool seals)
{
	uint8_t nonce[NONCE_BYTES], tag[WG_TAG_BYTES];
	IMB_JOB *job = IMB_GET_NEXT_JOB(m);

	nonce_of(nonce, counter);
	job->cipher_mode = IMB_CIPHER_CHACHA20_POLY1305;
	job->hash_alg = IMB_AUTH_CHACHA20_POLY1305;
	job->cipher_direction = seals ? IMB_DIR_ENCRYPT : IMB_DIR_DECRYPT;
	job->chain_order =
		seals ? IMB_ORDER_CIPHER_HASH : IMB_ORDER_HASH_CIPHER;
	job->enc_keys = job->dec_keys = key;
	job->key_len_in_bytes = sizeof key;
	job->iv = nonce;
	job->iv_len_in_bytes = sizeof nonce;
	job->src = src;
	job->dst = out;
	job->cipher_start_src_offset_in_bytes = 0;
	job->hash_start_src_offset_in_bytes = 0;
	job->msg_len_to_cipher_in_bytes = packet_bytes;
	job->msg_len_to_hash_in_bytes = packet_bytes;
	job->u.CHACHA20_POLY1305.aad = nonce;
	job->u.CHACHA20_POLY1305.aad_len_in_bytes = 0;
	job->auth_tag_output = seals ? out + packet_bytes : tag;
	job->auth_tag_output_len_in_bytes = sizeof tag;
	job = IMB_SUBMIT_JOB_NOCHECK(m);
	return job && job->status == IMB_STATUS_COMPLETED &&
	       (seals || memcmp(tag, src + packet_bytes, sizeof tag) == 0);
}

static bool mb_seal(void *self, uint64_t counter)
{
	return mb_do(self, counter, plain, true);
}

static bool mb_open(void *self, uint64_t counter)
{
	(void)counter;
	return mb_do(self, 0, sealed, false);
}
#endif

static bool weir_turn(const struct contender *c, uint64_t counter)
{
	if (c->weirs->direction == AEAD_SEAL)
		return aead_seal(c->weirs, out, plain, packet_bytes, counter);
	return aead_open(c->weirs, out, sealed, packet_bytes + WG_TAG_BYTES, 0);
}

static double turn_ns(const struct contender *c, bool alone)
{
	double began = now_ns();
	bool ok = true;

	for (uint64_t i = 0; i < PACKETS_A_TURN; i++)
		ok &= alone ? c->alone(c->self, i) : weir_turn(c, i);
	must(ok);
	return (now_ns() - began) / PACKETS_A_TURN;
}

/* True where weir is near enough. */
static bool compare(const struct contender *c)
{
	double best[2] = {1e18, 1e18}, overhead;

	for (unsigned i = 0; i < 2 * TURNS; i++) {
		double ns = turn_ns(c, i % 2);

		if (ns < best[i % 2])
			best[i % 2] = ns;
	}
	overhead = best[0] / best[1] - 1;
	printf("{\"bench\": \"aead\", \"library\": \"%s\", \"what\": \"%s\", "
	       "\"bytes\": %zu, \"weir_ns\": %.1f, \"library_ns\": %.1f, "
	       "\"weir_gbit_s\": %.2f, \"overhead\": %.4f, \"bar\": %.2f}\n",
	       c->library, c->what, packet_bytes, best[0], best[1],
	       (double)packet_bytes * 8 / best[0], overhead, OVERHEAD_MOST);
	return overhead <= OVERHEAD_MOST;
}

static bool library(const struct aead_ops *ops, struct contender seal,
		    struct contender open)
{
	struct aead sealer, opener;
	bool ok;

	aead_init(&sealer, ops, AEAD_SEAL, key);
	aead_init(&opener, ops, AEAD_OPEN, key);
	must(aead_seal(&sealer, sealed, plain, packet_bytes, 0));
	seal.weirs = &sealer;
	open.weirs = &opener;
	ok = compare(&seal);
	ok &= compare(&open);
	aead_wipe(&sealer);
	aead_wipe(&opener);
	return ok;
}

int main(int argc, char **argv)
{
	bool ok;

	if (argc > 1)
		packet_bytes = strtoul(argv[1], NULL, 10);
	must(packet_bytes > 0 && packet_bytes <= PACKET_MOST);
	must(crypto_init());
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)i;
	ok = library(&aead_wolfssl,
		     (struct contender){"wolfssl", "seal", wolf_seal, 0, 0},
		     (struct contender){"wolfssl", "open", wolf_open, 0, 0});
#ifdef WEIR_AEAD_OPENSSL
	EVP_CIPHER_CTX *e = evp_new(1), *d = evp_new(0);

	ok &= library(&aead_openssl,
		      (struct contender){"openssl", "seal", evp_seal, 0, e},
		      (struct contender){"openssl", "open", evp_open, 0, d});
	EVP_CIPHER_CTX_free(e);
	EVP_CIPHER_CTX_free(d);
#endif
#ifdef WEIR_AEAD_IPSEC_MB
	if (aead_works(&aead_ipsec_mb)) {
		IMB_MGR *m = mb_new();

		ok &= library(
			&aead_ipsec_mb,
			(struct contender){"ipsec-mb", "seal", mb_seal, 0, m},
			(struct contender){"ipsec-mb", "open", mb_open, 0, m});
		free_mb_mgr(m);
	}
#endif
	return ok ? EXIT_SUCCESS : EXIT_FAILURE;
}
