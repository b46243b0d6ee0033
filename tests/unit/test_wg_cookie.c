/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Both MACs, and the cookies that the second is made with. */
#include "wg.h"

#include "cookie.h"

#define LIFE_US (120 * S_US)
#define START_US (7 * S_US)

static uint8_t public_key[WG_KEY_BYTES] = {9};
static struct cookie_checker checker;
static struct cookie_jar jar;
static struct message_initiation initiation;
static struct message_cookie_reply reply;
static struct message m;
static struct counting source;
static struct weir_addr from;

static void sign_at(uint64_t now_us)
{
	initiation.header.type = MESSAGE_INITIATION;
	message_put32(initiation.sender, 0x11223344);
	cookie_sign(&jar, &initiation, sizeof initiation, now_us);
	message_parse((uint8_t *)&initiation, sizeof initiation, &m);
}

static enum cookie_verdict check_at(uint64_t now_us)
{
	return cookie_check(&checker, &m, &from, now_us);
}

static void reply_at(uint64_t now_us)
{
	cookie_reply(&checker, &m, &from, now_us, &source.random, &reply);
}

/* A jar that has a cookie of START_US. */
static void begin(void)
{
	source = (struct counting){0, {counting_fill, &source}};
	from = (struct weir_addr){
		.kind = WEIR_ADDR_IP4, .port = 51820, .ip = {192, 0, 2, 1}};
	memset(&initiation, 0x5c, sizeof initiation);
	memset(initiation.header.reserved, 0, 3);
	cookie_checker_init(&checker, public_key);
	cookie_jar_init(&jar, public_key);
	sign_at(START_US);
	reply_at(START_US);
	ck_assert(cookie_accept(&jar, &reply, START_US));
}

START_TEST(keys_are_the_labelled_hashes_of_the_public_key)
{
	uint8_t key[WG_KEY_BYTES];

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)i;
	cookie_checker_init(&checker, key);
	ck_assert(is_hex(checker.mac1_key, "4fb2527ac956001553dc1ad9b55171b7"
					   "d9daa3de1cdbcd71451830170c7e6cac"));
	ck_assert(is_hex(checker.cookie_key,
			 "3dd5869c5202e45146936d1644f76ff6"
			 "97061661c181f3fd450eae43932eacec"));
	cookie_jar_init(&jar, key);
	ck_assert_mem_eq(jar.mac1_key, checker.mac1_key, 32);
	ck_assert_mem_eq(jar.cookie_key, checker.cookie_key, 32);
}
END_TEST

START_TEST(a_message_without_a_cookie_is_unproven)
{
	static const uint8_t zero[WG_MAC_BYTES];

	begin();
	cookie_jar_init(&jar, public_key);
	sign_at(START_US);
	ck_assert_mem_eq(initiation.macs.mac2, zero, sizeof zero);
	ck_assert_int_eq(check_at(START_US), COOKIE_UNPROVEN);
}
END_TEST

START_TEST(a_wrong_mac1_is_a_forgery)
{
	begin();
	sign_at(START_US);
	initiation.macs.mac1[5] ^= 1;
	ck_assert_int_eq(check_at(START_US), COOKIE_FORGED);
	initiation.macs.mac1[5] ^= 1;
	initiation.sealed_static[7] ^= 1;
	ck_assert_int_eq(check_at(START_US), COOKIE_FORGED);
	public_key[1] = 1;
	cookie_jar_init(&jar, public_key);
	sign_at(START_US);
	ck_assert_int_eq(check_at(START_US), COOKIE_FORGED);
}
END_TEST

