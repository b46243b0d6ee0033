/* SPDX-License-Identifier: GPL-2.0-or-later */
/* WireGuard's handshake. The transcript was computed by another implementation
 * (Python's cryptography and hashlib, from the paper), with static keys of 0x11
 * and 0x22, ephemeral keys that count, and a pre-shared key of 0x33. */
#include "wg.h"

#include "cookie.h"
#include "handshake.h"

#define INITIATOR_INDEX 0x01020304u
#define RESPONDER_INDEX 0x05060708u

static const char *const first_hex =
	"01000000040302018f40c5adb68f25624ae5b214ea767a6ec94d829d3d7b5e1a"
	"d1ba6f3e2138285f395c4ef681d1c7dc7732f81196967b7eca3013713cc4bf60"
	"9e4cda94d618f3a035babbf00483134585a84ef6d7cf39a11b57b30382ed15e5"
	"9d37490092b9c7d6f339a5461aba7a4acbec0aa429f04b7cb812fdcb134e9efb"
	"dc04d17500000000000000000000000000000000";
static const char *const second_hex =
	"020000000807060504030201358072d6365880d1aeea329adf9121383851ed21"
	"a28e3b75e965d0d2cd166254afe9527050fa79c6b0882bd460a547f6a7c356d1"
	"2a10b2e1a4954151c823d07400000000000000000000000000000000";
static const char *const initiator_sends_hex =
	"e357b6049b06369bca8df89c6bd3020c013c05a566a7062c904f35dbf97b0792";
static const char *const responder_sends_hex =
	"df894db07951b2a1e5ce0e47b154921523b212ddc30d73c6dbb0cac883268dc4";
static const struct timespec wall = {1700000000, 123456789};

struct side {
	struct identity me;
	struct remote them;
	struct handshake handshake;
	struct cookie_jar jar;
	struct counting random;
};

static struct side a, b; /* a initiates */
static struct message_initiation first;
static struct message_response second;

static void side_init(struct side *s, uint8_t key, uint8_t random)
{
	uint8_t private_key[WG_KEY_BYTES];

	memset(private_key, key, sizeof private_key);
	memset(s, 0, sizeof *s);
	identity_init(&s->me, private_key);
	s->random = (struct counting){random, {counting_fill, &s->random}};
}

static void meet(struct side *s, const struct side *other)
{
	ck_assert(remote_init(&s->them, &s->me, other->me.keys.public_key));
	memset(s->them.psk, 0x33, sizeof s->them.psk);
	cookie_jar_init(&s->jar, s->them.public_key);
}

static void begin(void)
{
	side_init(&a, 0x11, 0);
	side_init(&b, 0x22, 32);
	meet(&a, &b);
	meet(&b, &a);
}

static void initiate_at(const struct timespec *when)
{
	ck_assert(handshake_initiate(&a.handshake, &a.me, &a.them, when,
				     INITIATOR_INDEX, &a.random.random,
				     &first));
	cookie_sign(&a.jar, &first, sizeof first, 0);
}

static enum handshake_verdict consume(uint64_t now_us)
{
	uint8_t who[WG_KEY_BYTES];

	if (!handshake_read_static(&b.handshake, &b.me, &first, who))
		return HANDSHAKE_FORGED;
	ck_assert_mem_eq(who, a.me.keys.public_key, sizeof who);
	return handshake_read_timestamp(&b.handshake, &b.them, &first, now_us);
}

static void respond(void)
{
	ck_assert(handshake_respond(&b.handshake, &b.them, RESPONDER_INDEX,
				    &b.random.random, &second));
	cookie_sign(&b.jar, &second, sizeof second, 0);
}

static bool finish(void)
{
	return handshake_finish(&a.handshake, &a.me, &a.them, &second);
}

