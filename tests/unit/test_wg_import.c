/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What `weir import` makes of wg-quick files. */
#include <check.h>

#include "plugins/wireguard/import.h"
#include "tests/suite.h"
#include "tests/unit/told.h"

#define OTHER "TrMvSoP4jYQlY6RIzBgbssQqY3vxI2Pi+y71lOWWXX0="

static char printed[65536];
static size_t printed_len;

WEIR_PRINTF(2, 3)
static void print(void *arg, const char *fmt, ...)
{
	va_list args;

	(void)arg;
	va_start(args, fmt);
	printed_len += (size_t)vsnprintf(
		printed + printed_len, sizeof printed - printed_len, fmt, args);
	va_end(args);
	ck_assert_uint_lt(printed_len, sizeof printed);
}

static struct weir_import request(const char *text)
{
	memset(&told, 0, sizeof told);
	printed_len = 0;
	*printed = '\0';
	return (struct weir_import){.size = sizeof(struct weir_import),
				    .file = "f",
				    .text = text,
				    .len = strlen(text),
				    .print = print,
				    .tell = tell,
				    .arg = &told};
}

static const char client[] = "[Interface]\n"
			     "PrivateKey = " PRIVATE "\n"
			     "Address = 10.7.0.2/32, fd07::2/128\n"
			     "DNS = 10.7.0.1, corp.example\n"
			     "MTU = 1380\n"
			     "PostUp = id\n"
			     "[Peer]\n"
			     "PublicKey = " PUBLIC "\n"
			     "PresharedKey = " SECRET "\n"
			     "Endpoint = [2001:db8::7]:51820\n"
			     "AllowedIPs = 0.0.0.0/0, ::/0\n"
			     "PersistentKeepalive = 25\n";

static const char server[] = "[Interface]\n"
			     "PrivateKey = " PRIVATE "\n"
			     "Address = 10.7.0.1/24\n"
			     "ListenPort = 51820\n"
			     "DNS = 10.7.0.1\n"
			     "[Peer]\n"
			     "PublicKey = " PUBLIC "\n"
			     "AllowedIPs = 10.7.0.2/32\n"
			     "[Peer]\n"
			     "PublicKey = " OTHER "\n"
			     "AllowedIPs = 10.7.0.3/32\n";

START_TEST(a_clients_file_becomes_an_outbound)
{
	struct weir_import r = request(client);

	ck_assert_int_eq(import_inbound(&r), WEIR_NO);
	ck_assert_str_eq(printed, "");
	ck_assert_int_eq(import_outbound(&r), WEIR_YES);
	ck_assert_uint_eq(told.errors, 0);
	ck_assert_uint_eq(told.warnings, 1);
	ck_assert_str_eq(printed,
			 "# left out: PostUp of line 6\n"
			 "# left out: the domain corp.example of DNS\n"
			 "private_key: \"" PRIVATE "\"\n"
			 "address: [\"10.7.0.2/32\", \"fd07::2/128\"]\n"
			 "mtu: 1380\n"
			 "dns: [\"10.7.0.1\"]\n"
			 "peers:\n"
			 "  - public_key: \"" PUBLIC "\"\n"
			 "    pre_shared_key: \"" SECRET "\"\n"
			 "    endpoint: \"[2001:db8::7]:51820\"\n"
			 "    allowed_ips: [\"0.0.0.0/0\", \"::/0\"]\n"
			 "    keepalive: 25s\n");
}
END_TEST

START_TEST(a_servers_file_becomes_an_inbound)
{
	struct weir_import r = request(server);

	ck_assert_int_eq(import_outbound(&r), WEIR_NO);
	ck_assert_int_eq(import_inbound(&r), WEIR_YES);
	ck_assert_uint_eq(told.errors + told.warnings, 0);
	ck_assert_str_eq(printed, "# left out: DNS, the affair of clients\n"
				  "private_key: \"" PRIVATE "\"\n"
				  "address: [\"10.7.0.1/24\"]\n"
				  "listen_port: 51820\n"
				  "peers:\n"
				  "  - name: \"peer1\"\n"
				  "    public_key: \"" PUBLIC "\"\n"
				  "    allowed_ips: [\"10.7.0.2/32\"]\n"
				  "  - name: \"peer2\"\n"
				  "    public_key: \"" OTHER "\"\n"
				  "    allowed_ips: [\"10.7.0.3/32\"]\n");
}
END_TEST