START_TEST(a_cookie_proves_its_address_and_port)
{
	begin();
	sign_at(START_US);
	ck_assert_int_eq(check_at(START_US), COOKIE_PROVEN);
	from.port++;
	ck_assert_int_eq(check_at(START_US), COOKIE_UNPROVEN);
	from.port--;
	from.port ^= 0x100;
	ck_assert_int_eq(check_at(START_US), COOKIE_UNPROVEN);
	from.port ^= 0x100;
	from.ip[3]++;
	ck_assert_int_eq(check_at(START_US), COOKIE_UNPROVEN);
	from.kind = WEIR_ADDR_IP6;
	ck_assert_int_eq(check_at(START_US), COOKIE_UNPROVEN);
	reply_at(START_US);
	ck_assert(cookie_accept(&jar, &reply, START_US));
	sign_at(START_US);
	ck_assert_int_eq(check_at(START_US), COOKIE_PROVEN);
	from.ip[15] ^= 1;
	ck_assert_int_eq(check_at(START_US), COOKIE_UNPROVEN);
}
END_TEST

START_TEST(a_response_is_signed_as_well)
{
	struct message_response response;

	begin();
	memset(&response, 3, sizeof response);
	response.header = (struct message_header){.type = MESSAGE_RESPONSE};
	cookie_sign(&jar, &response, sizeof response, START_US);
	message_parse((uint8_t *)&response, sizeof response, &m);
	ck_assert_int_eq(check_at(START_US), COOKIE_PROVEN);
	response.macs.mac2[0] ^= 1;
	ck_assert_int_eq(check_at(START_US), COOKIE_UNPROVEN);
}
END_TEST

START_TEST(a_cookie_is_used_for_120_s)
{
	static const uint8_t zero[WG_MAC_BYTES];

	begin();
	sign_at(START_US + LIFE_US - 1);
	ck_assert_mem_ne(initiation.macs.mac2, zero, sizeof zero);
	sign_at(START_US + LIFE_US);
	ck_assert_mem_eq(initiation.macs.mac2, zero, sizeof zero);
}
END_TEST

START_TEST(the_secret_changes_after_120_s)
{
	uint8_t before[WG_HASH_BYTES];

	begin();
	memcpy(before, checker.secret, sizeof before);
	sign_at(START_US);
	reply_at(START_US + LIFE_US - 1);
	ck_assert_mem_eq(checker.secret, before, sizeof before);
	ck_assert_int_eq(check_at(START_US + LIFE_US - 1), COOKIE_PROVEN);
	ck_assert_int_eq(check_at(START_US + LIFE_US), COOKIE_UNPROVEN);
	reply_at(START_US + LIFE_US);
	ck_assert_mem_ne(checker.secret, before, sizeof before);
	ck_assert_int_eq(check_at(START_US + LIFE_US), COOKIE_UNPROVEN);
}
END_TEST

START_TEST(a_reply_answers_one_message_of_ours)
{
	begin();
	ck_assert_uint_eq(message_get32(reply.receiver), 0x11223344);
	ck_assert(!cookie_accept(&jar, &reply, START_US)); /* taken already */
	sign_at(START_US);
	reply_at(START_US);
	reply.sealed_cookie[0] ^= 1;
	ck_assert(!cookie_accept(&jar, &reply, START_US));
	reply.sealed_cookie[0] ^= 1;
	initiation.ephemeral[0] ^= 1;
	sign_at(START_US); /* another mac1 */
	ck_assert(!cookie_accept(&jar, &reply, START_US));
	reply_at(START_US);
	ck_assert(cookie_accept(&jar, &reply, START_US));
}
END_TEST

START_TEST(no_two_replies_have_the_same_nonce)
{
	struct message_cookie_reply before;

	begin();
	before = reply;
	reply_at(START_US);
	ck_assert_mem_ne(before.nonce, reply.nonce, sizeof reply.nonce);
}
END_TEST

START_TEST(secrets_are_wiped)
{
	begin();
	cookie_checker_wipe(&checker);
	ck_assert(crypto_is_zero(&checker, sizeof checker));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		keys_are_the_labelled_hashes_of_the_public_key,
		a_message_without_a_cookie_is_unproven,
		a_wrong_mac1_is_a_forgery,
		a_cookie_proves_its_address_and_port,
		a_response_is_signed_as_well,
		a_cookie_is_used_for_120_s,
		the_secret_changes_after_120_s,
		a_reply_answers_one_message_of_ours,
		no_two_replies_have_the_same_nonce,
		secrets_are_wiped,
	};

	return RUN("wg_cookie", tests);
}
