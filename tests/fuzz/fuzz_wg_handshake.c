/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_wg_handshake.c - initiations and responses of any shape into a
 * WireGuard responder and an initiator.
 *
 * The first byte says what happens to the rest: a fuzzer would guess neither a
 * MAC nor a tag, so a message can be laid over a right one, and its mac1 made
 * right again. Whatever comes, the right messages must still bring both sides
 * to the same keys. */
#include "cookie.h"
#include "handshake.h"

#include <stdlib.h>

#define OVER_RIGHT 0x01 /* lay the bytes over a right message, by XOR */
#define FIX_MAC 0x02
#define AS_RESPONSE 0x04
#define WITH_COOKIE 0x08
#define DATAGRAM_MOST 2048u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct side {
	struct identity me;
	struct remote them;
	struct handshake handshake;
	struct cookie_jar jar;
};

static struct side a, b; /* a initiates */
static struct cookie_checker checkers[2];
static struct message_initiation first;
static struct message_response second;
static struct weir_addr from = {.kind = WEIR_ADDR_IP4, .ip = {192, 0, 2, 1}};
static uint64_t random_state;

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void fill(void *self, void *out, size_t len)
{
	(void)self;
	for (size_t i = 0; i < len; i++) {
		random_state = random_state * 6364136223846793005u + 1;
		((uint8_t *)out)[i] = (uint8_t)(random_state >> 56);
	}
}

static const struct crypto_random source = {.fill = fill};

static void side_init(struct side *s, uint8_t key)
{
	uint8_t private_key[WG_KEY_BYTES];

	memset(s, 0, sizeof *s);
	memset(private_key, key, sizeof private_key);
	identity_init(&s->me, private_key);
}

static void meet(struct side *s, const struct side *other)
{
	check(remote_init(&s->them, &s->me, other->me.keys.public_key));
	cookie_jar_init(&s->jar, s->them.public_key);
}

/* Both messages, as they should be, and both sides as they are before the
 * first arrives. */
static void make_all(void)
{
	const struct timespec wall = {.tv_sec = 1700000000};
	uint8_t who[WG_KEY_BYTES];

	check(crypto_init());
	side_init(&a, 1);
	side_init(&b, 2);
	meet(&a, &b);
	meet(&b, &a);
	cookie_checker_init(&checkers[0], b.me.keys.public_key);
	cookie_checker_init(&checkers[1], a.me.keys.public_key);
	check(handshake_initiate(&a.handshake, &a.me, &a.them, &wall, 11,
				 &source, &first));
	cookie_sign(&a.jar, &first, sizeof first, 0);
	check(handshake_read_static(&b.handshake, &b.me, &first, who));
	check(handshake_read_timestamp(&b.handshake, &b.them, &first, 0) ==
	      HANDSHAKE_OK);
	check(handshake_respond(&b.handshake, &b.them, 22, &source, &second));
	cookie_sign(&b.jar, &second, sizeof second, 0);
	memset(b.them.newest, 0, sizeof b.them.newest);
	b.them.consumed = false;
}

/* They are made once: a dozen X25519 are slow. */
static void begin(void)
{
	static struct side a_made, b_made;
	static struct cookie_checker checkers_made[2];
	static bool made;

	if (!made) {
		make_all();
		a_made = a;
		b_made = b;
		memcpy(checkers_made, checkers, sizeof checkers);
		made = true;
	}
	a = a_made;
	b = b_made;
	memcpy(checkers, checkers_made, sizeof checkers);
	random_state = 1;
}

/* What a receiver does with a datagram up to the handshake: is it worth one?
 * Where it has no cookie it is sent one, which must be taken by who asked. */
static bool receive(uint8_t *datagram, size_t len, uint8_t how,
		    struct message *m)
{
	bool response = how & AS_RESPONSE;
	struct message_cookie_reply reply;
	struct cookie_jar *jar = response ? &b.jar : &a.jar;

	if (message_parse(datagram, len, m) !=
	    (response ? MESSAGE_RESPONSE : MESSAGE_INITIATION))
		return false;
	if (how & FIX_MAC)
		cookie_sign(jar, datagram, len, 0);
	if (cookie_check(&checkers[response], m, &from, 0) == COOKIE_FORGED)
		return false;
	if (how & WITH_COOKIE) {
		cookie_reply(&checkers[response], m, &from, 0, &source, &reply);
		check(!(how & FIX_MAC) || cookie_accept(jar, &reply, 0));
		cookie_sign(jar, datagram, len, 0);
		check(cookie_check(&checkers[response], m, &from, 0) ==
			      COOKIE_PROVEN ||
		      !jar->has_cookie);
	}
	return true;
}

static void consume(const struct message *m)
{
	struct handshake h = {.state = HANDSHAKE_NONE};
	struct message_response response;
	struct transport_keys keys;
	uint8_t who[WG_KEY_BYTES];

	if (m->type == MESSAGE_RESPONSE) {
		h = a.handshake;
		if (handshake_finish(&h, &a.me, &a.them, m->response))
			handshake_derive(&h, &keys);
		return;
	}
	if (!handshake_read_static(&h, &b.me, m->initiation, who) ||
	    handshake_read_timestamp(&h, &b.them, m->initiation, 1) !=
		    HANDSHAKE_OK)
		return;
	check(memcmp(who, a.me.keys.public_key, sizeof who) == 0);
	check(handshake_respond(&h, &b.them, 33, &source, &response));
	handshake_derive(&h, &keys);
}

/* The handshake that was under way ends as if nothing had happened. */
static void finish(void)
{
	struct transport_keys ours, theirs;

	check(handshake_finish(&a.handshake, &a.me, &a.them, &second));
	handshake_derive(&a.handshake, &ours);
	handshake_derive(&b.handshake, &theirs);
	check(memcmp(ours.send, theirs.receive, sizeof ours.send) == 0);
	check(memcmp(ours.receive, theirs.send, sizeof ours.send) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t datagram[DATAGRAM_MOST] = {0};
	uint8_t how = size > 0 ? data[0] : 0;
	size_t len;
	struct message m;

	if (size == 0 || size > sizeof datagram)
		return 0;
	begin();
	len = size - 1;
	if (how & OVER_RIGHT) {
		len = how & AS_RESPONSE ? sizeof second : sizeof first;
		memcpy(datagram,
		       how & AS_RESPONSE ? (void *)&second : (void *)&first,
		       len);
		for (size_t i = 0; i + 1 < size && i < len; i++)
			datagram[i] ^= data[i + 1];
	} else {
		memcpy(datagram, data + 1, len);
	}
	if (receive(datagram, len, how, &m))
		consume(&m);
	finish();
	return 0;
}
