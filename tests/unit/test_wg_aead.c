/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The data path, by each library of this build that works here. */
#include "tests/suite.h"

#include "wg.h"

#include "aead.h"

#include <malloc.h>
#include <pthread.h>
#ifdef WEIR_AEAD_OPENSSL
#include <openssl/crypto.h>
#include <openssl/evp.h>
#endif

#define LEN_MOST 2048u
#define BACKENDS_MOST 3

static const struct aead_ops *backends[BACKENDS_MOST];
static int backends_count;

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

START_TEST(each_library_gives_the_same_for_every_length)
{
	static uint8_t a[LEN_MOST + 16], b[LEN_MOST + 16];
	struct aead other;

	begin(_i);
	aead_init(&other, &aead_wolfssl, AEAD_SEAL, key);
	for (size_t len = 0; len <= LEN_MOST; len++) {
		ck_assert(aead_seal(&seal, a, text, len, len * 977));
		ck_assert(aead_seal(&other, b, text, len, len * 977));
		ck_assert_mem_eq(a, b, len + 16);
		ck_assert(aead_open(&open_, b, b, len + 16, len * 977));
		ck_assert_mem_eq(b, text, len);
	}
	aead_wipe(&other);
	end();
}
END_TEST

/* What a thread seals with its own, beside the loop's. */
static void *seal_many(void *sealed)
{
	struct aead a;

	aead_init(&a, seal.ops, AEAD_SEAL, key);
	for (unsigned i = 0; i < 1000; i++)
		if (!aead_seal(&a, sealed, text, 1420, i))
			abort();
	aead_wipe(&a);
	return NULL;
}

START_TEST(threads_do_not_disturb_each_other)
{
	static uint8_t sealed[4][1420 + 16];
	uint8_t here[1420 + 16];
	pthread_t threads[4];

	begin(_i);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(
			pthread_create(&threads[i], NULL, seal_many, sealed[i]),
			0);
	seal_many(here);
	for (int i = 0; i < 4; i++) {
		pthread_join(threads[i], NULL);
		ck_assert_mem_eq(sealed[i], here, sizeof here);
	}
	end();
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

START_TEST(the_best_is_the_first_that_works)
{
	ck_assert(aead_works(&aead_wolfssl));
	ck_assert_ptr_eq(aead_best(), backends[0]);
#ifdef WEIR_AEAD_OPENSSL
	ck_assert(EVP_set_default_properties(NULL, "fips=yes"));
	ck_assert(!aead_works(&aead_openssl));
	ck_assert_ptr_ne(aead_best(), &aead_openssl);
	ck_assert(aead_works(aead_best()));
	ck_assert(EVP_set_default_properties(NULL, ""));
	ck_assert(aead_works(&aead_openssl));
#endif
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

	setup();
	aead_init(&seal, &aead_openssl, AEAD_SEAL, key);
	aead_init(&open_, &aead_openssl, AEAD_OPEN, key);
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

/* Also of libcrypto, which is told before it has any memory. */
static void libraries_begin(void)
{
	if (!crypto_init())
		abort();
#ifdef WEIR_AEAD_OPENSSL
	if (!CRYPTO_set_mem_functions(zeroed_malloc, zeroed_realloc,
				      spying_free))
		abort();
#endif
	for (int i = 0; aead_all[i]; i++)
		if (aead_works(aead_all[i]))
			backends[backends_count++] = aead_all[i];
}

SUITE("wg_aead", t)
{
	const TTest *const of_each[] = {
		data_is_sealed_as_others_seal_it,
		data_is_enciphered_as_rfc_8439_says,
		each_library_gives_the_same_for_every_length,
		a_packet_is_sealed_and_opened_in_place_and_elsewhere,
		a_forgery_is_refused_and_leaves_zeros,
		a_wiped_key_is_gone_and_can_be_wiped_again,
		a_key_without_packets_costs_no_memory,
		threads_do_not_disturb_each_other,
	};

	libraries_begin();
	for (size_t i = 0; i < sizeof of_each / sizeof *of_each; i++)
		tcase_add_loop_test(t, of_each[i], 0, backends_count);
	tcase_add_test(t, the_best_is_the_first_that_works);
#ifdef WEIR_AEAD_OPENSSL
	tcase_add_test(t, libcrypto_frees_no_memory_that_holds_a_key);
#endif
}
