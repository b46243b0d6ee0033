/* SPDX-License-Identifier: GPL-2.0-or-later */
/* message.h - what is on the wire, and the one gate by which it comes in.
 *
 * The structs are bytes only, so they have no padding and may lie anywhere.
 * Numbers in them are little endian. Nothing behind message_parse looks at a
 * length again. */
#ifndef WIREGUARD_MESSAGE_H
#define WIREGUARD_MESSAGE_H

#include "crypto.h"

#include <endian.h>
#include <string.h>

enum message_type {
	MESSAGE_NONE = 0, /* nothing of WireGuard's */
	MESSAGE_INITIATION = 1,
	MESSAGE_RESPONSE = 2,
	MESSAGE_COOKIE_REPLY = 3,
	MESSAGE_DATA = 4,
};

#define TAI64N_BYTES 12u
#define MESSAGE_RESERVED_BYTES 3u
#define MESSAGE_INITIATION_BYTES 148u
#define MESSAGE_RESPONSE_BYTES 92u
#define MESSAGE_COOKIE_REPLY_BYTES 64u
#define MESSAGE_DATA_HEADER_BYTES 16u
#define MESSAGE_DATA_LEAST_BYTES 32u /* header and tag: a keepalive */

struct message_header {
	uint8_t type;
	uint8_t reserved[MESSAGE_RESERVED_BYTES];
};

/* The last two fields of both handshake messages. mac1 covers all before it,
 * mac2 all before it, mac1 included. */
struct message_macs {
	uint8_t mac1[WG_MAC_BYTES];
	uint8_t mac2[WG_MAC_BYTES];
};

struct message_initiation {
	struct message_header header;
	uint8_t sender[4];
	/* Noise's first message, in one piece. */
	union {
		uint8_t noise[2 * (WG_KEY_BYTES + WG_TAG_BYTES) + TAI64N_BYTES];
		struct {
			uint8_t ephemeral[WG_KEY_BYTES];
			uint8_t sealed_static[WG_KEY_BYTES + WG_TAG_BYTES];
			uint8_t sealed_timestamp[TAI64N_BYTES + WG_TAG_BYTES];
		};
	};
	struct message_macs macs;
};

struct message_response {
	struct message_header header;
	uint8_t sender[4];
	uint8_t receiver[4];
	/* Noise's second message. */
	union {
		uint8_t noise[WG_KEY_BYTES + WG_TAG_BYTES];
		struct {
			uint8_t ephemeral[WG_KEY_BYTES];
			uint8_t sealed_nothing[WG_TAG_BYTES];
		};
	};
	struct message_macs macs;
};

struct message_cookie_reply {
	struct message_header header;
	uint8_t receiver[4];
	uint8_t nonce[WG_COOKIE_NONCE_BYTES];
	uint8_t sealed_cookie[WG_MAC_BYTES + WG_TAG_BYTES];
};

struct message_data {
	struct message_header header;
	uint8_t receiver[4];
	uint8_t counter[8];
	/* The sealed packet follows. */
};

_Static_assert(sizeof(struct message_initiation) == MESSAGE_INITIATION_BYTES,
	       "the first message has its size on the wire");
_Static_assert(sizeof(struct message_response) == MESSAGE_RESPONSE_BYTES,
	       "the second message has its size on the wire");
_Static_assert(sizeof(struct message_cookie_reply) ==
		       MESSAGE_COOKIE_REPLY_BYTES,
	       "a cookie reply has its size on the wire");
_Static_assert(sizeof(struct message_data) == MESSAGE_DATA_HEADER_BYTES,
	       "a data header has its size on the wire");

/* A message that has passed the gate. It points into the datagram. */
struct message {
	enum message_type type;
	uint32_t reserved; /* bytes 1 to 3 as they came; see below */
	uint32_t sender;   /* initiation, response */
	uint32_t receiver; /* all but the initiation */
	uint64_t counter;  /* data */
	union {		   /* the whole datagram, by its type */
		uint8_t *bytes;
		struct message_initiation *initiation;
		struct message_response *response;
		struct message_cookie_reply *cookie_reply;
		struct message_data *data;
	};
	size_t len;	     /* of the datagram */
	uint8_t *sealed;     /* data: what follows the header, */
	uint32_t sealed_len; /* 16 bytes at least */
};

/* Check type and length of a datagram of `len` bytes and fill in *m. Bytes 1
 * to 3 are moved out into m->reserved and zeroed in the datagram, because both
 * MACs are made with zeros: whoever expects none drops a message in which
 * m->reserved is not 0. */
enum message_type message_parse(uint8_t *datagram, size_t len,
				struct message *m);

/* Three bytes as message.reserved has them. */
static inline uint32_t message_reserved_pack(const uint8_t r[3])
{
	return (uint32_t)r[0] | (uint32_t)r[1] << 8 | (uint32_t)r[2] << 16;
}

/* Last of all, on a message whose MACs are made: bytes 1 to 3. */
static inline void message_set_reserved(void *message, uint32_t reserved)
{
	uint8_t *bytes = message;

	bytes[1] = (uint8_t)reserved;
	bytes[2] = (uint8_t)(reserved >> 8);
	bytes[3] = (uint8_t)(reserved >> 16);
}

static inline void message_put32(uint8_t to[4], uint32_t value)
{
	value = htole32(value);
	memcpy(to, &value, sizeof value);
}

static inline uint32_t message_get32(const uint8_t from[4])
{
	uint32_t value;

	memcpy(&value, from, sizeof value);
	return le32toh(value);
}

static inline void message_put64(uint8_t to[8], uint64_t value)
{
	value = htole64(value);
	memcpy(to, &value, sizeof value);
}

static inline uint64_t message_get64(const uint8_t from[8])
{
	uint64_t value;

	memcpy(&value, from, sizeof value);
	return le64toh(value);
}

/* The 16 bytes before a sealed packet. */
static inline void message_data_header(struct message_data *d,
				       uint32_t receiver, uint64_t counter)
{
	d->header = (struct message_header){.type = MESSAGE_DATA};
	message_put32(d->receiver, receiver);
	message_put64(d->counter, counter);
}

#endif
