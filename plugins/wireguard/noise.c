/* SPDX-License-Identifier: GPL-2.0-or-later */
/* noise.c - the handshake of Noise, in the words of its specification:
 * mix_hash, mix_key, seal and open with the hash as additional data.
 *
 * A cipher key lives only between the mix_key that makes it and the seal or
 * open that uses it, so it is a local of the step and every nonce is 0. */
#include "noise.h"

#include <string.h>

#define NOISE_NAME "Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s"

static void mix_hash(struct noise *n, const void *data, size_t len)
{
	crypto_hash(n->hash, n->hash, sizeof n->hash, data, len);
}

/* Into the chaining key, and a cipher key where one is wanted. */
static void mix_key(struct noise *n, uint8_t *key,
		    const uint8_t input[WG_KEY_BYTES])
{
	crypto_kdf(n->chaining_key, key, NULL, n->chaining_key, input,
		   WG_KEY_BYTES);
}

static bool mix_dh(struct noise *n, uint8_t *key,
		   const uint8_t private_key[WG_KEY_BYTES],
		   const uint8_t public_key[WG_KEY_BYTES])
{
	uint8_t shared[WG_KEY_BYTES];
	bool ok = crypto_dh(shared, private_key, public_key);

	if (ok)
		mix_key(n, key, shared);
	crypto_wipe(shared, sizeof shared);
	return ok;
}

/* An ephemeral public key; because there is a pre-shared key it goes into the
 * chaining key too. */
static void mix_ephemeral(struct noise *n, const uint8_t e[WG_KEY_BYTES])
{
	mix_hash(n, e, WG_KEY_BYTES);
	mix_key(n, NULL, e);
}

static void mix_psk(struct noise *n, uint8_t key[WG_KEY_BYTES],
		    const uint8_t psk[WG_KEY_BYTES])
{
	uint8_t hashed[WG_HASH_BYTES];

	crypto_kdf(n->chaining_key, hashed, key, n->chaining_key, psk,
		   WG_KEY_BYTES);
	mix_hash(n, hashed, sizeof hashed);
	crypto_wipe(hashed, sizeof hashed);
}

static void seal_and_hash(struct noise *n, const uint8_t key[WG_KEY_BYTES],
			  uint8_t *dst, const void *src, size_t len)
{
	crypto_seal(dst, src, len, n->hash, sizeof n->hash, 0, key);
	mix_hash(n, dst, len + WG_TAG_BYTES);
}

static bool open_and_hash(struct noise *n, const uint8_t key[WG_KEY_BYTES],
			  void *dst, const uint8_t *src, size_t len)
{
	bool ok = crypto_open(dst, src, len, n->hash, sizeof n->hash, 0, key);

	mix_hash(n, src, len);
	return ok;
}

void noise_begin(struct noise *n, const uint8_t responder[WG_KEY_BYTES],
		 const void *prologue, size_t prologue_len)
{
	memset(n, 0, sizeof *n);
	crypto_hash(n->hash, NOISE_NAME, strlen(NOISE_NAME), NULL, 0);
	memcpy(n->chaining_key, n->hash, sizeof n->chaining_key);
	mix_hash(n, prologue, prologue_len);
	mix_hash(n, responder, WG_KEY_BYTES);
}

bool noise_write_first(struct noise *n, const struct noise_keys *ours,
		       const uint8_t responder[WG_KEY_BYTES],
		       const uint8_t static_static[WG_KEY_BYTES],
		       const uint8_t ephemeral[WG_KEY_BYTES],
		       const void *payload, size_t len, uint8_t *out)
{
	uint8_t *sealed_static = out + WG_KEY_BYTES;
	uint8_t *sealed_payload = sealed_static + WG_KEY_BYTES + WG_TAG_BYTES;
	uint8_t key[WG_KEY_BYTES];
	bool ok = false;

	memcpy(n->ephemeral_private, ephemeral, WG_KEY_BYTES);
	if (!crypto_public_key(out, n->ephemeral_private))
		goto out;
	mix_ephemeral(n, out);
	if (!mix_dh(n, key, n->ephemeral_private, responder))
		goto out;
	seal_and_hash(n, key, sealed_static, ours->public_key, WG_KEY_BYTES);
	mix_key(n, key, static_static);
	seal_and_hash(n, key, sealed_payload, payload, len);
	ok = true;
out:
	crypto_wipe(key, sizeof key);
	return ok;
}

