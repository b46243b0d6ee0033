/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users write for a tunnel: reserved bytes; and which targets count as
 * private. */
#include <check.h>
#include <stdlib.h>

#include "plugins/inbound-wireguard/inbound.h"
#include "plugins/wireguard/reserved.h"
#include "tests/suite.h"

static bool parse(const char *const *texts, size_t count, uint8_t out[3])
{
	const char *copy[4];
	struct weir_list list = {copy, count};
	struct weir_error e;

	for (size_t i = 0; i < count; i++)
		copy[i] = texts[i];
	return reserved_parse(&list, out, &e);
}

START_TEST(reserved_bytes_are_numbers_hex_or_base64)
{
	static const uint8_t wanted[] = {162, 104, 222};
	static const char *const numbers[] = {"162", "104", "222"};
	static const char *const single[] = {"a268de", "0xA268DE", "omje"};
	uint8_t out[3];

	ck_assert(parse(numbers, 3, out));
	ck_assert_mem_eq(out, wanted, 3);
	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++) {
		ck_assert(parse(&single[i], 1, out));
		ck_assert_mem_eq(out, wanted, 3);
	}
	ck_assert(parse(NULL, 0, out));
	ck_assert_mem_eq(out, "\0\0\0", 3);
}
END_TEST

START_TEST(reserved_bytes_of_another_form_are_refused)
{
	static const char *const single[] = {"",       "a268d", "a268de0",
					     "0xa268", "om=e",	"-68de1",
					     "0x",     "g268de"};
	static const char *const numbers[][3] = {
		{"256", "0", "0"}, {"-1", "0", "0"}, {"1x", "0", "0"}};
	static const char *const two[] = {"1", "2"};
	uint8_t out[3];

	for (size_t i = 0; i < sizeof single / sizeof single[0]; i++)
		ck_assert_msg(!parse(&single[i], 1, out), "%s", single[i]);
	for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
		ck_assert_msg(!parse(numbers[i], 3, out), "%zu", i);
	ck_assert(!parse(two, 2, out));
}
END_TEST

static bool is_private(const char *text)
{
	uint8_t ip[16];
	bool v6 = strchr(text, ':');

	ck_assert_int_eq(inet_pton(v6 ? AF_INET6 : AF_INET, text, ip), 1);
	return address_is_private(v6, ip);
}

START_TEST(private_targets_are_known_to_their_edges)
{
	static const char *const inside[] = {
		"10.0.0.0",
		"10.255.255.255",
		"100.64.0.0",
		"100.127.255.255",
		"127.0.0.1",
		"169.254.169.254",
		"172.16.0.0",
		"172.31.255.255",
		"192.168.0.1",
		"198.18.0.1",
		"198.19.255.255",
		"224.0.0.1",
		"255.255.255.255",
		"0.1.2.3",
		"::1",
		"::",
		"fc00::1",
		"fdff::1",
		"fe80::1",
		"febf::1",
		"ff02::1",
		"::ffff:10.0.0.1",
		"64:ff9b::a00:1",
		"2002:a00:1::1",
		"2002:7f00:1::1",
		"::2",
		"::127.0.0.1",
		"64:ff9b:1::a00:1",
		"64:ff9b:1:ffff:ffff:ffff:ffff:ffff",
		"2001:2::1",
		"2001:2:0:ffff:ffff:ffff:ffff:ffff",
		"5f00:ffff::1",
	};
	static const char *const outside[] = {
		"9.255.255.255",
		"11.0.0.0",
		"100.63.255.255",
		"100.128.0.0",
		"126.255.255.255",
		"172.15.255.255",
		"172.32.0.0",
		"192.167.255.255",
		"192.169.0.0",
		"198.17.255.255",
		"198.20.0.0",
		"223.255.255.255",
		"::1:0:0",
		"64:ff9b:0:ffff:ffff:ffff:ffff:ffff",
		"64:ff9b:2::a00:1",
		"2001:db8::1",
		"2001:1:ffff:ffff:ffff:ffff:ffff:ffff",
		"2001:2:1::1",
		"5eff::1",
		"5f01::1",
		"fbff::1",
		"::ffff:8.8.8.8",
		"64:ff9b::808:808",
		"2002:808:808::1",
	};

	for (size_t i = 0; i < sizeof inside / sizeof inside[0]; i++)
		ck_assert_msg(is_private(inside[i]), "%s", inside[i]);
	for (size_t i = 0; i < sizeof outside / sizeof outside[0]; i++)
		ck_assert_msg(!is_private(outside[i]), "%s", outside[i]);
}
END_TEST

SUITE("wg values", t)
{
	tcase_add_test(t, reserved_bytes_are_numbers_hex_or_base64);
	tcase_add_test(t, reserved_bytes_of_another_form_are_refused);
	tcase_add_test(t, private_targets_are_known_to_their_edges);
}
