/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Noise by itself: the public vector of the pattern that WireGuard uses. */
#include "wg.h"

#include "aead.h"
#include "noise.h"

/* Noise_IKpsk2_25519_ChaChaPoly_BLAKE2s, of cacophony's vectors. */
static const char prologue[] = "John Galt";
static const char psk_text[] = "This is my Austrian perspective!";
static const char *const initiator_static =
	"e61ef9919cde45dd5f82166404bd08e38bceb5dfdfded0a34c8df7ed542214d1";
static const char *const initiator_ephemeral =
	"893e28b9dc6ca8d611ab664754b8ceb7bac5117349a4439a6b0569da977c464a";
static const char *const responder_static =
	"4a3acbfdb163dec651dfa3194dece676d437029c62a408b4c5ea9114246e4893";
static const char *const responder_public =
	"31e0303fd6418d2f8c0e78b91f22e8caed0fbe48656dcf4767e4834f701b8f62";
static const char *const responder_ephemeral =
	"bbdb4cdbd309f1a1f2e1456967fe288cadd6f712d65dc7b7793d5e63da6b375b";
static const char *const first_hex =
	"ca35def5ae56cec33dc2036731ab14896bc4c75dbb07a61f879f8e3afa4c7944"
	"001e21de9f98ddd8e2ad57527207feb56253c9c94a9e496782ecfcb2a75fbcaf"
	"1b52948cc48daefe660c62119ab5000980c84831215f2441eba616548e832985"
	"464cf17e51ee93109008399a21f7e13f";
static const char *const second_hex =
	"95ebc60d2b1fa672c1f46a8aa265ef51bfe38e7ccb39ec5be34069f144808843"
	"cb765f2caef0751b8f007572dab0322217755c0632f365717edbf34d33e87a";
static const char *const first_text = "Ludwig von Mises";
static const char *const second_text = "Murray Rothbard";

/* What follows the handshake: from the initiator, then by turns. */
static const struct {
	const char *text, *sealed;
} transport[] = {
	{"F. A. Hayek",
	 "8153ca9833bc3c1b91a7e66e5f4d4f5b59bf9e64c2f20d15f0bba7"},
	{"Carl Menger",
	 "07af0c9c86e1b4e80f36b04ff7688d51141af3debd0332f0a705ef"},
	{"Jean-Baptiste Say",
	 "6ab1467c0448cc78394494abaaf23afce0e234315d6e2624dcbfa8a21c1c4d073d"},
	{"Eugen B\xf6hm von Bawerk",
	 "dfc346c0d2296ae6cf1acf6f12b8456a1dba228cf8d8b774aacf1c47fc53aa80"
	 "ebc7a4c292"},
};

struct side {
	struct noise noise;
	struct noise_keys keys;
	uint8_t ephemeral[32], static_static[32], psk[32];
	uint8_t initiator_sends[32], responder_sends[32];
};

static struct side initiator, responder;
static uint8_t first[512], second[512];
static size_t first_len, second_len;

static void side_init(struct side *s, const char *static_hex,
		      const char *ephemeral_hex)
{
	from_hex(s->keys.private_key, static_hex);
	ck_assert(crypto_public_key(s->keys.public_key, s->keys.private_key));
	from_hex(s->ephemeral, ephemeral_hex);
	memcpy(s->psk, psk_text, sizeof s->psk);
}

static void begin(void)
{
	side_init(&initiator, initiator_static, initiator_ephemeral);
	side_init(&responder, responder_static, responder_ephemeral);
	ck_assert(is_hex(responder.keys.public_key, responder_public));
	ck_assert(crypto_dh(initiator.static_static, initiator.keys.private_key,
			    responder.keys.public_key));
	ck_assert(crypto_dh(responder.static_static, responder.keys.private_key,
			    initiator.keys.public_key));
	noise_begin(&initiator.noise, responder.keys.public_key, prologue,
		    strlen(prologue));
	noise_begin(&responder.noise, responder.keys.public_key, prologue,
		    strlen(prologue));
}

static void write_first(void)
{
	size_t len = strlen(first_text);

	ck_assert(noise_write_first(
		&initiator.noise, &initiator.keys, responder.keys.public_key,
		initiator.static_static, initiator.ephemeral, first_text, len,
		first));
	first_len = NOISE_FIRST_OVERHEAD + len;
}

static bool read_first(char *payload)
{
	uint8_t who[32];

	if (!noise_read_first_static(&responder.noise, &responder.keys, first,
				     first_len, who))
		return false;
	ck_assert_mem_eq(who, initiator.keys.public_key, sizeof who);
	return noise_read_first_payload(&responder.noise,
					responder.static_static, first,
					first_len, payload);
}

static void write_second(void)
{
	size_t len = strlen(second_text);

	ck_assert(noise_write_second(
		&responder.noise, initiator.keys.public_key, responder.psk,
		responder.ephemeral, second_text, len, second));
	second_len = NOISE_SECOND_OVERHEAD + len;
}

