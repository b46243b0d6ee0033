/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tunnel on real sockets of the loopback, in virtual time: what it does when
 * sending fails or cannot go on. */
#include "tests/suite.h"

#include "tests/unit/wgtunnel.h"

#ifdef WEIR_AEAD_IPSEC_MB
#include <intel-ipsec-mb.h>
#endif
#ifdef WEIR_AEAD_OPENSSL
#include <openssl/evp.h>
#endif

/* ---- errors of the socket */

/* A peer that cannot be reached, beside one that can. */
static void fail_to_send(int err)
{
	w.refuse_ip = UNREACHABLE;
	w.refuse_err = err;
	offer(&w.a, FAR_INNER, 100, 0);
	settle();
	pass(6);
}

START_TEST(one_unreachable_peer_disturbs_no_other)
{
	static const int errs[] = {ENETUNREACH, EHOSTUNREACH, EINVAL,  EPERM,
				   EACCES,	ECONNREFUSED, EMSGSIZE};

	begin();
	connect_both();
	fail_to_send(errs[_i]);
	ck_assert_uint_gt(fakehost_counter(w.a.instance, "udp_failed"), 0);
	ck_assert_ptr_null(strstr(fakehost_log(w.host), "network has changed"));
	ck_assert_uint_eq(count_sent(&w.a, MESSAGE_INITIATION), 1);
	end();
}
END_TEST

static uint64_t bytes_sent(const struct side *s)
{
	struct wg_peer *p = NULL;
	struct wg_peer_info info;
	uint64_t n = 0;

	while ((p = wg_peer_next(s->tunnel.device, p))) {
		wg_peer_get(p, &info);
		n += info.tx_bytes;
	}
	return n;
}

/* To whom there is a session, and to whom there is none. */
START_TEST(what_the_system_did_not_send_is_not_counted_as_sent)
{
	uint64_t before;

	begin();
	connect_both();
	before = bytes_sent(&w.a);
	fail_to_send(ENETUNREACH);
	w.refuse_ip = 127;
	offer(&w.a, B_INNER, 100, 0);
	settle();
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "udp_failed"), 3);
	ck_assert_uint_eq(bytes_sent(&w.a), before);
	end();
}
END_TEST

START_TEST(a_socket_that_is_broken_is_made_anew)
{
	static const int errs[] = {EBADF, ENODEV, ENXIO, ENETDOWN,
				   EADDRNOTAVAIL};
	uint16_t port;

	begin();
	connect_both();
	port = wg_udp_port(w.a.tunnel.udp);
	fail_to_send(errs[_i]);
	ck_assert_ptr_nonnull(
		strstr(fakehost_log(w.host), "network has changed"));
	ck_assert_uint_eq(wg_udp_port(w.a.tunnel.udp), port);
	offer(&w.a, B_INNER, 100, 0);
	settle();
	ck_assert_uint_eq(w.b.got, 2);
	end();
}
END_TEST

START_TEST(a_cookie_that_cannot_be_sent_mends_nothing)
{
	struct wg_endpoint to = {.addr = {.kind = WEIR_ADDR_IP4,
					  .port = 1,
					  .ip = {UNREACHABLE, 0, 2, 1}}};
	uint8_t room[WG_HEADROOM + MESSAGE_COOKIE_REPLY_BYTES + WG_TAIL] = {0};

	begin();
	w.refuse_ip = UNREACHABLE;
	w.refuse_err = ENODEV;
	tunnel_engine_ops.send(&w.a.tunnel, NULL, &to, room + WG_HEADROOM,
			       MESSAGE_COOKIE_REPLY_BYTES,
			       MESSAGE_COOKIE_REPLY_BYTES, 0);
	pass(6);
	ck_assert_ptr_null(strstr(fakehost_log(w.host), "network has changed"));
	end();
}
END_TEST

/* ---- a full socket */

/* Both are connected, and the socket of a takes nothing: how many packets the
 * tunnel took until it was full. */
