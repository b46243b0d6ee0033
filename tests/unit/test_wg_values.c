/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What users write for a tunnel, and whether it gets there: reserved bytes, all
 * that a peer is told, a wg-quick file; and which targets count as private. */
#include <check.h>
#include <stdlib.h>
#include <unistd.h>

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

static void ignore(void *arg)
{
	(void)arg;
}

static void wake_at(void *arg, uint64_t at_us)
{
	(void)arg;
	(void)at_us;
}

static void event(void *arg, struct wg_peer *p, enum wg_event e)
{
	(void)arg;
	(void)p;
	(void)e;
}

static const struct wg_ops ops = {.flush_later = ignore,
				  .wake_at = wake_at,
				  .event = event,
				  .passed_on = ignore};

START_TEST(a_peer_is_told_all_that_its_options_say)
{
	static const char *const reserved[] = {"1", "2", "3"};
	struct weir_cidr own = {.base = {.kind = WEIR_ADDR_IP4}, .bits = 32};
	struct wg_peer_options peer = {
		.name = "a",
		.level = 7,
		.public_key = {9},
		.pre_shared_key = {5},
		.endpoint = {.kind = WEIR_ADDR_IP4, .port = 51820},
		.keepalive_ms = 25000,
		.reserved = {(void *)(uintptr_t)reserved, 3}};
	struct wg_options o = {.private_key = {1},
			       .address = {&own, 1},
			       .mtu = 1300,
			       .listen_port = 51821,
			       .peers = {&peer, 1}};
	struct weir_error e;
	struct wg_settings *s = wg_settings_new(&o, NULL, NULL, &e);
	struct wg_conf conf = {.ops = &ops, .mtu_bytes = WG_MTU_PRESET};
	struct wg_device *d = wg_new(&conf);
	struct wg_peer_info info;
	struct wg_peer *p;

	ck_assert(wg_settings_apply(s, d, 0, &e));
	ck_assert_uint_eq(s->mtu_bytes, 1300);
	ck_assert_uint_eq(s->listen_port, 51821);
	p = wg_peer_find(d, peer.public_key);
	wg_peer_get(p, &info);
	ck_assert_mem_eq(info.reserved, "\1\2\3", WG_RESERVED_BYTES);
	ck_assert_uint_eq(info.keepalive_s, 25);
	ck_assert(weir_addr_equal(&info.endpoint.addr, &peer.endpoint));
	ck_assert_mem_eq(wg_peer_psk(p), peer.pre_shared_key, WG_KEY_BYTES);
	ck_assert_uint_eq(s->peers->level, 7);
	ck_assert_ptr_eq(wg_peer_user(p), s->peers);
	wg_free(d);
	wg_settings_free(s);
}
END_TEST

#define KEY "mB0gxkGHL2bQIsEHRwpQGZZjUHFJWsPMcOiz8ruQ0lE="

START_TEST(a_wg_quick_file_says_the_same_as_options)
{
	static const char text[] = "[Interface]\nPrivateKey = " KEY "\n"
				   "Address = 10.7.0.2/32\nMTU = 1300\n"
				   "DNS = 10.7.0.1\nListenPort = 51821\n"
				   "FwMark = 0x77\n[Peer]\nPublicKey = " KEY
				   "\nEndpoint = [fe80::1%lo]:51820\n"
				   "PersistentKeepalive = 25\n";
	char path[] = "test_wg_values.XXXXXX";
	int fd = mkstemp(path);
	struct wg_options o = {.config = path};
	struct wg_settings *s;
	struct weir_error e;

	ck_assert_int_eq(write(fd, text, strlen(text)), strlen(text));
	s = wg_settings_new(&o, NULL, NULL, &e);
	ck_assert_msg(s, "%s", e.text);
	ck_assert_uint_eq(s->mtu_bytes, 1300);
	ck_assert_uint_eq(s->listen_port, 51821);
	ck_assert_uint_eq(s->mark, 0x77);
	ck_assert_uint_eq(s->dns.count, 1);
	ck_assert_uint_eq(s->address.count, 1);
	ck_assert_uint_eq(s->peers->keepalive_s, 25);
	ck_assert_uint_eq(s->peers->scope, 1); /* lo's */
	wg_settings_free(s);
	o.mtu = 1400; /* weir's own wins */
	s = wg_settings_new(&o, NULL, NULL, &e);
	ck_assert_uint_eq(s->mtu_bytes, 1400);
	wg_settings_free(s);
	close(fd);
	unlink(path);
}
END_TEST

SUITE("wg values", t)
{
	tcase_add_test(t, a_peer_is_told_all_that_its_options_say);
	tcase_add_test(t, a_wg_quick_file_says_the_same_as_options);
	tcase_add_test(t, reserved_bytes_are_numbers_hex_or_base64);
	tcase_add_test(t, reserved_bytes_of_another_form_are_refused);
	tcase_add_test(t, private_targets_are_known_to_their_edges);
}