START_TEST(a_transcript_is_that_of_another_implementation)
{
	struct transport_keys ours, theirs;

	begin();
	initiate_at(&wall);
	ck_assert_uint_eq(sizeof first, strlen(first_hex) / 2);
	ck_assert(is_hex(&first, first_hex));
	ck_assert_int_eq(consume(0), HANDSHAKE_OK);
	ck_assert_uint_eq(b.handshake.remote_index, INITIATOR_INDEX);
	respond();
	ck_assert_uint_eq(sizeof second, strlen(second_hex) / 2);
	ck_assert(is_hex(&second, second_hex));
	ck_assert(finish());
	ck_assert_uint_eq(a.handshake.remote_index, RESPONDER_INDEX);
	handshake_derive(&a.handshake, &ours);
	handshake_derive(&b.handshake, &theirs);
	ck_assert(is_hex(ours.send, initiator_sends_hex));
	ck_assert(is_hex(ours.receive, responder_sends_hex));
	ck_assert_mem_eq(ours.send, theirs.receive, 32);
	ck_assert_mem_eq(ours.receive, theirs.send, 32);
}
END_TEST

START_TEST(a_stamp_is_tai64n_with_its_nanoseconds_masked)
{
	uint8_t stamp[TAI64N_BYTES];

	handshake_stamp(stamp, &wall);
	ck_assert(is_hex(stamp, "400000006553f10a07000000"));
}
END_TEST

START_TEST(a_timestamp_must_be_greater_than_the_newest)
{
	struct timespec when = wall;

	begin();
	initiate_at(&when);
	ck_assert_int_eq(consume(0), HANDSHAKE_OK);
	ck_assert_int_eq(consume(S_US), HANDSHAKE_REPLAY);
	when.tv_nsec += 1; /* the same once it is masked */
	initiate_at(&when);
	ck_assert_int_eq(consume(S_US), HANDSHAKE_REPLAY);
	when.tv_nsec += 0x1000000;
	initiate_at(&when);
	ck_assert_int_eq(consume(S_US), HANDSHAKE_OK);
	when.tv_sec -= 1;
	initiate_at(&when);
	ck_assert_int_eq(consume(2 * S_US), HANDSHAKE_REPLAY);
}
END_TEST

START_TEST(two_initiations_are_consumed_at_least_20_ms_apart)
{
	struct timespec when = wall;

	begin();
	initiate_at(&when);
	ck_assert_int_eq(consume(S_US), HANDSHAKE_OK);
	when.tv_sec++;
	initiate_at(&when);
	ck_assert_int_eq(consume(S_US + 20 * MS_US - 1), HANDSHAKE_FLOOD);
	ck_assert_int_eq(consume(S_US + 20 * MS_US), HANDSHAKE_OK);
}
END_TEST

START_TEST(what_was_refused_changes_nothing_of_the_peer)
{
	struct remote before;

	begin();
	before = b.them;
	initiate_at(&wall);
	first.sealed_timestamp[3] ^= 1;
	ck_assert_int_eq(consume(S_US), HANDSHAKE_FORGED);
	ck_assert_mem_eq(&before, &b.them, sizeof before);
	ck_assert(crypto_is_zero(&b.handshake, sizeof b.handshake));
}
END_TEST

START_TEST(a_forged_response_does_not_spoil_the_handshake)
{
	begin();
	initiate_at(&wall);
	ck_assert_int_eq(consume(0), HANDSHAKE_OK);
	respond();
	second.sealed_nothing[15] ^= 1;
	ck_assert(!finish());
	second.sealed_nothing[15] ^= 1;
	second.receiver[0] ^= 1;
	ck_assert(!finish());
	second.receiver[0] ^= 1;
	ck_assert(finish());
	ck_assert(!finish()); /* once only */
}
END_TEST

