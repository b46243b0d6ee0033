/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The language of `wg`, on a device that only remembers. */
#include <check.h>
#include <errno.h>
#include <stdlib.h>

#include "plugins/wireguard/keytext.h"
#include "tests/unit/uapi_talk.h"
#include "tests/suite.h"

#define A "1111111111111111111111111111111111111111111111111111111111111111"
#define B "22222222222222222222222222222222222222222222222222222222222222ff"
#define C "3333333333333333333333333333333333333333333333333333333333333333"
#define ZERO "0000000000000000000000000000000000000000000000000000000000000000"
#define HEAD(key, psk)                                                         \
	"public_key=" key "\npreshared_key=" psk "\nprotocol_version=1\n"
#define TAIL(keepalive)                                                        \
	"last_handshake_time_sec=0\nlast_handshake_time_nsec=0\n"              \
	"tx_bytes=0\nrx_bytes=0\npersistent_keepalive_interval=" keepalive     \
	"\n"
#define OK "errno=0\n\n"

static const char everything[] =
	"set=1\nprivate_key=" C "\nlisten_port=51820\nfwmark=51820\n"
	"replace_peers=true\n"
	"public_key=" A "\npreshared_key=" B "\nendpoint=192.0.2.1:51820\n"
	"persistent_keepalive_interval=25\nreplace_allowed_ips=true\n"
	"allowed_ip=10.0.0.1/8\nallowed_ip=fd00::1/64\nprotocol_version=1\n"
	"public_key=" B "\nendpoint=[2001:db8::1]:443\n"
	"persistent_keepalive_interval=65535\n\n";

static const char everything_got[] =
	"private_key=" C
	"\nlisten_port=51820\nfwmark=51820\n" HEAD(A, B) "endpoint=192.0.2.1:51820\n" TAIL(
		"25") "allowed_ip=10.0.0.0/8\nallowed_ip=fd00::/64\n" HEAD(B,
									   ZERO) "endpoint=[2001:db8::1]:443\n" TAIL("65535")
		OK;

START_TEST(what_was_set_is_told)
{
	begin();
	ck_assert_str_eq(say("get=1\n\n"), OK);
	ck_assert_str_eq(say(everything), OK);
	ck_assert_uint_eq(world.applied, 1);
	ck_assert_str_eq(say("get=1\n\n"), everything_got);
	end();
}
END_TEST

START_TEST(bytes_may_come_one_by_one)
{
	begin();
	ck_assert_str_eq(say_in(everything, 1, UAPI_OUTPUT_MIN), OK);
	ck_assert_str_eq(say_in("get=1\n\n", 1, UAPI_OUTPUT_MIN),
			 everything_got);
	end();
}
END_TEST

START_TEST(requests_may_be_pipelined)
{
	char want[4096];

	begin();
	snprintf(want, sizeof want, "%s%serrno=-22\n\n%s", OK, everything_got,
		 everything_got);
	ck_assert_str_eq(say("set=1\nlisten_port=1\n\n"), OK);
	for (size_t part = 1; part < 2000; part += 7) {
		char text[2000];

		snprintf(text, sizeof text,
			 "%sget=1\n\nset=1\nfoo=1\nbar=1\n\n\n\nget=1\n\n",
			 everything);
		ck_assert_str_eq(say_in(text, part, 65536), want);
	}
	end();
}
END_TEST

START_TEST(no_byte_is_taken_while_an_answer_waits)
{
	begin();
	ck_assert_uint_eq(uapi_input(uapi, "get=1\n\nget=1\n\n", 14, 1), 7);
	ck_assert_uint_eq(uapi_input(uapi, "get=1\n\n", 7, 1), 0);
	answer_len = 0;
	fetch(65536);
	ck_assert_str_eq(answer, OK);
	ck_assert_uint_eq(uapi_input(uapi, "get=1\n\n", 7, 1), 7);
	end();
}
END_TEST

