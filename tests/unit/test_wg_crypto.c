/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The primitives, against what was published of them. */
#include "wg.h"

START_TEST(x25519_is_that_of_rfc_7748)
{
	static const char *const vectors[][3] = {
		{"a546e36bf0527c9d3b16154b82465edd"
		 "62144c0ac1fc5a18506a2244ba449ac4",
		 "e6db6867583030db3594c1a424b15f7c"
		 "726624ec26b3353b10a903a6d0ab1c4c",
		 "c3da55379de9c6908e94ea4df28d084f"
		 "32eccf03491c71f754b4075577a28552"},
		/* A public key with its high bit set. */
		{"4b66e9d4d1b4673c5ad22691957d6af5"
		 "c11b6421e0ea01d42ca4169e7918ba0d",
		 "e5210f12786811d3f4b7959d0538ae2c"
		 "31dbe7106fc03c3efc4cd549c715a493",
		 "95cbde9476e8907d7aade45cb4b873f8"
		 "8b595a68799fa152e6f8f7647aac7957"},
	};

	for (size_t i = 0; i < 2; i++) {
		uint8_t scalar[32], point[32], out[32];

		from_hex(scalar, vectors[i][0]);
		from_hex(point, vectors[i][1]);
		ck_assert(crypto_dh(out, scalar, point));
		ck_assert(is_hex(out, vectors[i][2]));
	}
}
END_TEST

START_TEST(x25519_repeated_a_thousand_times_is_that_of_rfc_7748)
{
	uint8_t k[32] = {9}, u[32] = {9}, out[32];

	for (int i = 1; i <= 1000; i++) {
		ck_assert(crypto_dh(out, k, u));
		memcpy(u, k, sizeof u);
		memcpy(k, out, sizeof k);
		if (i == 1)
			ck_assert(is_hex(k,
					 "422c8e7a6227d7bca1350b3e2bb7279f"
					 "7897b87bb6854b783c60e80311ae3079"));
	}
	ck_assert(is_hex(k, "684cf59ba83309552800ef566f2f4d3c"
			    "1c3887c49360e3875f2eb94d99532c51"));
}
END_TEST

START_TEST(a_private_key_is_clamped_and_a_public_key_loses_its_high_bit)
{
	uint8_t raw[32], clamped[32], point[32], high[32], a[32], b[32];

	memset(raw, 0xff, sizeof raw);
	memcpy(clamped, raw, sizeof raw);
	crypto_clamp(clamped);
	ck_assert_uint_eq(clamped[0], 0xf8);
	ck_assert_uint_eq(clamped[31], 0x7f);
	ck_assert(crypto_public_key(a, raw));
	ck_assert(crypto_public_key(b, clamped));
	ck_assert_mem_eq(a, b, 32);

	memcpy(point, a, sizeof point);
	memcpy(high, point, sizeof high);
	high[31] |= 0x80;
	ck_assert(crypto_dh(a, raw, point));
	ck_assert(crypto_dh(b, raw, high));
	ck_assert_mem_eq(a, b, 32);
}
END_TEST

START_TEST(points_of_low_order_are_refused)
{
	static const char *const points[] = {
		"00000000000000000000000000000000"
		"00000000000000000000000000000000",
		"01000000000000000000000000000000"
		"00000000000000000000000000000000",
		"e0eb7a7c3b41b8ae1656e3faf19fc46a"
		"da098deb9c32b1fd866205165f49b800",
		"5f9c95bca3508c24b1d0b1559c83ef5b"
		"04445cc4581c8e86d8224eddd09f1157",
		"ecffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffff7f",
		"edffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffff7f",
		"eeffffffffffffffffffffffffffffff"
		"ffffffffffffffffffffffffffffff7f",
	};
	uint8_t scalar[32], point[32], out[32];

	memset(scalar, 0x5a, sizeof scalar);
	for (size_t i = 0; i < sizeof points / sizeof *points; i++)
		for (int high = 0; high < 2; high++) {
			from_hex(point, points[i]);
			point[31] |= (uint8_t)(high << 7);
			memset(out, 1, sizeof out);
			ck_assert(!crypto_dh(out, scalar, point));
			ck_assert(crypto_is_zero(out, sizeof out));
		}
}
END_TEST

START_TEST(blake2s_is_that_of_rfc_7693)
{
	uint8_t out[32], data[1000];

	for (size_t i = 0; i < sizeof data; i++)
		data[i] = (uint8_t)i;
	crypto_hash(out, "abc", 3, NULL, 0);
	ck_assert(is_hex(out, "508c5e8c327c14e2e1a72ba34eeb452f"
			      "37458b209ed63a294d999b4c86675982"));
	crypto_hash(out, "a", 1, "bc", 2);
	ck_assert(is_hex(out, "508c5e8c327c14e2e1a72ba34eeb452f"
			      "37458b209ed63a294d999b4c86675982"));
	crypto_hash(out, NULL, 0, NULL, 0);
	ck_assert(is_hex(out, "69217a3079908094e11121d042354a7c"
			      "1f55b6482ca1a51e1b250dfd1ed0eef9"));
	crypto_hash(out, data, 77, data + 77, sizeof data - 77);
	ck_assert(is_hex(out, "b5f9d7799111edafc9326fbf667be981"
			      "40b5e20ce5e151793c59125bf654ac18"));
}
END_TEST