START_TEST(peers_of_low_order_and_the_own_key_are_not_usable)
{
	uint8_t low[WG_KEY_BYTES] = {1};
	struct remote r;

	begin();
	ck_assert(!remote_init(&r, &a.me, low));
	ck_assert(!r.usable);
	ck_assert(!handshake_initiate(&a.handshake, &a.me, &r, &wall, 1,
				      &a.random.random, &first));
	ck_assert(!remote_init(&r, &a.me, a.me.keys.public_key));
	ck_assert(!handshake_initiate(&a.handshake, &a.me, &r, &wall, 1,
				      &a.random.random, &first));
}
END_TEST

START_TEST(an_initiation_with_a_low_point_is_refused)
{
	begin();
	initiate_at(&wall);
	memset(first.ephemeral, 0, sizeof first.ephemeral);
	ck_assert_int_eq(consume(0), HANDSHAKE_FORGED);
}
END_TEST

START_TEST(without_a_private_key_there_is_no_handshake)
{
	uint8_t none[WG_KEY_BYTES] = {0}, who[WG_KEY_BYTES];

	begin();
	initiate_at(&wall);
	identity_init(&b.me, none);
	ck_assert(!b.me.set);
	ck_assert(!remote_rekey(&b.them, &b.me));
	ck_assert(!handshake_read_static(&b.handshake, &b.me, &first, who));
	ck_assert(!handshake_initiate(&b.handshake, &b.me, &b.them, &wall, 1,
				      &b.random.random, &first));
}
END_TEST

START_TEST(a_changed_private_key_keeps_the_timestamp_and_makes_new_secrets)
{
	uint8_t key[WG_KEY_BYTES], newest[TAI64N_BYTES];
	struct timespec later = {wall.tv_sec + 1, 0};

	begin();
	initiate_at(&wall);
	ck_assert_int_eq(consume(0), HANDSHAKE_OK);
	memcpy(newest, b.them.newest, sizeof newest);
	memset(key, 0x44, sizeof key);
	identity_init(&b.me, key);
	ck_assert(remote_rekey(&b.them, &b.me));
	ck_assert_mem_eq(newest, b.them.newest, sizeof newest);
	initiate_at(&later); /* to the key of before */
	ck_assert_int_eq(consume(S_US), HANDSHAKE_FORGED);
	ck_assert(remote_init(&a.them, &a.me, b.me.keys.public_key));
	initiate_at(&later);
	ck_assert_int_eq(consume(S_US), HANDSHAKE_OK);
}
END_TEST

START_TEST(keys_are_wiped_when_they_are_done)
{
	struct transport_keys keys;
	uint8_t secret[WG_KEY_BYTES];

	begin();
	initiate_at(&wall);
	ck_assert_int_eq(consume(0), HANDSHAKE_OK);
	respond();
	ck_assert(finish());
	memcpy(secret, a.handshake.noise.ephemeral_private, sizeof secret);
	handshake_derive(&a.handshake, &keys);
	ck_assert(!holds(&a.handshake, sizeof a.handshake, secret));
	ck_assert_int_eq(a.handshake.state, HANDSHAKE_NONE);
	ck_assert_uint_eq(a.handshake.local_index, INITIATOR_INDEX);
	handshake_wipe(&b.handshake);
	identity_wipe(&a.me);
	ck_assert(crypto_is_zero(&b.handshake, sizeof b.handshake));
	ck_assert(crypto_is_zero(&a.me, sizeof a.me));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_transcript_is_that_of_another_implementation,
		a_stamp_is_tai64n_with_its_nanoseconds_masked,
		a_timestamp_must_be_greater_than_the_newest,
		two_initiations_are_consumed_at_least_20_ms_apart,
		what_was_refused_changes_nothing_of_the_peer,
		a_forged_response_does_not_spoil_the_handshake,
		peers_of_low_order_and_the_own_key_are_not_usable,
		an_initiation_with_a_low_point_is_refused,
		without_a_private_key_there_is_no_handshake,
		a_changed_private_key_keeps_the_timestamp_and_makes_new_secrets,
		keys_are_wiped_when_they_are_done,
	};

	return RUN("wg_transcript", tests);
}