#define PEER "public_key=" A "\n"
static const struct mistake {
	const char *text;
	int err;
} mistakes[] = {
	{"foo=1\n", EINVAL},
	{"get=2\n", EINVAL},
	{"set=0\n", EINVAL},
	{"get\n", EPROTO},
	{"get=1\nx=1\n", EINVAL},
	{"set=1\nprivate_key\n", EPROTO},
	{"set=1\n=\n", EINVAL},
	{"set=1\nunknown=1\n", EINVAL},
	{"set=1\nPrivate_key=" A "\n", EINVAL},
	{"set=1\nprivate_key=\n", EINVAL},
	{"set=1\nprivate_key=" A "1\n", EINVAL},
	{"set=1\nprivate_key=g" A "\n", EINVAL},
	{"set=1\nlisten_port=65536\n", EINVAL},
	{"set=1\nlisten_port=-1\n", EINVAL},
	{"set=1\nlisten_port=0x10\n", EINVAL},
	{"set=1\nlisten_port= 1\n", EINVAL},
	{"set=1\nlisten_port=1\r\n", EINVAL},
	{"set=1\nfwmark=4294967296\n", EINVAL},
	{"set=1\nfwmark=off\n", EINVAL},
	{"set=1\nreplace_peers=false\n", EINVAL},
	{"set=1\nallowed_ip=10.0.0.0/8\n", EINVAL}, /* of no peer */
	{"set=1\nendpoint=192.0.2.1:1\n", EINVAL},
	{"set=1\npublic_key=abc\n", EINVAL},
	{"set=1\n" PEER "listen_port=1\n", EINVAL}, /* of a peer */
	{"set=1\n" PEER "replace_peers=true\n", EINVAL},
	{"set=1\n" PEER "remove=yes\n", EINVAL},
	{"set=1\n" PEER "update_only=1\n", EINVAL},
	{"set=1\n" PEER "replace_allowed_ips=\n", EINVAL},
	{"set=1\n" PEER "preshared_key=12\n", EINVAL},
	{"set=1\n" PEER "endpoint=192.0.2.1\n", EINVAL},
	{"set=1\n" PEER "endpoint=example.org:1\n", EINVAL},
	{"set=1\n" PEER "endpoint=2001:db8::1:1\n", EINVAL},
	{"set=1\n" PEER "endpoint=[192.0.2.1]:1\n", EINVAL},
	{"set=1\n" PEER "endpoint=192.0.2.1:0\n", EINVAL},
	{"set=1\n" PEER "endpoint=[fe80::1%no-such-if]:1\n", EINVAL},
	{"set=1\n" PEER "persistent_keepalive_interval=65536\n", EINVAL},
	{"set=1\n" PEER "persistent_keepalive_interval=off\n", EINVAL},
	{"set=1\n" PEER "allowed_ip=10.0.0.1\n", EINVAL},
	{"set=1\n" PEER "allowed_ip=10.0.0.0/33\n", EINVAL},
	{"set=1\n" PEER "allowed_ip=+10.0.0.0/8\n", EINVAL},
	{"set=1\n" PEER "allowed_ip=--10.0.0.0/8\n", EINVAL},
	{"set=1\n" PEER "protocol_version=2\n", EINVAL},
};
#define MISTAKES ((int)(sizeof mistakes / sizeof mistakes[0]))

START_TEST(a_mistake_is_answered_and_changes_nothing)
{
	const struct mistake *m = &mistakes[_i];
	char text[2000], want[100];

	begin();
	ck_assert_str_eq(say(everything), OK);
	snprintf(text, sizeof text, "%s%s\nget=1\n\n", m->text,
		 strncmp(m->text, "set", 3) == 0 ? PEER "remove=true\n" : "");
	snprintf(want, sizeof want, "errno=%d\n\n", -m->err);
	say(text);
	ck_assert_msg(strncmp(answer, want, strlen(want)) == 0, "%s: %s",
		      m->text, answer);
	ck_assert_str_eq(answer + strlen(want), everything_got);
	ck_assert_uint_eq(world.wg.sets, 1);
	end();
}
END_TEST

START_TEST(the_answer_to_a_mistake_waits_for_no_more)
{
	begin();
	ck_assert_str_eq(say("set=1\nfoo=1\n"), "errno=-22\n\n");
	ck_assert_str_eq(say("public_key=" A "\n\n"), "");
	ck_assert_uint_eq(world.wg.count, 0);
	end();
}
END_TEST

START_TEST(a_line_of_a_megabyte_costs_nothing)
{
	const size_t len = 1u << 20;
	char *text = malloc(len + 64);

	begin();
	memset(text, 'a', len);
	strcpy(text + len, "\nlisten_port=1\n\nget=1\n\n");
	ck_assert_str_eq(say("set=1\n"), "");
	ck_assert_str_eq(say_in(text, 1000, 65536), "errno=-22\n\n" OK);
	/* Also where a request begins, and where it never ends. */
	ck_assert_str_eq(say_in(text, 65536, 65536), "errno=-22\n\n" OK);
	text[len] = '\0';
	ck_assert_str_eq(say(text), "errno=-22\n\n");
	free(text);
	end();
}
END_TEST

START_TEST(a_nul_in_a_line_is_a_mistake)
{
	static const char text[] = "set=1\nlisten_port=1\0"
				   "2\n\n";

	begin();
	ck_assert_uint_lt(uapi_input(uapi, text, sizeof text - 1, 1),
			  sizeof text);
	answer_len = 0;
	fetch(65536);
	ck_assert_str_eq(answer, "errno=-22\n\n");
	ck_assert_uint_eq(world.port, 0);
	end();
}
END_TEST

