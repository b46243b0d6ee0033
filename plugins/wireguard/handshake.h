/* SPDX-License-Identifier: GPL-2.0-or-later */
/* handshake.h - WireGuard's handshake: Noise inside its two messages.
 *
 * struct identity is our own static key, one a device. struct remote is what a
 * handshake must know of a peer, embedded in it. struct handshake is one
 * attempt: a peer has one that it began or answered, and a message that came
 * in is worked on in a copy on the stack, which the caller keeps only when all
 * of it was right. None of the three owns memory; each is wiped by its _wipe.
 *
 *   initiator                          responder
 *   handshake_initiate    ---148-->    handshake_read_static (who?)
 *                                      handshake_read_timestamp (fresh?)
 *   handshake_finish      <---92---    handshake_respond
 *   handshake_derive                   handshake_derive
 *
 * The MACs at the end of both messages are cookie.h's: cookie_sign comes after
 * handshake_initiate and handshake_respond, cookie_check before the reading. */
#ifndef WIREGUARD_HANDSHAKE_H
#define WIREGUARD_HANDSHAKE_H

#include "message.h"
#include "noise.h"

#include <time.h>

/* Two initiations of one peer are consumed at least this far apart. */
#define HANDSHAKE_INITIATION_GAP_US 20000u

struct identity {
	bool set; /* false: no private key, nothing else is meant */
	struct noise_keys keys;
};

struct remote {
	uint8_t public_key[WG_KEY_BYTES];
	uint8_t psk[WG_KEY_BYTES]; /* zeros: none */
	uint8_t static_static[WG_KEY_BYTES];
	bool usable; /* static_static is that of the present identity */
	uint8_t newest[TAI64N_BYTES]; /* greatest timestamp accepted */
	uint64_t consumed_us;	      /* when an initiation was consumed last */
	bool consumed;		      /* consumed_us says something */
};

enum handshake_state {
	HANDSHAKE_NONE,
	HANDSHAKE_INITIATED, /* we sent the first message */
	HANDSHAKE_READ,	     /* we read one, and have not answered */
	HANDSHAKE_RESPONDED, /* we answered */
	HANDSHAKE_FINISHED,  /* we read the answer */
};

struct handshake {
	enum handshake_state state;
	struct noise noise;
	uint32_t local_index;  /* our number for the keypair to come */
	uint32_t remote_index; /* theirs */
};

/* What became of an initiation. */
enum handshake_verdict {
	HANDSHAKE_OK,
	HANDSHAKE_FORGED, /* not for us, not by them, or a bad point */
	HANDSHAKE_REPLAY, /* its timestamp is not greater than the newest */
	HANDSHAKE_FLOOD,  /* too soon after the one before */
};

struct transport_keys {
	uint8_t send[WG_KEY_BYTES];
	uint8_t receive[WG_KEY_BYTES];
};

/* Zeros clear the identity. The key is clamped. */
void identity_init(struct identity *me,
		   const uint8_t private_key[WG_KEY_BYTES]);
void identity_wipe(struct identity *me);

/* False, and not usable, when this key is our own, a point of low order, or
 * when we have no key. remote_rekey is for a changed identity; timestamps and
 * the pre-shared key stay. A remote that is not usable takes part in no
 * handshake; the functions below say so by false. */
bool remote_init(struct remote *r, const struct identity *me,
		 const uint8_t public_key[WG_KEY_BYTES]);
bool remote_rekey(struct remote *r, const struct identity *me);
/* Not usable until remote_rekey: the identity went. */
void remote_forget(struct remote *r);

/* Seconds since 1970 and nanoseconds as a TAI64N stamp, big endian, with the
 * low 24 bits of the nanoseconds masked so that it tells little of our
 * clock. */
void handshake_stamp(uint8_t out[TAI64N_BYTES], const struct timespec *wall);

/* Make the first message. Its MACs are left zero. */
bool handshake_initiate(struct handshake *h, const struct identity *me,
			const struct remote *them, const struct timespec *wall,
			uint32_t local_index,
			const struct crypto_random *random,
			struct message_initiation *out);

/* Begin to read one, into an *h of the caller's: on true `theirs` is the
 * public key of who may have sent it, to look the peer up by. */
bool handshake_read_static(struct handshake *h, const struct identity *me,
			   const struct message_initiation *in,
			   uint8_t theirs[WG_KEY_BYTES]);

/* Finish reading. HANDSHAKE_OK moves the remote's `newest` and `consumed_us`;
 * any other leaves the remote alone. */
enum handshake_verdict
handshake_read_timestamp(struct handshake *h, struct remote *them,
			 const struct message_initiation *in, uint64_t now_us);

/* Answer what was read. The MACs are left zero. */
bool handshake_respond(struct handshake *h, const struct remote *them,
		       uint32_t local_index, const struct crypto_random *random,
		       struct message_response *out);

/* Read the answer to our first message. False leaves *h as it was: a forged
 * answer must not spoil the handshake that the right one is to finish. */
bool handshake_finish(struct handshake *h, const struct identity *me,
		      const struct remote *them,
		      const struct message_response *in);

/* After handshake_respond or handshake_finish. Wipes the handshake but for its
 * two indices, and leaves it in HANDSHAKE_NONE. */
void handshake_derive(struct handshake *h, struct transport_keys *out);

void handshake_wipe(struct handshake *h);

#endif
