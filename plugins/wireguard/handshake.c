/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handshake.c - WireGuard's choices of what Noise leaves open: the prologue,
 * a timestamp as the first payload and nothing as the second, and where in a
 * message Noise's bytes lie.
 *
 * The DH of both static keys is the same in every handshake of a pair, so it is
 * computed when a key is set; a peer for whom it is zero can have none. */
#include "handshake.h"

#include <stdlib.h>

#define PROLOGUE "WireGuard v1 zx2c4 Jason@zx2c4.com"

#define FIRST_BYTES sizeof((struct message_initiation *)NULL)->noise
#define SECOND_BYTES sizeof((struct message_response *)NULL)->noise

_Static_assert(FIRST_BYTES == NOISE_FIRST_OVERHEAD + TAI64N_BYTES,
	       "an initiation is Noise's first message with a timestamp");
_Static_assert(SECOND_BYTES == NOISE_SECOND_OVERHEAD,
	       "a response is Noise's second message without a payload");

#define TAI64_BASE 0x400000000000000aull /* of 1970, 10 leap seconds */
#define TAI64N_NS_MASK (~0xffffffu)

void identity_init(struct identity *me, const uint8_t private_key[WG_KEY_BYTES])
{
	*me = (struct identity){
		.set = !crypto_is_zero(private_key, WG_KEY_BYTES)};
	if (!me->set)
		return;
	memcpy(me->keys.private_key, private_key, WG_KEY_BYTES);
	crypto_clamp(me->keys.private_key);
	if (!crypto_public_key(me->keys.public_key, me->keys.private_key))
		abort(); /* a clamped scalar times the base point is not 0 */
}

void identity_wipe(struct identity *me)
{
	crypto_wipe(me, sizeof *me);
}

void remote_forget(struct remote *r)
{
	crypto_wipe(r->static_static, sizeof r->static_static);
	r->usable = false;
}

bool remote_rekey(struct remote *r, const struct identity *me)
{
	remote_forget(r);
	r->usable = me->set &&
		    !crypto_equal(r->public_key, me->keys.public_key,
				  WG_KEY_BYTES) &&
		    crypto_dh(r->static_static, me->keys.private_key,
			      r->public_key);
	return r->usable;
}

bool remote_init(struct remote *r, const struct identity *me,
		 const uint8_t public_key[WG_KEY_BYTES])
{
	*r = (struct remote){.usable = false};
	memcpy(r->public_key, public_key, WG_KEY_BYTES);
	return remote_rekey(r, me);
}

void handshake_stamp(uint8_t out[TAI64N_BYTES], const struct timespec *wall)
{
	uint64_t seconds = htobe64(TAI64_BASE + (uint64_t)wall->tv_sec);
	uint32_t ns = htobe32((uint32_t)wall->tv_nsec & TAI64N_NS_MASK);

	memcpy(out, &seconds, sizeof seconds);
	memcpy(out + sizeof seconds, &ns, sizeof ns);
}

bool handshake_initiate(struct handshake *h, const struct identity *me,
			const struct remote *them, const struct timespec *wall,
			uint32_t local_index,
			const struct crypto_random *random,
			struct message_initiation *out)
{
	uint8_t ephemeral[WG_KEY_BYTES], stamp[TAI64N_BYTES];
	bool ok;

	handshake_wipe(h);
	if (!me->set || !them->usable)
		return false;
	*out = (struct message_initiation){.header.type = MESSAGE_INITIATION};
	message_put32(out->sender, local_index);
	crypto_random_fill(random, ephemeral, sizeof ephemeral);
	handshake_stamp(stamp, wall);
	noise_begin(&h->noise, them->public_key, PROLOGUE, strlen(PROLOGUE));
	ok = noise_write_first(&h->noise, &me->keys, them->public_key,
			       them->static_static, ephemeral, stamp,
			       sizeof stamp, out->noise);
	crypto_wipe(ephemeral, sizeof ephemeral);
	if (!ok) {
		handshake_wipe(h);
		return false;
	}
	h->state = HANDSHAKE_INITIATED;
	h->local_index = local_index;
	return true;
}