START_TEST(a_port_in_use_changes_nothing)
{
	begin();
	say(everything);
	world.bind_error = EADDRINUSE;
	ck_assert_str_eq(say("set=1\nlisten_port=53\nreplace_peers=true\n\n"),
			 "errno=-98\n\n");
	ck_assert_str_eq(say("get=1\n\n"), everything_got);
	end();
}
END_TEST

START_TEST(what_the_engine_refuses_leaves_the_socket_too)
{
	unsigned binds;

	begin();
	say(everything);
	binds = world.binds;
	world.wg.refuse = EINVAL;
	ck_assert_str_eq(say("set=1\nlisten_port=54\nfwmark=0\n\n"),
			 "errno=-22\n\n");
	world.wg.refuse = ENOMEM;
	ck_assert_str_eq(say("set=1\nlisten_port=54\nfwmark=0\n\n"),
			 "errno=-12\n\n");
	ck_assert_uint_eq(world.binds, binds);
	ck_assert_uint_eq(world.refused, 2);
	ck_assert_uint_eq(world.applied, 1);
	ck_assert_str_eq(say("get=1\n\n"), everything_got);
	end();
}
END_TEST

START_TEST(the_socket_is_bound_again_only_where_it_changes)
{
	begin();
	say("set=1\nlisten_port=51820\nfwmark=1\n\n");
	ck_assert_uint_eq(world.binds, 1);
	say("set=1\nlisten_port=51820\nfwmark=1\npublic_key=" A "\n\n");
	ck_assert_uint_eq(world.binds, 1);
	say("set=1\nfwmark=2\n\n");
	ck_assert_uint_eq(world.binds, 2);
	say("set=1\nlisten_port=0\n\n"); /* any other */
	ck_assert_uint_eq(world.binds, 3);
	ck_assert_str_eq(say("get=1\n\n"), "listen_port=40000\nfwmark=2\n" HEAD(
						   A, ZERO) TAIL("0") OK);
	end();
}
END_TEST

START_TEST(peers_are_changed_one_by_one)
{
	begin();
	say("set=1\npublic_key=" A "\nallowed_ip=10.0.0.0/8\n"
	    "public_key=" B "\nallowed_ip=::/0\n\n");
	say("set=1\npublic_key=" C "\nupdate_only=true\nallowed_ip=::/0\n"
	    "public_key=" B "\nupdate_only=true\n"
	    "persistent_keepalive_interval=7\n"
	    "public_key=" A "\nremove=true\n\n");
	ck_assert_str_eq(say("get=1\n\n"),
			 HEAD(B, ZERO) TAIL("7") "allowed_ip=::/0\n" OK);
	say("set=1\npublic_key=" B "\nallowed_ip=-::/0\n"
	    "allowed_ip=10.1.2.3/16\n\n");
	ck_assert_str_eq(say("get=1\n\n"),
			 HEAD(B, ZERO) TAIL("7") "allowed_ip=10.1.0.0/16\n" OK);
	say("set=1\npublic_key=" B "\nallowed_ip=10.9.0.0/16\n"
	    "replace_allowed_ips=true\nallowed_ip=10.2.0.0/16\n\n");
	ck_assert_str_eq(say("get=1\n\n"),
			 HEAD(B, ZERO) TAIL("7") "allowed_ip=10.2.0.0/16\n" OK);
	end();
}
END_TEST

START_TEST(zeros_clear_the_private_key)
{
	begin();
	ck_assert_str_eq(say("set=1\nprivate_key=" A "\n\nget=1\n\n"),
			 OK "private_key=" A "\n" OK);
	ck_assert_str_eq(say("set=1\nprivate_key=" ZERO "\n\nget=1\n\n"),
			 OK OK);
	end();
}
END_TEST

START_TEST(endpoints_have_one_spelling)
{
	begin();
	say("set=1\npublic_key=" A "\nendpoint=[::ffff:192.0.2.1]:9\n\n");
	ck_assert_ptr_nonnull(
		strstr(say("get=1\n\n"), "endpoint=192.0.2.1:9\n"));
	say("set=1\npublic_key=" A "\nendpoint=[fe80::1%lo]:9\n\n");
	ck_assert_ptr_nonnull(
		strstr(say("get=1\n\n"), "endpoint=[fe80::1%lo]:9\n"));
	end();
}
END_TEST

/* ---- many ---- */

#define MANY 10000u

static char *many_peers(void)
{
	char *text = malloc(MANY * 200 + 100), *at = text;
	uint8_t key[KEY_BYTES] = {[31] = 1};
	char hex[KEY_HEX + 1];

	at += sprintf(at, "set=1\nreplace_peers=true\n");
	for (uint32_t i = 0; i < MANY; i++) {
		memcpy(key, &i, sizeof i);
		key_to_hex(key, hex);
		at += sprintf(at,
			      "public_key=%s\nallowed_ip=10.%u.%u.1/32\n"
			      "allowed_ip=fd00::%x/128\n",
			      hex, i >> 8, i & 255, i);
	}
	strcpy(at, "\n");
	return text;
}

