/* SPDX-License-Identifier: GPL-2.0-or-later */
/* resolv.conf as a command of `weir exec` sees it. */
#include <check.h>
#include <stdlib.h>

#include "core/addr.h"
#include "core/nameservers.h"
#include "tests/suite.h"

#define MOST_USED 4

/* What nameservers_init makes of `text` on a device with these addresses. */
static struct nameservers seen(const char *text, const char *const *addresses)
{
	struct weir_cidr used[MOST_USED];
	struct nameservers n;
	size_t count = 0;

	for (; addresses[count]; count++)
		ck_assert(
			addr_parse_cidr(addresses[count], &used[count], true));
	nameservers_init(&n, text, used, count);
	return n;
}

static const char *const preset[] = {"198.18.0.1/15", "fd00:198:18::1/64",
				     NULL};

static void outside_is(const struct nameservers *n, size_t i, const char *want)
{
	char text[WEIR_ADDR_TEXT];

	ck_assert_uint_lt(i, n->count);
	ck_assert_str_eq(weir_addr_text(&n->outside[i], text), want);
}

START_TEST(servers_are_renumbered_and_the_rest_is_kept)
{
	struct nameservers n = seen("# made by hand\n"
				    "search corp.example example.org\n"
				    "nameserver 127.0.0.53\n"
				    "\n"
				    "  nameserver\t2001:db8::53 \r\n"
				    "options edns0 trust-ad",
				    preset);

	ck_assert_uint_eq(n.count, 2);
	outside_is(&n, 0, "127.0.0.53:53");
	outside_is(&n, 1, "[2001:db8::53]:53");
	ck_assert_str_eq(n.text, "# made by hand\n"
				 "search corp.example example.org\n"
				 "options edns0 trust-ad\n"
				 "nameserver 198.18.0.2\n"
				 "nameserver 198.18.0.3\n");
	nameservers_fini(&n);
}
END_TEST

START_TEST(only_what_libc_would_ask_is_asked)
{
	struct nameservers n = seen("nameserver fe80::1%eth0\n"
				    "nameserver\n"
				    "nameserver dns.example\n"
				    "nameserver 10.0.0.1:5353\n"
				    "nameservers 10.0.0.9\n"
				    "nameserver 10.0.0.1\n"
				    "nameserver 10.0.0.2\n"
				    "nameserver 10.0.0.3\n"
				    "nameserver 10.0.0.4\n",
				    preset);

	ck_assert_uint_eq(n.count, NAMESERVERS_MAX);
	outside_is(&n, 0, "10.0.0.1:53");
	outside_is(&n, 2, "10.0.0.3:53");
	nameservers_fini(&n);
}
END_TEST

START_TEST(without_a_server_it_is_the_local_one)
{
	struct nameservers n = seen("", preset);

	ck_assert_uint_eq(n.count, 1);
	outside_is(&n, 0, "127.0.0.1:53");
	ck_assert_str_eq(n.text, "nameserver 198.18.0.2\n");
	nameservers_fini(&n);
}
END_TEST

START_TEST(a_server_of_no_address_is_the_local_one)
{
	struct nameservers n =
		seen("nameserver 0.0.0.0\nnameserver ::\n", preset);

	ck_assert_uint_eq(n.count, 2);
	outside_is(&n, 0, "127.0.0.1:53");
	outside_is(&n, 1, "[::1]:53");
	nameservers_fini(&n);
}
END_TEST

START_TEST(stand_ins_are_no_addresses_of_the_device)
{
	static const char *const taken[] = {"198.18.0.2/24", "198.18.0.4/24",
					    NULL};
	struct nameservers n = seen("nameserver 10.0.0.1\n"
				    "nameserver 10.0.0.2\n",
				    taken);

	ck_assert_str_eq(n.text, "nameserver 198.18.0.3\n"
				 "nameserver 198.18.0.5\n");
	nameservers_fini(&n);
}
END_TEST

START_TEST(a_device_without_ipv4_gets_stand_ins_of_ipv6)
{
	static const char *const only6[] = {"fd00:198:18::1/64", NULL};
	struct nameservers n = seen("nameserver 10.0.0.1\n", only6);

	ck_assert_str_eq(n.text, "nameserver fd00:198:18::2\n");
	nameservers_fini(&n);
}
END_TEST

START_TEST(each_server_gets_an_outbound_and_a_rule)
{
	struct nameservers n = seen("nameserver 127.0.0.53\n", preset);
	char *text = nameservers_config(&n);

	ck_assert_ptr_nonnull(strstr(text, "{ tag: exec-dns-1, type: freedom, "
					   "redirect: \"127.0.0.53:53\" }"));
	ck_assert_ptr_nonnull(strstr(text, "{ ip: [\"198.18.0.2\"], port: "
					   "[53], outbound: exec-dns-1 }"));
	free(text);
	nameservers_fini(&n);
}
END_TEST

SUITE("exec", t)
{
	tcase_add_test(t, servers_are_renumbered_and_the_rest_is_kept);
	tcase_add_test(t, only_what_libc_would_ask_is_asked);
	tcase_add_test(t, without_a_server_it_is_the_local_one);
	tcase_add_test(t, a_server_of_no_address_is_the_local_one);
	tcase_add_test(t, stand_ins_are_no_addresses_of_the_device);
	tcase_add_test(t, a_device_without_ipv4_gets_stand_ins_of_ipv6);
	tcase_add_test(t, each_server_gets_an_outbound_and_a_rule);
}
