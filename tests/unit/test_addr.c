/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/addr.c: addresses as people write them. */
#include "addr.h"

#include <check.h>

#include "tests/suite.h"

static const char *round_trip(const char *text)
{
	static char out[WEIR_ADDR_TEXT], name[254];
	struct weir_addr a;

	return addr_parse(text, &a, name) ? weir_addr_text(&a, out) : "refused";
}

START_TEST(addresses_and_names_are_read_with_and_without_port)
{
	ck_assert_str_eq(round_trip("192.0.2.1"), "192.0.2.1");
	ck_assert_str_eq(round_trip("192.0.2.1:443"), "192.0.2.1:443");
	ck_assert_str_eq(round_trip("2001:db8::1"), "2001:db8::1");
	ck_assert_str_eq(round_trip("[2001:db8::1]"), "2001:db8::1");
	ck_assert_str_eq(round_trip("[2001:db8::1]:53"), "[2001:db8::1]:53");
	ck_assert_str_eq(round_trip("::"), "::");
	ck_assert_str_eq(round_trip("example.org"), "example.org");
	ck_assert_str_eq(round_trip("a.example:65535"), "a.example:65535");
	ck_assert_str_eq(round_trip("_a_b_.example:1"), "_a_b_.example:1");
	ck_assert_str_eq(round_trip("09az.example"), "09az.example");
}
END_TEST

START_TEST(names_lose_their_case_and_the_dot_of_the_root)
{
	ck_assert_str_eq(round_trip("WWW.Example.ORG.:80"),
			 "www.example.org:80");
	ck_assert_str_eq(round_trip("AZ.example"), "az.example");
}
END_TEST

START_TEST(what_is_nearly_an_address_is_refused)
{
	static const char *const bad[] = {
		"",
		":",
		":80",
		"1.2.3.4:",
		"1.2.3.4:0",
		"1.2.3.4:65536",
		"1.2.3.4:080",
		"1.2.3.4:+8",
		"1.2.3.256",
		"1.2.3",
		"01.2.3.4",
		"[1.2.3.4]:80",
		"[::1",
		"[::1]80",
		"[::1]:",
		"::1]",
		"[]",
		"fe80::1%lo",
		"a..b",
		".a",
		"-a.example",
		"a-.example",
		"a b",
		"example.123",
		"a/b",
		"[::1]:80:80",
		"1:2:3",
		" 1.2.3.4",
		"1.2.3.4 ",
		"..",
	};
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!strcmp(round_trip(bad[i]), "refused"), "%s",
			      bad[i]);
}
END_TEST

START_TEST(labels_and_names_have_their_longest)
{
	char name[300], out[254];
	struct weir_addr a;

	memset(name, 'a', sizeof name);
	name[63] = '\0';
	ck_assert(addr_parse(name, &a, out));
	name[63] = 'a', name[64] = '\0';
	ck_assert(!addr_parse(name, &a, out));
	memset(name, 'a', sizeof name);
	name[63] = name[127] = name[191] = '.';
	name[253] = '\0';
	ck_assert(addr_parse(name, &a, out));
	name[253] = 'a', name[254] = '\0';
	ck_assert(!addr_parse(name, &a, out));
	name[299] = '\0';
	ck_assert(!addr_parse(name, &a, out));
}
END_TEST

START_TEST(without_room_for_a_name_none_is_taken)
{
	struct weir_addr a;

	ck_assert(!addr_parse("example.org", &a, NULL));
	ck_assert(addr_parse("::1", &a, NULL));
}
END_TEST

static struct weir_cidr cidr(const char *text)
{
	struct weir_cidr c = {0};

	ck_assert_msg(addr_parse_cidr(text, &c, false), "%s", text);
	return c;
}

START_TEST(prefixes_have_no_host_bits_unless_asked_for)
{
	struct weir_cidr c;

	ck_assert_uint_eq(cidr("10.0.0.0/8").bits, 8);
	ck_assert_uint_eq(cidr("10.1.2.3").bits, 32);
	ck_assert_uint_eq(cidr("::1").bits, 128);
	ck_assert_uint_eq(cidr("0.0.0.0/0").bits, 0);
	ck_assert(!addr_parse_cidr("10.0.0.1/8", &c, false));
	ck_assert(!addr_parse_cidr("10.64.0.0/9", &c, false));
	ck_assert(!addr_parse_cidr("::1/127", &c, false));
	ck_assert(addr_parse_cidr("10.0.0.1/8", &c, true));
	ck_assert_uint_eq(c.base.ip[3], 1);
	addr_mask(&c);
	ck_assert_uint_eq(c.base.ip[3], 0);
}
END_TEST

