/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data path, by each library that this build has. */
#include "wg.h"

#include "aead.h"

#include <malloc.h>
#ifdef WEIR_AEAD_OPENSSL
#include <openssl/crypto.h>

#include "tests/suite.h"
#endif

#define LEN_MOST 2048u

static const struct aead_ops *const backends[] = {
	&aead_wolfssl,
#ifdef WEIR_AEAD_OPENSSL
	&aead_openssl,
#endif
};
#define BACKENDS ((int)(sizeof backends / sizeof *backends))

static uint8_t key[WG_KEY_BYTES], text[LEN_MOST];
static struct aead seal, open_;

static void setup(void)
{
	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof text; i++)
		text[i] = (uint8_t)i;
}

static void begin(int backend)
{
	setup();
	aead_init(&seal, backends[backend], AEAD_SEAL, key);
	aead_init(&open_, backends[backend], AEAD_OPEN, key);
}

static void end(void)
{
	aead_wipe(&seal);
	aead_wipe(&open_);
}

/* Computed by another implementation (Python's cryptography). */
START_TEST(data_is_sealed_as_others_seal_it)
{
	static const struct {
		uint64_t counter;
		size_t len;
		const char *sealed;
	} vectors[] = {
		{0, 0, "10324f800a160bd9a1794255be7ec29d"},
		{1, 1, "9fc9bb5606c640fd79782a2425e2728a27"},
		{5, 16,
		 "230994094120413983a3334329b83eac7bfda3ce38b342babbfdc27da5bc"
		 "aedc"},
		{0x0102030405060708, 100,
		 "f048afe7af3cec1f6ca220c77f756fb7f017e0d79c5153894f2cbd46f51f"
		 "b9c2795d229ef6172fde381d4cdbee4dce49cc8ec4bb1ba9ba2bbadeb792"
		 "d548ebe16d7c230a42e2a4e2ab2acbe02916248902900a12873b45e67e48"
		 "05fd9add7a9803240ed7132adab1fcc9ab05fb803d20437e844e"},
	};
	uint8_t out[LEN_MOST];

	begin(_i);
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		ck_assert(aead_seal(&seal, out, text, vectors[i].len,
				    vectors[i].counter));
		ck_assert(is_hex(out, vectors[i].sealed));
		ck_assert(aead_open(&open_, out, out, vectors[i].len + 16,
				    vectors[i].counter));
		ck_assert_mem_eq(out, text, vectors[i].len);
	}
	end();
}
END_TEST

/* The text and cipher text of RFC 8439, A.5; the tag there is of a packet with
 * additional data, which data messages have not. */
START_TEST(data_is_enciphered_as_rfc_8439_says)
{
	uint8_t rfc_key[32], out[64 + 16], plain[32];

	begin(_i);
	end();
	from_hex(rfc_key, "1c9240a5eb55d38af333888604f6b5f0"
			  "473917c1402b80099dca5cbc207075c0");
	aead_init(&seal, backends[_i], AEAD_SEAL, rfc_key);
	memcpy(plain, "Internet-Drafts are draft docume", sizeof plain);
	ck_assert(
		aead_seal(&seal, out, plain, sizeof plain, 0x0807060504030201));
	ck_assert(is_hex(out, "64a0861575861af460f062c79be643bd"
			      "5e805cfd345cf389f108670ac76c8cb2"));
	aead_wipe(&seal);
}
END_TEST

START_TEST(both_libraries_give_the_same_for_every_length)
{
	static uint8_t a[LEN_MOST + 16], b[LEN_MOST + 16];
	struct aead one, other;

	setup();
	aead_init(&one, backends[0], AEAD_SEAL, key);
	aead_init(&other, backends[BACKENDS - 1], AEAD_SEAL, key);
	for (size_t len = 0; len <= LEN_MOST; len += len < 300 ? 1 : 89) {
		ck_assert(aead_seal(&one, a, text, len, len * 977));
		ck_assert(aead_seal(&other, b, text, len, len * 977));
		ck_assert_mem_eq(a, b, len + 16);
	}
	aead_wipe(&one);
	aead_wipe(&other);
}
END_TEST

START_TEST(a_packet_is_sealed_and_opened_in_place_and_elsewhere)
{
	uint8_t here[LEN_MOST + 16], there[LEN_MOST + 16];

	begin(_i);
	for (size_t len = 0; len <= LEN_MOST; len += 128) {
		memcpy(here, text, len);
		ck_assert(aead_seal(&seal, here, here, len, len));
		ck_assert(aead_seal(&seal, there, text, len, len));
		ck_assert_mem_eq(here, there, len + 16);
		ck_assert(aead_open(&open_, there, here, len + 16, len));
		ck_assert_mem_eq(there, text, len);
		ck_assert(aead_open(&open_, here, here, len + 16, len));
		ck_assert_mem_eq(here, text, len);
	}
	end();
}
END_TEST