static unsigned begin_full(void)
{
	uint16_t taken = 0;

	begin();
	connect_both();
	w.room_left = 0;
	while (offer(&w.a, B_INNER, MTU, taken)) {
		taken++;
		if (taken % 40 == 0)
			fakehost_turn(w.host);
	}
	return taken;
}

/* Nobody waits for room in a socket that is gone. */
static void check_goes_on(unsigned taken)
{
	w.room_left = UINT32_MAX;
	settle();
	ck_assert_uint_eq(w.a.writable, 1);
	ck_assert_uint_eq(w.b.got, 1 + taken);
	ck_assert(offer(&w.a, B_INNER, MTU, 0));
}

static void take_another_port(void)
{
	ck_assert_int_eq(tunnel_uapi_ops.socket_set(&w.a.tunnel, 0, 0), 0);
}

static void ask_for_a_port_that_is_taken(void)
{
	uint16_t port = wg_udp_port(w.b.tunnel.udp);

	ck_assert_int_eq(tunnel_uapi_ops.socket_set(&w.a.tunnel, port, 0),
			 EADDRINUSE);
}

static void open_anew(void)
{
	tunnel_refresh(&w.a.tunnel, true);
}

START_TEST(a_socket_that_was_full_stalls_nothing_when_it_goes)
{
	static void (*const goes[])(void) = {
		take_another_port, ask_for_a_port_that_is_taken, open_anew};
	unsigned taken = begin_full();

	goes[_i]();
	check_goes_on(taken);
	end();
}
END_TEST

/* ---- a train that stopped halfway */

#define HALFWAY_ALL 8

/* Each datagram that the peer got was new to it, and none is missing. */
static void check_each_once(unsigned count)
{
	unsigned sent = count_sent(&w.a, MESSAGE_DATA);

	ck_assert_uint_eq(w.b.got, count);
	ck_assert_uint_eq(sent, count);
	ck_assert_uint_eq(fakehost_counter(w.b.instance, "dropped_window"), 0);
}

/* Of so many datagrams the socket has taken three. */
static void begin_halfway(void)
{
	begin();
	connect_both();
	w.no_trains = true;
	w.room_left = 3;
	for (uint16_t i = 0; i < HALFWAY_ALL; i++)
		ck_assert(offer(&w.a, B_INNER, MTU, i));
	fakehost_turn(w.host);
}

START_TEST(a_train_goes_on_where_it_stopped)
{
	begin_halfway();
	w.room_left = 2;
	tunnel_writable(&w.a.tunnel);
	w.room_left = UINT32_MAX;
	settle();
	check_each_once(1 + HALFWAY_ALL);
	end();
}
END_TEST

/* The route may lead to another device by then. */
START_TEST(trains_are_tried_again_after_a_while)
{
	uint64_t before;

	begin_halfway();
	w.room_left = UINT32_MAX;
	tunnel_writable(&w.a.tunnel);
	w.no_trains = false;
	before = fakehost_counter(w.a.instance, "udp_sent_trains");
	offer(&w.a, B_INNER, MTU, 0);
	offer(&w.a, B_INNER, MTU, 1);
	fakehost_turn(w.host);
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "udp_sent_trains"),
			  before + 2);
	fakehost_advance(w.host, 10 * SECOND_US);
	settle();
	before = fakehost_counter(w.a.instance, "udp_sent_trains");
	offer(&w.a, B_INNER, MTU, 2);
	offer(&w.a, B_INNER, MTU, 3);
	fakehost_turn(w.host);
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "udp_sent_trains"),
			  before + 1);
	end();
}
END_TEST

static struct wg_peer *find_far(void)
{
	static const uint8_t nobody[WG_KEY_BYTES] = {9};

	return wg_peer_find(w.a.tunnel.device, nobody);
}