bool handshake_read_static(struct handshake *h, const struct identity *me,
			   const struct message_initiation *in,
			   uint8_t theirs[WG_KEY_BYTES])
{
	handshake_wipe(h);
	if (!me->set)
		return false;
	h->remote_index = message_get32(in->sender);
	noise_begin(&h->noise, me->keys.public_key, PROLOGUE, strlen(PROLOGUE));
	if (noise_read_first_static(&h->noise, &me->keys, in->noise,
				    FIRST_BYTES, theirs))
		return true;
	handshake_wipe(h);
	return false;
}

static enum handshake_verdict judge(const struct remote *them,
				    const uint8_t stamp[TAI64N_BYTES],
				    uint64_t now_us)
{
	if (memcmp(stamp, them->newest, TAI64N_BYTES) <= 0)
		return HANDSHAKE_REPLAY;
	if (them->consumed &&
	    now_us - them->consumed_us < HANDSHAKE_INITIATION_GAP_US)
		return HANDSHAKE_FLOOD;
	return HANDSHAKE_OK;
}

enum handshake_verdict
handshake_read_timestamp(struct handshake *h, struct remote *them,
			 const struct message_initiation *in, uint64_t now_us)
{
	enum handshake_verdict verdict = HANDSHAKE_FORGED;
	uint8_t stamp[TAI64N_BYTES];

	if (them->usable &&
	    noise_read_first_payload(&h->noise, them->static_static, in->noise,
				     FIRST_BYTES, stamp))
		verdict = judge(them, stamp, now_us);
	if (verdict != HANDSHAKE_OK) {
		handshake_wipe(h);
		return verdict;
	}
	memcpy(them->newest, stamp, sizeof stamp);
	them->consumed_us = now_us;
	them->consumed = true;
	h->state = HANDSHAKE_READ;
	return HANDSHAKE_OK;
}

bool handshake_respond(struct handshake *h, const struct remote *them,
		       uint32_t local_index, const struct crypto_random *random,
		       struct message_response *out)
{
	uint8_t ephemeral[WG_KEY_BYTES];
	bool ok;

	if (h->state != HANDSHAKE_READ)
		return false;
	*out = (struct message_response){.header.type = MESSAGE_RESPONSE};
	message_put32(out->sender, local_index);
	message_put32(out->receiver, h->remote_index);
	crypto_random_fill(random, ephemeral, sizeof ephemeral);
	ok = noise_write_second(&h->noise, them->public_key, them->psk,
				ephemeral, NULL, 0, out->noise);
	crypto_wipe(ephemeral, sizeof ephemeral);
	if (!ok) {
		handshake_wipe(h);
		return false;
	}
	h->state = HANDSHAKE_RESPONDED;
	h->local_index = local_index;
	return true;
}

bool handshake_finish(struct handshake *h, const struct identity *me,
		      const struct remote *them,
		      const struct message_response *in)
{
	struct noise tried = h->noise;
	uint8_t nothing[1];
	bool ok;

	ok = h->state == HANDSHAKE_INITIATED && me->set && them->usable &&
	     message_get32(in->receiver) == h->local_index &&
	     noise_read_second(&tried, &me->keys, them->psk, in->noise,
			       SECOND_BYTES, nothing);
	if (ok) {
		h->noise = tried;
		h->state = HANDSHAKE_FINISHED;
		h->remote_index = message_get32(in->sender);
	}
	crypto_wipe(&tried, sizeof tried);
	return ok;
}

void handshake_derive(struct handshake *h, struct transport_keys *out)
{
	if (h->state == HANDSHAKE_FINISHED)
		noise_split(&h->noise, out->send, out->receive);
	else if (h->state == HANDSHAKE_RESPONDED)
		noise_split(&h->noise, out->receive, out->send);
	else
		abort(); /* there are no keys yet */
	h->state = HANDSHAKE_NONE;
}

void handshake_wipe(struct handshake *h)
{
	crypto_wipe(h, sizeof *h);
}