START_TEST(an_interface_of_an_endpoint_is_left_out_with_it)
{
	struct weir_import r =
		request("[Interface]\nPrivateKey = " PRIVATE "\n"
			"Address = 10.7.0.2/32\n[Peer]\nPublicKey = " PUBLIC
			"\nEndpoint = [fe80::7%lo]:51820\n");

	ck_assert_int_eq(import_outbound(&r), WEIR_YES);
	ck_assert_ptr_nonnull(strstr(printed, "# left out: the endpoint"));
	ck_assert_ptr_null(strstr(printed, "fe80"));
}
END_TEST

START_TEST(a_servers_peer_without_an_address_is_left_out)
{
	struct weir_import r = request(
		"[Interface]\nPrivateKey = " PRIVATE "\n"
		"Address = 10.7.0.1/24\nListenPort = 51820\n"
		"[Peer]\nPublicKey = " PUBLIC "\n[Peer]\nPublicKey = " OTHER
		"\nAllowedIPs = 10.7.0.3/32\n");

	ck_assert_int_eq(import_inbound(&r), WEIR_YES);
	ck_assert_ptr_nonnull(strstr(printed, "# left out: the peer " PUBLIC));
	ck_assert_ptr_null(strstr(printed, "allowed_ips: []"));
	ck_assert_ptr_nonnull(strstr(printed, "  - name: \"peer2\"\n"));
}
END_TEST

START_TEST(who_is_named_does_not_guess)
{
	struct weir_import r = request(server);

	r.named = true;
	ck_assert_int_eq(import_outbound(&r), WEIR_YES);
	ck_assert_ptr_nonnull(strstr(printed, "peers:\n  - public_key"));
}
END_TEST

START_TEST(a_text_of_another_kind_is_not_ours)
{
	struct weir_import r = request("inbounds:\n  - type: tun\n");

	r.named = true;
	ck_assert_int_eq(import_outbound(&r), WEIR_NO);
	ck_assert_int_eq(import_inbound(&r), WEIR_NO);
	ck_assert_uint_eq(told.errors, 0);
}
END_TEST

START_TEST(errors_are_told_once_and_nothing_is_printed)
{
	struct weir_import r = request("[Interface]\nAdress = x\n");

	ck_assert_int_eq(import_inbound(&r), WEIR_NO);
	ck_assert_int_eq(import_outbound(&r), WEIR_YES);
	ck_assert_str_eq(told.text, "f:2: Adress: is not a key of [Interface]\n"
				    "f: [Interface]: has no PrivateKey\n");
	ck_assert_str_eq(printed, "");
}
END_TEST

START_TEST(a_tunnel_needs_an_address)
{
	struct weir_import r =
		request("[Interface]\nPrivateKey = " PRIVATE "\n");

	ck_assert_int_eq(import_outbound(&r), WEIR_YES);
	ck_assert_str_eq(told.text, "f: [Interface]: has no Address, and weir "
				    "needs one\n");
	ck_assert_str_eq(printed, "");
}
END_TEST

START_TEST(an_exposed_file_is_not_imported)
{
	struct weir_import r = request(client);

	r.exposed = "everybody can read this file; run: chmod o= f";
	ck_assert_int_eq(import_outbound(&r), WEIR_YES);
	ck_assert_str_eq(told.text, "f: holds keys; everybody can read this "
				    "file; run: chmod o= f\n");
	ck_assert_uint_eq(told.errors, 1);
	ck_assert_str_eq(printed, "");
}
END_TEST

SUITE("wg-import", t)
{
	tcase_add_test(t, a_clients_file_becomes_an_outbound);
	tcase_add_test(t, a_servers_file_becomes_an_inbound);
	tcase_add_test(t, an_interface_of_an_endpoint_is_left_out_with_it);
	tcase_add_test(t, a_servers_peer_without_an_address_is_left_out);
	tcase_add_test(t, who_is_named_does_not_guess);
	tcase_add_test(t, a_text_of_another_kind_is_not_ours);
	tcase_add_test(t, errors_are_told_once_and_nothing_is_printed);
	tcase_add_test(t, a_tunnel_needs_an_address);
	tcase_add_test(t, an_exposed_file_is_not_imported);
}
