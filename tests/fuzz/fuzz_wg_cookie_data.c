/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fuzz_wg_cookie_data.c - cookie replies and data of any shape.
 *
 * The input is one datagram, behind a byte that says how it is treated: laid
 * by XOR over a right cookie reply or a right data message, or taken as it is.
 * Only what is byte for byte right may be taken, what both libraries open must
 * be the same, and no counter is taken twice. */
#include "aead.h"
#include "allowedips.h"
#include "cookie.h"
#include "replay.h"

#include <stdlib.h>

#define OVER_REPLY 0x01
#define OVER_DATA 0x02
#define PACKET_BYTES 96u
#define DATAGRAM_MOST 2048u
#define COUNTER 300u

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BACKENDS_MOST 3
static const struct aead_ops *backends[BACKENDS_MOST];
static unsigned backends_count;

static const uint8_t key[WG_KEY_BYTES] = {7}, public_key[WG_KEY_BYTES] = {9};
static struct cookie_jar jar;
static struct message_cookie_reply reply;
static uint8_t packet[MESSAGE_DATA_HEADER_BYTES + PACKET_BYTES + WG_TAG_BYTES];
static struct replay window;
static struct allowedips table;
static struct allowed_owner owner;

static void check(bool ok)
{
	if (!ok)
		abort();
}

static void fill(void *self, void *out, size_t len)
{
	(void)self;
	memset(out, 0x3c, len);
}

static const struct crypto_random source = {.fill = fill};

static void make_reply(void)
{
	struct message_initiation first = {.header.type = MESSAGE_INITIATION};
	const struct weir_addr from = {.kind = WEIR_ADDR_IP4};
	struct cookie_checker checker;
	struct message m;

	cookie_checker_init(&checker, public_key);
	cookie_jar_init(&jar, public_key);
	cookie_sign(&jar, &first, sizeof first, 0);
	message_parse((uint8_t *)&first, sizeof first, &m);
	cookie_reply(&checker, &m, &from, 0, &source, &reply);
}

static void make_packet(void)
{
	uint8_t plain[PACKET_BYTES] = {0x45, [12] = 10};
	struct aead seal;

	aead_init(&seal, backends[0], AEAD_SEAL, key);
	message_data_header((struct message_data *)packet, 5, COUNTER);
	check(aead_seal(&seal, packet + MESSAGE_DATA_HEADER_BYTES, plain,
			sizeof plain, COUNTER));
	aead_wipe(&seal);
}

static void backends_find(void)
{
	for (int i = 0; aead_all[i]; i++)
		if (aead_works(aead_all[i]))
			backends[backends_count++] = aead_all[i];
}

static void begin(void)
{
	const struct weir_cidr net = {
		.base = {.kind = WEIR_ADDR_IP4, .ip = {10}}, .bits = 8};

	check(crypto_init());
	if (!backends_count)
		backends_find();
	make_reply();
	make_packet();
	memset(&window, 0, sizeof window);
	if (!table.root4)
		check(allowedips_insert(&table, &net, &owner, NULL));
}

static void take_reply(const struct message *m)
{
	bool right = memcmp(m->cookie_reply->nonce, reply.nonce,
			    sizeof reply - offsetof(struct message_cookie_reply,
						    nonce)) == 0;

	check(cookie_accept(&jar, m->cookie_reply, 0) == right);
	check(jar.has_cookie == right);
}

/* Open by every library, elsewhere and in place, and compare. */
static bool open_all(const struct message *m, uint8_t *plain)
{
	static uint8_t other[DATAGRAM_MOST];
	size_t len = m->sealed_len - WG_TAG_BYTES;
	bool ok[BACKENDS_MOST];

	for (unsigned i = 0; i < backends_count; i++) {
		struct aead a;

		aead_init(&a, backends[i], AEAD_OPEN, key);
		memcpy(other, m->sealed, m->sealed_len);
		ok[i] = aead_open(&a, i ? other : plain, i ? other : m->sealed,
				  m->sealed_len, m->counter);
		aead_wipe(&a);
		check(ok[i] == ok[0]);
		check(i == 0 || memcmp(plain, other, len) == 0);
		check(ok[i] || crypto_is_zero(plain, len));
	}
	return ok[0];
}

static void take_data(const struct message *m)
{
	static uint8_t plain[DATAGRAM_MOST];

	if (!open_all(m, plain))
		return;
	check(m->counter == COUNTER); /* the only one that was sealed */
	check(replay_accept(&window, m->counter));
	check(!replay_accept(&window, m->counter));
	check(allowedips_source(&table, plain, m->sealed_len - WG_TAG_BYTES) ==
	      &owner);
}

static size_t lay_over(uint8_t *datagram, const void *right, size_t right_len,
		       const uint8_t *data, size_t len)
{
	memcpy(datagram, right, right_len);
	for (size_t i = 0; i < len && i < right_len; i++)
		datagram[i] ^= data[i];
	return right_len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	uint8_t datagram[DATAGRAM_MOST] = {0};
	size_t len = size - 1;
	struct message m;

	if (size == 0 || size > sizeof datagram)
		return 0;
	begin();
	if (data[0] & OVER_REPLY)
		len = lay_over(datagram, &reply, sizeof reply, data + 1, len);
	else if (data[0] & OVER_DATA)
		len = lay_over(datagram, packet, sizeof packet, data + 1, len);
	else
		memcpy(datagram, data + 1, len);
	switch (message_parse(datagram, len, &m)) {
	case MESSAGE_COOKIE_REPLY:
		take_reply(&m);
		break;
	case MESSAGE_DATA:
		take_data(&m);
		allowedips_target(&table, m.sealed, m.sealed_len);
		replay_accept(&window, m.counter);
		break;
	default:
		break;
	}
	return 0;
}