static bool read_second(char *payload)
{
	return noise_read_second(&initiator.noise, &initiator.keys,
				 initiator.psk, second, second_len, payload);
}

static void check_transport(const uint8_t key[32], size_t which)
{
	const char *text = transport[which].text;
	uint8_t out[128];
	struct aead a;

	aead_init(&a, aead_best(), AEAD_SEAL, key);
	ck_assert(aead_seal(&a, out, (const uint8_t *)text, strlen(text),
			    which / 2));
	ck_assert(is_hex(out, transport[which].sealed));
	aead_wipe(&a);
}

START_TEST(the_public_vector_comes_out_byte_for_byte)
{
	char payload[128];

	begin();
	write_first();
	ck_assert_uint_eq(first_len, strlen(first_hex) / 2);
	ck_assert(is_hex(first, first_hex));
	ck_assert(read_first(payload));
	ck_assert_mem_eq(payload, first_text, strlen(first_text));
	write_second();
	ck_assert_uint_eq(second_len, strlen(second_hex) / 2);
	ck_assert(is_hex(second, second_hex));
	ck_assert(read_second(payload));
	ck_assert_mem_eq(payload, second_text, strlen(second_text));
	noise_split(&initiator.noise, initiator.initiator_sends,
		    initiator.responder_sends);
	noise_split(&responder.noise, responder.initiator_sends,
		    responder.responder_sends);
	ck_assert_mem_eq(initiator.initiator_sends, responder.initiator_sends,
			 32);
	ck_assert_mem_eq(initiator.responder_sends, responder.responder_sends,
			 32);
	for (size_t i = 0; i < 4; i++)
		check_transport(i % 2 == 0 ? initiator.initiator_sends
					   : initiator.responder_sends,
				i);
}
END_TEST

START_TEST(no_bit_of_the_first_message_can_be_changed)
{
	char payload[128];

	for (size_t at = 0; at < strlen(first_hex) / 2; at += 5) {
		begin();
		write_first();
		first[at] ^= 0x04;
		ck_assert(!read_first(payload));
	}
}
END_TEST

START_TEST(no_bit_of_the_second_message_can_be_changed)
{
	char payload[128];

	for (size_t at = 0; at < strlen(second_hex) / 2; at += 5) {
		begin();
		write_first();
		ck_assert(read_first(payload));
		write_second();
		second[at] ^= 0x04;
		ck_assert(!read_second(payload));
	}
}
END_TEST

START_TEST(another_prologue_psk_or_responder_is_refused)
{
	char payload[128];

	begin();
	noise_begin(&responder.noise, responder.keys.public_key, "John", 4);
	write_first();
	ck_assert(!read_first(payload));

	begin();
	responder.psk[31] ^= 1;
	write_first();
	ck_assert(read_first(payload));
	write_second();
	ck_assert(!read_second(payload));

	begin();
	write_first();
	responder.keys.private_key[9] ^= 1;
	ck_assert(!read_first(payload));
}
END_TEST

START_TEST(messages_that_are_too_short_and_low_points_are_refused)
{
	char payload[128];
	uint8_t who[32];

	begin();
	write_first();
	ck_assert(!noise_read_first_static(&responder.noise, &responder.keys,
					   first, NOISE_FIRST_OVERHEAD - 1,
					   who));
	ck_assert(!noise_read_first_payload(&responder.noise,
					    responder.static_static, first,
					    NOISE_FIRST_OVERHEAD - 1, payload));
	ck_assert(!noise_read_second(&initiator.noise, &initiator.keys,
				     initiator.psk, second,
				     NOISE_SECOND_OVERHEAD - 1, payload));
	memset(first, 0, 32);
	ck_assert(!noise_read_first_static(&responder.noise, &responder.keys,
					   first, first_len, who));
	memset(who, 0, sizeof who);
	ck_assert(!noise_write_first(&initiator.noise, &initiator.keys, who,
				     initiator.static_static,
				     initiator.ephemeral, NULL, 0, first));
}
END_TEST

START_TEST(splitting_wipes_the_state)
{
	char payload[128];

	begin();
	write_first();
	ck_assert(read_first(payload));
	ck_assert(holds(&initiator.noise, sizeof initiator.noise,
			initiator.ephemeral));
	noise_split(&initiator.noise, initiator.initiator_sends,
		    initiator.responder_sends);
	ck_assert(crypto_is_zero(&initiator.noise, sizeof initiator.noise));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		the_public_vector_comes_out_byte_for_byte,
		no_bit_of_the_first_message_can_be_changed,
		no_bit_of_the_second_message_can_be_changed,
		another_prologue_psk_or_responder_is_refused,
		messages_that_are_too_short_and_low_points_are_refused,
		splitting_wipes_the_state,
	};

	return RUN("wg_noise", tests);
}