/* Computed by another implementation (Python's hashlib), which gives keyed
 * BLAKE2s with 16 bytes of output, not the first 16 of 32. */
START_TEST(a_mac_is_keyed_blake2s_of_sixteen_bytes)
{
	static const struct {
		size_t key_len, len;
		const char *mac;
	} vectors[] = {
		{32, 0, "9536f9b267655743dee97b8a670f9f53"},
		{32, 1, "13bacfb85b48a1223c595f8c1e7e82cb"},
		{16, 64, "dd55c51c98f8ab96ed272882941f0b6a"},
		{32, 65, "811ff8686d23a435ecbd0bdafcd27b1b"},
		{1, 200, "2d9f9a4418bc99c115f7d5d000b73038"},
		{32, 116, "072e94ffbfc684bd8ab2a1b9dade2fd5"},
	};
	uint8_t bytes[200], out[16];

	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)i;
	for (size_t i = 0; i < sizeof vectors / sizeof *vectors; i++) {
		crypto_mac(out, bytes, vectors[i].key_len, bytes,
			   vectors[i].len);
		ck_assert(is_hex(out, vectors[i].mac));
	}
	crypto_mac(out, bytes, 32, NULL, 0);
	ck_assert(is_hex(out, vectors[0].mac));
}
END_TEST

START_TEST(hmac_and_kdf_are_those_of_rfc_2104_and_of_noise)
{
	static const char *const outputs[] = {
		"87b7f70b24183c6db5dc4f6d9f4c47cd"
		"b203321aa2a0bef714896adb3107a040",
		"538a02e1eb2e31b7e4d4b82476d1fe2a"
		"cf50085d3fb584537279195f5d1f5824",
		"9ad858025593be88de0f9442a589cfe8"
		"4a88dc19e4753d93684d1c5efc4837f9",
	};
	uint8_t key[32], out[3][32];

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)i;
	crypto_hmac(out[0], key, "a", 1, "bc", 2);
	ck_assert(is_hex(out[0], "82623be5bc0a391b24dce53e67d028ef"
				 "f92d586de0485ac37822e597d049c74f"));
	crypto_hmac(out[0], key, NULL, 0, NULL, 0);
	ck_assert(is_hex(out[0], "e2641d24dfa8dd89e8cb77f1cdc77d8c"
				 "006e5bebdfc4d6a3a3a6f8d5b7586fb0"));
	crypto_kdf(out[0], out[1], out[2], key, "input", 5);
	for (size_t i = 0; i < 3; i++)
		ck_assert(is_hex(out[i], outputs[i]));
	crypto_kdf(key, NULL, NULL, key, "input", 5);
	ck_assert(is_hex(key, outputs[0]));
}
END_TEST

/* RFC 8439, A.5: counter 0x0807060504030201 is the nonce's last 8 bytes. */
START_TEST(a_handshake_seals_as_rfc_8439_says)
{
	static const char *const sealed_hex =
		"64a0861575861af460f062c79be643bd5e805cfd345cf389f108670ac76c8c"
		"b24c6cfc18755d43eea09ee94e382d26b0bdb7b73c321b0100d4f03b7f3558"
		"94cf332f830e710b97ce98c8a84abd0b948114ad176e008d33bd60f982b1ff"
		"37c8559797a06ef4f0ef61c186324e2b3506383606907b6a7c02b0f9f6157b"
		"53c867e4b9166c767b804d46a59b5216cde7a4e99040c5a40433225ee282a1"
		"b0a06c523eaf4534d7f83fa1155b0047718cbc546a0d072b04b3564eea1b42"
		"2273f548271a0bb2316053fa76991955ebd63159434ecebb4e466dae5a1073"
		"a6727627097a1049e617d91d361094fa68f0ff77987130305beaba2eda04df"
		"997b714d6c6f2c29a6ad5cb4022b02709b"
		"eead9d67890cbb22392336fea1851f38";
	uint8_t key[32], ad[12], sealed[281], again[281], plain[265];
	size_t len;

	from_hex(key, "1c9240a5eb55d38af333888604f6b5f0"
		      "473917c1402b80099dca5cbc207075c0");
	from_hex(ad, "f33388860000000000004e91");
	len = from_hex(sealed, sealed_hex);
	ck_assert_uint_eq(len, sizeof sealed);
	ck_assert(crypto_open(plain, sealed, len, ad, sizeof ad,
			      0x0807060504030201, key));
	ck_assert_mem_eq(plain, "Internet-Drafts are draft", 25);
	crypto_seal(again, plain, sizeof plain, ad, sizeof ad,
		    0x0807060504030201, key);
	ck_assert_mem_eq(again, sealed, len);
}
END_TEST

