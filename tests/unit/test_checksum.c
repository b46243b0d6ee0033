/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Internet checksum beside its definition (RFC 1071, 1). */
#include <arpa/inet.h>
#include <check.h>
#include <string.h>

#include "plugins/netstack/checksum.h"
#include "tests/suite.h"

#define MOST 300
#define OFFSETS 9

static uint8_t bytes[65536 + OFFSETS];

static void setup(void)
{
	for (size_t i = 0; i < sizeof bytes; i++)
		bytes[i] = (uint8_t)(i * 31 + i / 251);
}

/* 16 bits at a time, in network order. */
static uint16_t by_definition(const uint8_t *p, size_t len)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < len; i += 2)
		sum += (uint64_t)p[i] << 8 | (i + 1 < len ? p[i + 1] : 0);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return htons((uint16_t)sum);
}

START_TEST(every_length_at_every_offset_is_as_defined)
{
	for (size_t at = 0; at < OFFSETS; at++)
		for (size_t len = 0; len < MOST; len++)
			ck_assert_uint_eq(
				checksum_fold(checksum_add(0, bytes + at, len)),
				by_definition(bytes + at, len));
}
END_TEST

START_TEST(no_carry_of_the_longest_packet_is_lost)
{
	ck_assert_uint_eq(checksum_fold(checksum_add(0, bytes + 1, 65535)),
			  by_definition(bytes + 1, 65535));
	memset(bytes, 0xff, sizeof bytes);
	ck_assert_uint_eq(checksum_fold(checksum_add(0, bytes, 65535)),
			  by_definition(bytes, 65535));
}
END_TEST

START_TEST(a_sum_goes_on_behind_an_even_number_of_bytes)
{
	for (size_t first = 0; first < MOST; first += 2) {
		uint64_t sum = checksum_add(0, bytes, first);

		sum = checksum_add(sum, bytes + first, MOST - 1 - first);
		ck_assert_uint_eq(checksum_fold(sum),
				  by_definition(bytes, MOST - 1));
	}
}
END_TEST

SUITE("checksum", tc)
{
	tcase_add_checked_fixture(tc, setup, NULL);
	tcase_add_test(tc, every_length_at_every_offset_is_as_defined);
	tcase_add_test(tc, no_carry_of_the_longest_packet_is_lost);
	tcase_add_test(tc, a_sum_goes_on_behind_an_even_number_of_bytes);
}