START_TEST(a_forgery_is_refused_and_leaves_zeros)
{
	uint8_t sealed[100 + 16], out[100], zero[100] = {0};

	begin(_i);
	ck_assert(aead_seal(&seal, sealed, text, 100, 3));
	for (size_t at = 0; at < sizeof sealed; at += 23) {
		sealed[at] ^= 0x10;
		memset(out, 'x', sizeof out);
		ck_assert(!aead_open(&open_, out, sealed, sizeof sealed, 3));
		ck_assert_mem_eq(out, zero, sizeof zero);
		sealed[at] ^= 0x10;
	}
	ck_assert(!aead_open(&open_, out, sealed, sizeof sealed, 4));
	ck_assert(!aead_open(&open_, out, sealed, sizeof sealed - 1, 3));
	for (size_t len = 0; len < 16; len++)
		ck_assert(!aead_open(&open_, out, sealed, len, 3));
	ck_assert(aead_open(&open_, out, sealed, sizeof sealed, 3));
	ck_assert_mem_eq(out, text, sizeof out);
	sealed[110] ^= 1;
	ck_assert(!aead_open(&open_, sealed, sealed, sizeof sealed, 3));
	ck_assert_mem_eq(sealed, zero, sizeof zero);
	end();
}
END_TEST

START_TEST(a_wiped_key_is_gone_and_can_be_wiped_again)
{
	uint8_t out[64 + 16];

	begin(_i);
	ck_assert(aead_seal(&seal, out, text, 64, 0));
	ck_assert(holds(&seal, sizeof seal, key));
	aead_wipe(&seal);
	ck_assert(!holds(&seal, sizeof seal, key));
	ck_assert(crypto_is_zero(&seal, sizeof seal));
	aead_wipe(&seal);
	end();
}
END_TEST

START_TEST(a_key_without_packets_costs_no_memory)
{
	struct mallinfo2 before, after;
	static struct aead many[64];

	begin(_i);
	before = mallinfo2();
	for (size_t i = 0; i < 64; i++)
		aead_init(&many[i], backends[_i], AEAD_OPEN, key);
	after = mallinfo2();
	ck_assert_uint_eq(after.uordblks, before.uordblks);
	for (size_t i = 0; i < 64; i++)
		aead_wipe(&many[i]);
	end();
}
END_TEST

#ifdef WEIR_AEAD_OPENSSL
static unsigned keys_freed;

/* What libcrypto gives back to the system. */
static void spying_free(void *p, const char *file, int line)
{
	(void)file;
	(void)line;
	if (p && holds(p, malloc_usable_size(p), key))
		keys_freed++;
	free(p);
}

/* Zeroed, so that a checker of memory lets the spy read it all. */
static void *zeroed_malloc(size_t n, const char *file, int line)
{
	(void)file;
	(void)line;
	return calloc(1, n);
}

static void *zeroed_realloc(void *p, size_t n, const char *file, int line)
{
	size_t had = p ? malloc_usable_size(p) : 0;
	void *moved = zeroed_malloc(n, file, line);

	if (p && moved) {
		memcpy(moved, p, had < n ? had : n);
		free(p);
	}
	return moved;
}

START_TEST(libcrypto_frees_no_memory_that_holds_a_key)
{
	uint8_t out[64 + 16];
	unsigned before;
	void *careless;

	begin(1);
	before = keys_freed;
	ck_assert(aead_seal(&seal, out, text, 64, 0));
	ck_assert(aead_open(&open_, out, out, sizeof out, 0));
	end();
	ck_assert_uint_eq(keys_freed, before);
	careless = OPENSSL_malloc(sizeof key);
	memcpy(careless, key, sizeof key);
	OPENSSL_free(careless);
	ck_assert_uint_eq(keys_freed, before + 1);
}
END_TEST
#endif

SUITE("wg_aead", t)
{
	tcase_add_loop_test(t, data_is_sealed_as_others_seal_it, 0, BACKENDS);
	tcase_add_loop_test(t, data_is_enciphered_as_rfc_8439_says, 0,
			    BACKENDS);
	tcase_add_loop_test(
		t, a_packet_is_sealed_and_opened_in_place_and_elsewhere, 0,
		BACKENDS);
	tcase_add_loop_test(t, a_forgery_is_refused_and_leaves_zeros, 0,
			    BACKENDS);
	tcase_add_loop_test(t, a_wiped_key_is_gone_and_can_be_wiped_again, 0,
			    BACKENDS);
	tcase_add_loop_test(t, a_key_without_packets_costs_no_memory, 0,
			    BACKENDS);
	tcase_add_test(t, both_libraries_give_the_same_for_every_length);
#ifdef WEIR_AEAD_OPENSSL
	tcase_add_test(t, libcrypto_frees_no_memory_that_holds_a_key);
#endif
	if (!crypto_init())
		abort();
#ifdef WEIR_AEAD_OPENSSL
	/* Before it has any memory. */
	if (!CRYPTO_set_mem_functions(zeroed_malloc, zeroed_realloc,
				      spying_free))
		abort();
#endif
}
