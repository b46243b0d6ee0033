/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cookie.c - whoever gives a cookie does not store it, but computes it again
 * from the secret and the endpoint of each message. A reply is sealed to the
 * mac1 of the message it answers, so only who saw that message can read it, and
 * one reply fits one message. */
#include "cookie.h"

#define LABEL_BYTES 8u
#define LABEL_MAC1 "mac1----"
#define LABEL_COOKIE "cookie--"
#define PORT_BYTES 2u
#define IP_MOST_BYTES 16u

_Static_assert(sizeof LABEL_MAC1 - 1 == LABEL_BYTES &&
		       sizeof LABEL_COOKIE - 1 == LABEL_BYTES,
	       "the labels are eight bytes");

/* The MACs at the end of a handshake message of `len` bytes. */
static struct message_macs *macs_of(void *message, size_t len)
{
	return (void *)((uint8_t *)message + len - sizeof(struct message_macs));
}

static bool fresh(bool has, uint64_t since_us, uint64_t now_us)
{
	return has && now_us - since_us < COOKIE_LIFE_US;
}

static void keys_of(uint8_t mac1_key[WG_HASH_BYTES],
		    uint8_t cookie_key[WG_HASH_BYTES],
		    const uint8_t public_key[WG_KEY_BYTES])
{
	crypto_hash(mac1_key, LABEL_MAC1, LABEL_BYTES, public_key,
		    WG_KEY_BYTES);
	crypto_hash(cookie_key, LABEL_COOKIE, LABEL_BYTES, public_key,
		    WG_KEY_BYTES);
}

void cookie_checker_init(struct cookie_checker *c,
			 const uint8_t our_public[WG_KEY_BYTES])
{
	*c = (struct cookie_checker){.has_secret = false};
	keys_of(c->mac1_key, c->cookie_key, our_public);
}

void cookie_checker_wipe(struct cookie_checker *c)
{
	crypto_wipe(c, sizeof *c);
}

/* What we would give to this endpoint now. */
static void cookie_for(const struct cookie_checker *c,
		       const struct weir_addr *from,
		       uint8_t cookie[WG_MAC_BYTES])
{
	uint8_t endpoint[IP_MOST_BYTES + PORT_BYTES];
	size_t len = from->kind == WEIR_ADDR_IP4 ? 4 : IP_MOST_BYTES;

	memcpy(endpoint, from->ip, len);
	endpoint[len++] = (uint8_t)(from->port >> 8);
	endpoint[len++] = (uint8_t)from->port;
	crypto_mac(cookie, c->secret, sizeof c->secret, endpoint, len);
}

bool cookie_is_shown(const struct message *m)
{
	const struct message_macs *macs = macs_of(m->bytes, m->len);

	return !crypto_is_zero(macs->mac2, sizeof macs->mac2);
}

enum cookie_verdict cookie_check(const struct cookie_checker *c,
				 const struct message *m,
				 const struct weir_addr *from, uint64_t now_us)
{
	const struct message_macs *macs = macs_of(m->bytes, m->len);
	size_t before_mac2 = m->len - WG_MAC_BYTES;
	uint8_t mac[WG_MAC_BYTES], cookie[WG_MAC_BYTES];

	crypto_mac(mac, c->mac1_key, sizeof c->mac1_key, m->bytes,
		   m->len - sizeof *macs);
	if (!crypto_equal(mac, macs->mac1, sizeof mac))
		return COOKIE_FORGED;
	/* Most floods do not even try; two MACs for each would be too many. */
	if (!cookie_is_shown(m) || !fresh(c->has_secret, c->secret_us, now_us))
		return COOKIE_UNPROVEN;
	cookie_for(c, from, cookie);
	crypto_mac(mac, cookie, sizeof cookie, m->bytes, before_mac2);
	crypto_wipe(cookie, sizeof cookie);
	return crypto_equal(mac, macs->mac2, sizeof mac) ? COOKIE_PROVEN
							 : COOKIE_UNPROVEN;
}

void cookie_reply(struct cookie_checker *c, const struct message *m,
		  const struct weir_addr *from, uint64_t now_us,
		  const struct crypto_random *random,
		  struct message_cookie_reply *out)
{
	const struct message_macs *macs = macs_of(m->bytes, m->len);
	uint8_t cookie[WG_MAC_BYTES];

	if (!fresh(c->has_secret, c->secret_us, now_us)) {
		crypto_random_fill(random, c->secret, sizeof c->secret);
		c->secret_us = now_us;
		c->has_secret = true;
	}
	*out = (struct message_cookie_reply){.header.type =
						     MESSAGE_COOKIE_REPLY};
	message_put32(out->receiver, m->sender);
	crypto_random_fill(random, out->nonce, sizeof out->nonce);
	cookie_for(c, from, cookie);
	crypto_xseal(out->sealed_cookie, cookie, sizeof cookie, macs->mac1,
		     sizeof macs->mac1, out->nonce, c->cookie_key);
	crypto_wipe(cookie, sizeof cookie);
}

void cookie_jar_init(struct cookie_jar *j,
		     const uint8_t their_public[WG_KEY_BYTES])
{
	*j = (struct cookie_jar){.has_cookie = false};
	keys_of(j->mac1_key, j->cookie_key, their_public);
}

void cookie_sign(struct cookie_jar *j, void *message, size_t len,
		 uint64_t now_us)
{
	struct message_macs *macs = macs_of(message, len);

	crypto_mac(macs->mac1, j->mac1_key, sizeof j->mac1_key, message,
		   len - sizeof *macs);
	memcpy(j->sent_mac1, macs->mac1, sizeof j->sent_mac1);
	j->awaits = true;
	if (fresh(j->has_cookie, j->cookie_us, now_us))
		crypto_mac(macs->mac2, j->cookie, sizeof j->cookie, message,
			   len - sizeof macs->mac2);
	else
		memset(macs->mac2, 0, sizeof macs->mac2);
}

bool cookie_accept(struct cookie_jar *j, const struct message_cookie_reply *in,
		   uint64_t now_us)
{
	uint8_t cookie[WG_MAC_BYTES];

	if (!j->awaits ||
	    !crypto_xopen(cookie, in->sealed_cookie, sizeof in->sealed_cookie,
			  j->sent_mac1, sizeof j->sent_mac1, in->nonce,
			  j->cookie_key))
		return false;
	memcpy(j->cookie, cookie, sizeof cookie);
	crypto_wipe(cookie, sizeof cookie);
	j->cookie_us = now_us;
	j->has_cookie = true;
	j->awaits = false;
	return true;
}