/* Lines that begin so. */
static unsigned count(const char *text, const char *what)
{
	const char *end = text + answer_len;
	size_t len = strlen(what);
	unsigned n = 0;

	while ((size_t)(end - text) >= len) {
		n += memcmp(text, what, len) == 0;
		text = memchr(text, '\n', (size_t)(end - text));
		if (!text)
			break;
		text++;
	}
	return n;
}

START_TEST(thousands_of_peers_are_told_in_pieces)
{
	char *text = many_peers();

	begin();
	ck_assert_str_eq(say_in(text, 65536, 65536), OK);
	for (size_t room = UAPI_OUTPUT_MIN; room <= 65536; room *= 8) {
		say_in("get=1\n\n", 7, room);
		ck_assert_uint_eq(count(answer, "public_key="), MANY);
		ck_assert_uint_eq(count(answer, "allowed_ip="), 2 * MANY);
		ck_assert_uint_eq(count(answer, "errno=0\n\n"), 1);
	}
	free(text);
	end();
}
END_TEST

START_TEST(peers_may_go_between_two_pieces)
{
	char *text = many_peers();
	size_t n;

	begin();
	say_in(text, 65536, 65536);
	uapi_input(uapi, "get=1\n\n", 7, 1);
	answer_len = uapi_output(uapi, answer, 65536);
	for (size_t i = 0; i < MANY; i += 2)
		world.wg.peers[i]->gone = true;
	while ((n = uapi_output(uapi, answer + answer_len, 65536)))
		answer_len += n;
	answer[answer_len] = '\0';
	n = count(answer, "public_key=");
	ck_assert(n > MANY / 2 && n < MANY);
	ck_assert_uint_eq(count(answer, "errno=0\n\n"), 1);
	free(text);
	end();
}
END_TEST

START_TEST(a_peer_of_many_prefixes_is_told_in_pieces)
{
	char line[64];

	begin();
	say("set=1\n");
	say("public_key=" A "\n");
	for (unsigned i = 0; i < 5000; i++) {
		snprintf(line, sizeof line, "allowed_ip=10.%u.%u.0/24\n",
			 i >> 8, i & 255);
		ck_assert_str_eq(say(line), "");
	}
	ck_assert_str_eq(say("\n"), OK);
	say_in("get=1\n\n", 7, UAPI_OUTPUT_MIN);
	ck_assert_uint_eq(count(answer, "allowed_ip="), 5000);
	ck_assert_uint_eq(count(answer, "allowed_ip=10.7.77.0/24\n"), 1);
	end();
}
END_TEST

START_TEST(a_set_is_bounded)
{
	begin();
	say("set=1\n");
	for (unsigned i = 0; i < UAPI_ENTRIES_MAX; i++)
		ck_assert_uint_eq(uapi_input(uapi, "public_key=" A "\n", 76, 1),
				  76);
	ck_assert_str_eq(say("public_key=" A "\n"), "errno=-7\n\n");
	ck_assert_str_eq(say("\n"), "");
	ck_assert_uint_eq(world.wg.sets, 0);
	end();
}
END_TEST

SUITE("wg-uapi", t)
{
	tcase_set_timeout(t, 120);
	tcase_add_test(t, what_was_set_is_told);
	tcase_add_test(t, bytes_may_come_one_by_one);
	tcase_add_test(t, requests_may_be_pipelined);
	tcase_add_test(t, no_byte_is_taken_while_an_answer_waits);
	tcase_add_loop_test(t, a_mistake_is_answered_and_changes_nothing, 0,
			    MISTAKES);
	tcase_add_test(t, the_answer_to_a_mistake_waits_for_no_more);
	tcase_add_test(t, a_line_of_a_megabyte_costs_nothing);
	tcase_add_test(t, a_nul_in_a_line_is_a_mistake);
	tcase_add_test(t, a_port_in_use_changes_nothing);
	tcase_add_test(t, what_the_engine_refuses_leaves_the_socket_too);
	tcase_add_test(t, the_socket_is_bound_again_only_where_it_changes);
	tcase_add_test(t, peers_are_changed_one_by_one);
	tcase_add_test(t, zeros_clear_the_private_key);
	tcase_add_test(t, endpoints_have_one_spelling);
	tcase_add_test(t, thousands_of_peers_are_told_in_pieces);
	tcase_add_test(t, peers_may_go_between_two_pieces);
	tcase_add_test(t, a_peer_of_many_prefixes_is_told_in_pieces);
	tcase_add_test(t, a_set_is_bounded);
}
