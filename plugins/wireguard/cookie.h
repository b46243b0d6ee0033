/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cookie.h - the two MACs of a handshake message.
 *
 * mac1 shows that the sender knows the receiver's public key. mac2 shows that
 * it receives at the address it sends from: its key is a cookie, a MAC over
 * that address under a secret of the receiver's that changes every two
 * minutes. Whether a mac2 is asked for (the load) is the device's decision.
 *
 * struct cookie_checker is the receiver's side, one a device; struct
 * cookie_jar the sender's, one a peer. Neither owns memory. */
#ifndef WIREGUARD_COOKIE_H
#define WIREGUARD_COOKIE_H

#include "message.h"

#include <weir/base.h>

#define COOKIE_LIFE_US 120000000u /* of a secret, and of a cookie */

struct cookie_checker {
	uint8_t mac1_key[WG_HASH_BYTES];
	uint8_t cookie_key[WG_HASH_BYTES];
	uint8_t secret[WG_HASH_BYTES];
	uint64_t secret_us; /* when it was made */
	bool has_secret;
};

enum cookie_verdict {
	COOKIE_FORGED,	 /* mac1 is wrong: drop without a reply */
	COOKIE_UNPROVEN, /* mac1 is right, mac2 is not */
	COOKIE_PROVEN,	 /* both are right: it receives where it sends from */
};

/* For our own public key; again when it changes. */
void cookie_checker_init(struct cookie_checker *c,
			 const uint8_t our_public[WG_KEY_BYTES]);
void cookie_checker_wipe(struct cookie_checker *c);

/* Check an initiation or response that has passed message_parse and came from
 * the endpoint `from` (an address, never a name). */
enum cookie_verdict cookie_check(const struct cookie_checker *c,
				 const struct message *m,
				 const struct weir_addr *from, uint64_t now_us);

/* Is there anything in the place of the second MAC? */
bool cookie_is_shown(const struct message *m);

/* Make the reply to such a message, sealed so that only who saw it can read
 * the cookie. */
void cookie_reply(struct cookie_checker *c, const struct message *m,
		  const struct weir_addr *from, uint64_t now_us,
		  const struct crypto_random *random,
		  struct message_cookie_reply *out);

struct cookie_jar {
	uint8_t mac1_key[WG_HASH_BYTES];
	uint8_t cookie_key[WG_HASH_BYTES];
	uint8_t cookie[WG_MAC_BYTES];
	uint64_t cookie_us; /* when it came */
	uint8_t sent_mac1[WG_MAC_BYTES];
	bool has_cookie;
	bool awaits; /* a message with sent_mac1 is out and has no reply yet */
};

/* For a peer's public key. */
void cookie_jar_init(struct cookie_jar *j,
		     const uint8_t their_public[WG_KEY_BYTES]);

/* Fill in both MACs of a message of `len` bytes; mac2 is zero without a fresh
 * cookie. */
void cookie_sign(struct cookie_jar *j, void *message, size_t len,
		 uint64_t now_us);

/* Take a reply. False when it answers nothing that we sent. A cookie proves
 * the address only: nothing else of the peer may change by it. */
bool cookie_accept(struct cookie_jar *j, const struct message_cookie_reply *in,
		   uint64_t now_us);

#endif