bool noise_read_first_static(struct noise *n, const struct noise_keys *ours,
			     const uint8_t *in, size_t in_len,
			     uint8_t theirs[WG_KEY_BYTES])
{
	uint8_t key[WG_KEY_BYTES];
	bool ok;

	if (in_len < NOISE_FIRST_OVERHEAD)
		return false;
	memcpy(n->ephemeral_theirs, in, WG_KEY_BYTES);
	mix_ephemeral(n, in);
	ok = mix_dh(n, key, ours->private_key, n->ephemeral_theirs) &&
	     open_and_hash(n, key, theirs, in + WG_KEY_BYTES,
			   WG_KEY_BYTES + WG_TAG_BYTES);
	crypto_wipe(key, sizeof key);
	return ok;
}

bool noise_read_first_payload(struct noise *n,
			      const uint8_t static_static[WG_KEY_BYTES],
			      const uint8_t *in, size_t in_len, void *payload)
{
	const size_t before = NOISE_FIRST_OVERHEAD - WG_TAG_BYTES;
	uint8_t key[WG_KEY_BYTES];
	bool ok;

	if (in_len < NOISE_FIRST_OVERHEAD)
		return false;
	mix_key(n, key, static_static);
	ok = open_and_hash(n, key, payload, in + before, in_len - before);
	crypto_wipe(key, sizeof key);
	return ok;
}

bool noise_write_second(struct noise *n, const uint8_t theirs[WG_KEY_BYTES],
			const uint8_t psk[WG_KEY_BYTES],
			const uint8_t ephemeral[WG_KEY_BYTES],
			const void *payload, size_t len, uint8_t *out)
{
	uint8_t key[WG_KEY_BYTES];
	bool ok = false;

	memcpy(n->ephemeral_private, ephemeral, WG_KEY_BYTES);
	if (!crypto_public_key(out, n->ephemeral_private))
		goto out;
	mix_ephemeral(n, out);
	if (!mix_dh(n, NULL, n->ephemeral_private, n->ephemeral_theirs) ||
	    !mix_dh(n, NULL, n->ephemeral_private, theirs))
		goto out;
	mix_psk(n, key, psk);
	seal_and_hash(n, key, out + WG_KEY_BYTES, payload, len);
	ok = true;
out:
	crypto_wipe(key, sizeof key);
	return ok;
}

bool noise_read_second(struct noise *n, const struct noise_keys *ours,
		       const uint8_t psk[WG_KEY_BYTES], const uint8_t *in,
		       size_t in_len, void *payload)
{
	uint8_t key[WG_KEY_BYTES];
	bool ok = false;

	if (in_len < NOISE_SECOND_OVERHEAD)
		return false;
	memcpy(n->ephemeral_theirs, in, WG_KEY_BYTES);
	mix_ephemeral(n, in);
	if (!mix_dh(n, NULL, n->ephemeral_private, n->ephemeral_theirs) ||
	    !mix_dh(n, NULL, ours->private_key, n->ephemeral_theirs))
		goto out;
	mix_psk(n, key, psk);
	ok = open_and_hash(n, key, payload, in + WG_KEY_BYTES,
			   in_len - WG_KEY_BYTES);
out:
	crypto_wipe(key, sizeof key);
	return ok;
}

void noise_split(struct noise *n, uint8_t initiator_sends[WG_KEY_BYTES],
		 uint8_t responder_sends[WG_KEY_BYTES])
{
	crypto_kdf(initiator_sends, responder_sends, NULL, n->chaining_key,
		   NULL, 0);
	crypto_wipe(n, sizeof *n);
}