/* A handshake message for another peer, which fails. */
START_TEST(what_is_sent_meanwhile_does_not_begin_it_again)
{
	begin_halfway();
	w.refuse_ip = UNREACHABLE;
	w.refuse_err = ENETUNREACH;
	wg_peer_connect(find_far(), true, fakehost_table(w.host)->now_us());
	fakehost_turn(w.host);
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "udp_failed"), 1);
	w.room_left = UINT32_MAX;
	settle();
	check_each_once(1 + HALFWAY_ALL);
	end();
}
END_TEST

/* ---- whose the sessions are */

static uint64_t holder(uint8_t inner)
{
	struct weir_addr a = {.kind = WEIR_ADDR_IP4, .ip = {10, 0, 0, inner}};

	return w.a.ops->holder(&w.a.tunnel, &a);
}

static struct wg_allowed b_inner = {
	.prefix = {{.kind = WEIR_ADDR_IP4, .ip = {10, 0, 0, B_INNER}}, 32}};

START_TEST(a_peer_that_comes_back_is_the_same)
{
	struct wg_peer_set gone = {.flags = WG_PEER_REMOVE};
	struct wg_peer_set again = {.allowed = &b_inner, .allowed_count = 1};
	uint64_t before;

	begin();
	before = holder(B_INNER);
	ck_assert(before && before != holder(FAR_INNER));
	change_peer(&w.a, &w.b, &gone);
	ck_assert_uint_eq(holder(B_INNER), 0);
	ck_assert_uint_eq(w.a.rechecks, 1);
	change_peer(&w.a, &w.b, &again);
	ck_assert_uint_eq(holder(B_INNER), before);
	ck_assert_uint_eq(w.a.rechecks, 1);
	end();
}
END_TEST

START_TEST(who_takes_an_address_is_another)
{
	struct wg_peer_set heir = {.allowed = &b_inner, .allowed_count = 1};
	struct side far = {.public_key = {9}}; /* as wgtunnel.h has it */

	begin();
	change_peer(&w.a, &far, &heir);
	ck_assert_uint_eq(holder(B_INNER), holder(FAR_INNER));
	ck_assert_uint_eq(w.a.rechecks, 1);
	end();
}
END_TEST

/* ---- the library of the data path */

#ifdef WEIR_AEAD_IPSEC_MB
/* In place of the library's: a processor that it does not suit. */
IMB_MGR *alloc_mb_mgr(uint64_t flags)
{
	(void)flags;
	return NULL;
}
#endif

#ifdef WEIR_AEAD_OPENSSL
START_TEST(that_libcrypto_may_not_seal_is_told_and_packets_pass)
{
	begin();
	ck_assert_ptr_nonnull(strstr(fakehost_log(w.host), "by openssl"));
	end();
	ck_assert(EVP_set_default_properties(NULL, "fips=yes"));
	begin();
	ck_assert_ptr_nonnull(strstr(fakehost_log(w.host), "wolfssl does"));
	connect_both();
	end();
	ck_assert(EVP_set_default_properties(NULL, ""));
}
END_TEST
#endif

SUITE("wg_tunnel", t)
{
	const TTest *const tests[] = {
		what_the_system_did_not_send_is_not_counted_as_sent,
		a_cookie_that_cannot_be_sent_mends_nothing,
		a_train_goes_on_where_it_stopped,
		trains_are_tried_again_after_a_while,
		what_is_sent_meanwhile_does_not_begin_it_again,
		a_peer_that_comes_back_is_the_same,
		who_takes_an_address_is_another,
#ifdef WEIR_AEAD_OPENSSL
		that_libcrypto_may_not_seal_is_told_and_packets_pass,
#endif
	};

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, one_unreachable_peer_disturbs_no_other, 0, 7);
	tcase_add_loop_test(t, a_socket_that_is_broken_is_made_anew, 0, 5);
	tcase_add_loop_test(
		t, a_socket_that_was_full_stalls_nothing_when_it_goes, 0, 3);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(t, tests[i]);
}