START_TEST(nothing_is_sealed_and_opened_and_a_forgery_leaves_zeros)
{
	uint8_t key[32] = {1}, sealed[32 + 16], plain[32], zero[32] = {0};

	crypto_seal(sealed, NULL, 0, "ad", 2, 7, key);
	ck_assert(crypto_open(NULL, sealed, 16, "ad", 2, 7, key));
	ck_assert(!crypto_open(NULL, sealed, 16, NULL, 0, 7, key));
	ck_assert(!crypto_open(NULL, sealed, 16, "ad", 2, 8, key));
	ck_assert(!crypto_open(NULL, sealed, 15, "ad", 2, 7, key));
	ck_assert(!crypto_open(NULL, sealed, 0, "ad", 2, 7, key));

	memset(plain, 'x', sizeof plain);
	crypto_seal(sealed, plain, sizeof plain, NULL, 0, 0, key);
	sealed[47] ^= 1;
	ck_assert(!crypto_open(plain, sealed, sizeof sealed, NULL, 0, 0, key));
	ck_assert_mem_eq(plain, zero, sizeof zero);
}
END_TEST

/* draft-irtf-cfrg-xchacha-03, A.3.1. */
START_TEST(a_cookie_is_sealed_as_the_xchacha_draft_says)
{
	static const char text[] =
		"Ladies and Gentlemen of the class of '99: If I could offer you "
		"only one tip for the future, sunscreen would be it.";
	static const char *const sealed_hex =
		"bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396c"
		"bb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213"
		"b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565"
		"d3fff921f9664c97637da9768812f615c68b13b52e"
		"c0875924c1c7987947deafd8780acf49";
	uint8_t key[32], nonce[24], ad[12], sealed[130], plain[114], none[114];

	for (size_t i = 0; i < sizeof key; i++)
		key[i] = (uint8_t)(0x80 + i);
	for (size_t i = 0; i < sizeof nonce; i++)
		nonce[i] = (uint8_t)(0x40 + i);
	from_hex(ad, "50515253c0c1c2c3c4c5c6c7");
	crypto_xseal(sealed, text, 114, ad, sizeof ad, nonce, key);
	ck_assert(is_hex(sealed, sealed_hex));
	ck_assert(crypto_xopen(plain, sealed, sizeof sealed, ad, sizeof ad,
			       nonce, key));
	ck_assert_mem_eq(plain, text, sizeof plain);
	ck_assert(!crypto_xopen(plain, sealed, 15, ad, sizeof ad, nonce, key));
	sealed[0] ^= 1;
	memset(none, 0, sizeof none);
	ck_assert(!crypto_xopen(plain, sealed, sizeof sealed, ad, sizeof ad,
				nonce, key));
	ck_assert_mem_eq(plain, none, sizeof none);
	crypto_xseal(sealed, text, 16, NULL, 0, nonce, key);
	ck_assert(crypto_xopen(plain, sealed, 32, NULL, 0, nonce, key));
	ck_assert_mem_eq(plain, text, 16);
}
END_TEST

START_TEST(bytes_are_compared_and_wiped)
{
	uint8_t a[32], b[32];

	memset(a, 7, sizeof a);
	memcpy(b, a, sizeof b);
	ck_assert(crypto_equal(a, b, sizeof a));
	for (size_t i = 0; i < sizeof b; i++) {
		b[i] ^= 0x80;
		ck_assert(!crypto_equal(a, b, sizeof a));
		b[i] ^= 0x80;
	}
	ck_assert(!crypto_is_zero(a, sizeof a));
	crypto_wipe(a, sizeof a);
	ck_assert(crypto_is_zero(a, sizeof a));
}
END_TEST

START_TEST(the_systems_random_bytes_differ)
{
	uint8_t a[300] = {0}, b[300] = {0};

	crypto_random_fill(&crypto_random_system, a, sizeof a);
	crypto_random_fill(&crypto_random_system, b, sizeof b);
	ck_assert_mem_ne(a, b, sizeof a);
	ck_assert(!crypto_is_zero(a + 268, 32));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		x25519_is_that_of_rfc_7748,
		x25519_repeated_a_thousand_times_is_that_of_rfc_7748,
		a_private_key_is_clamped_and_a_public_key_loses_its_high_bit,
		points_of_low_order_are_refused,
		blake2s_is_that_of_rfc_7693,
		a_mac_is_keyed_blake2s_of_sixteen_bytes,
		hmac_and_kdf_are_those_of_rfc_2104_and_of_noise,
		a_handshake_seals_as_rfc_8439_says,
		nothing_is_sealed_and_opened_and_a_forgery_leaves_zeros,
		a_cookie_is_sealed_as_the_xchacha_draft_says,
		bytes_are_compared_and_wiped,
		the_systems_random_bytes_differ,
	};

	return RUN("wg_crypto", tests);
}
