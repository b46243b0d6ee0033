/* SPDX-License-Identifier: GPL-2.0-or-later */
/* noise.h - Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s (the Noise Protocol
 * Framework, revision 34), with prologue and payloads as parameters. It knows
 * nothing of WireGuard; handshake.h puts its messages into WireGuard's.
 *
 *   <- s
 *   ...
 *   -> e, es, s, ss      32 + 48 + payload + 16 bytes
 *   <- e, ee, se, psk    32 + payload + 16 bytes
 *
 * A function that says false has met a forgery, a point of low order or a
 * message for somebody else; the state is of no more use then. The owner of a
 * struct noise wipes it when it is done or given up. */
#ifndef WIREGUARD_NOISE_H
#define WIREGUARD_NOISE_H

#include "crypto.h"

#define NOISE_FIRST_OVERHEAD (WG_KEY_BYTES * 2 + WG_TAG_BYTES * 2)
#define NOISE_SECOND_OVERHEAD (WG_KEY_BYTES + WG_TAG_BYTES)

struct noise {
	uint8_t hash[WG_HASH_BYTES];
	uint8_t chaining_key[WG_HASH_BYTES];
	uint8_t ephemeral_private[WG_KEY_BYTES]; /* ours */
	uint8_t ephemeral_theirs[WG_KEY_BYTES];
};

/* Our static keys. */
struct noise_keys {
	uint8_t private_key[WG_KEY_BYTES];
	uint8_t public_key[WG_KEY_BYTES];
};

/* Both sides begin with the responder's static public key. */
void noise_begin(struct noise *n, const uint8_t responder[WG_KEY_BYTES],
		 const void *prologue, size_t prologue_len);

/* The initiator. `static_static` is the DH of both static keys, which never
 * changes; the ephemeral private key is given, so that tests can name it.
 * `out` has room for the overhead and the payload. */
bool noise_write_first(struct noise *n, const struct noise_keys *ours,
		       const uint8_t responder[WG_KEY_BYTES],
		       const uint8_t static_static[WG_KEY_BYTES],
		       const uint8_t ephemeral[WG_KEY_BYTES],
		       const void *payload, size_t len, uint8_t *out);
bool noise_read_second(struct noise *n, const struct noise_keys *ours,
		       const uint8_t psk[WG_KEY_BYTES], const uint8_t *in,
		       size_t in_len, void *payload);

/* The responder reads in two steps: who it is, which costs a DH, and then,
 * with what is known of that peer, the payload. */
bool noise_read_first_static(struct noise *n, const struct noise_keys *ours,
			     const uint8_t *in, size_t in_len,
			     uint8_t theirs[WG_KEY_BYTES]);
bool noise_read_first_payload(struct noise *n,
			      const uint8_t static_static[WG_KEY_BYTES],
			      const uint8_t *in, size_t in_len, void *payload);
bool noise_write_second(struct noise *n, const uint8_t theirs[WG_KEY_BYTES],
			const uint8_t psk[WG_KEY_BYTES],
			const uint8_t ephemeral[WG_KEY_BYTES],
			const void *payload, size_t len, uint8_t *out);

/* The transport keys: what the initiator sends with, what it receives with.
 * The state is wiped. */
void noise_split(struct noise *n, uint8_t initiator_sends[WG_KEY_BYTES],
		 uint8_t responder_sends[WG_KEY_BYTES]);

#endif