START_TEST(lengths_of_prefixes_are_strict)
{
	static const char *const bad[] = {
		"10.0.0.0/33",	      "::/129",	     "10.0.0.0/",
		"10.0.0.0/08",	      "10.0.0.0/-1", "10.0.0.0/ 8",
		"10.0.0.0/8/8",	      "/8",	     "example/8",
		"10.0.0.0/255.0.0.0",
	};
	struct weir_cidr c;
	size_t i;

	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!addr_parse_cidr(bad[i], &c, true), "%s", bad[i]);
}
END_TEST

static bool in(const char *addr, const char *prefix)
{
	struct weir_cidr c = cidr(prefix);
	struct weir_addr a;

	ck_assert(addr_parse(addr, &a, NULL));
	return addr_in_cidr(&a, &c);
}

START_TEST(an_address_is_in_its_prefix_to_the_bit)
{
	ck_assert(in("10.255.0.1", "10.0.0.0/8"));
	ck_assert(!in("11.0.0.0", "10.0.0.0/8"));
	ck_assert(in("172.31.255.255", "172.16.0.0/12"));
	ck_assert(!in("172.32.0.0", "172.16.0.0/12"));
	ck_assert(in("1.2.3.4", "0.0.0.0/0"));
	ck_assert(!in("::", "0.0.0.0/0"));
	ck_assert(in("fdff::1", "fc00::/7"));
	ck_assert(!in("fe80::1", "fc00::/7"));
	ck_assert(in("::1", "::1"));
	ck_assert(!in("::2", "::1"));
}
END_TEST

START_TEST(only_this_machine_is_loopback)
{
	static const struct {
		const char *text;
		bool is;
	} addresses[] = {
		{"127.0.0.1", true},  {"127.9.9.9", true}, {"126.0.0.1", false},
		{"128.0.0.1", false}, {"::1", true},	   {"::2", false},
		{"7f00:1::1", false},
	};
	struct weir_addr a;

	for (size_t i = 0; i < sizeof addresses / sizeof *addresses; i++) {
		ck_assert(addr_parse(addresses[i].text, &a, NULL));
		ck_assert_msg(addr_is_loopback(&a) == addresses[i].is, "%s",
			      addresses[i].text);
	}
}
END_TEST

START_TEST(the_kernels_form_and_back_is_the_same)
{
	static const char *const all[] = {"192.0.2.1:443", "[2001:db8::1]:53"};
	struct sockaddr_storage s;
	struct weir_addr a, b;
	size_t i;

	for (i = 0; i < 2; i++) {
		ck_assert(addr_parse(all[i], &a, NULL));
		ck_assert_uint_gt(addr_to_sockaddr(&a, &s), 0);
		ck_assert(addr_from_sockaddr((struct sockaddr *)&s, &b));
		ck_assert(weir_addr_equal(&a, &b));
	}
	s.ss_family = AF_UNIX;
	ck_assert(!addr_from_sockaddr((struct sockaddr *)&s, &b));
}
END_TEST

SUITE("addr", t)
{
	tcase_add_test(t, addresses_and_names_are_read_with_and_without_port);
	tcase_add_test(t, names_lose_their_case_and_the_dot_of_the_root);
	tcase_add_test(t, what_is_nearly_an_address_is_refused);
	tcase_add_test(t, labels_and_names_have_their_longest);
	tcase_add_test(t, without_room_for_a_name_none_is_taken);
	tcase_add_test(t, prefixes_have_no_host_bits_unless_asked_for);
	tcase_add_test(t, lengths_of_prefixes_are_strict);
	tcase_add_test(t, an_address_is_in_its_prefix_to_the_bit);
	tcase_add_test(t, only_this_machine_is_loopback);
	tcase_add_test(t, the_kernels_form_and_back_is_the_same);
}
