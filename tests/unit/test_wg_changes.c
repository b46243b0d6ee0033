/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A tunnel on real sockets of the loopback, in virtual time: where its peers
 * are, as the network changes and names come to mean something else. */
#include "tests/unit/wgtunnel.h"

#include <sys/timerfd.h>
#include <unistd.h>

#include "plugins/wireguard/device.h"
#include "plugins/wireguard/endpoint.h"
#include "plugins/wireguard/udp_private.h"
#include "tests/suite.h"

#define FDS_MOST 64

/* ---- the network's changes */

static const struct left *last_sent(const struct side *by)
{
	size_t i = w.sent_count;

	while (i-- > 0 && w.sent[i].by != by)
		;
	ck_assert_uint_lt(i, w.sent_count);
	return &w.sent[i];
}

/* b speaks to 127.0.0.`spoken_to` of a's. */
static void connect_from_b(uint8_t spoken_to)
{
	struct wg_peer_set peer = {
		.flags = WG_PEER_ENDPOINT,
		.endpoint.addr = {.kind = WEIR_ADDR_IP4,
				  .port = wg_udp_port(w.a.tunnel.udp),
				  .ip = {127, 0, 0, spoken_to}}};

	change_peer(&w.b, &w.a, &peer);
	offer(&w.b, A_INNER, 100, 0);
	settle();
	ck_assert_uint_eq(w.a.got, 1);
}

START_TEST(a_change_elsewhere_keeps_the_session_and_greets_the_peer)
{
	begin();
	connect_both();
	tunnel_refresh(&w.a.tunnel, false);
	settle();
	ck_assert_uint_eq(count_sent(&w.a, MESSAGE_INITIATION), 1);
	ck_assert_uint_eq(count_sent(&w.a, MESSAGE_DATA), 2);
	ck_assert_uint_eq(last_sent(&w.a)->len, WG_OVERHEAD);
	end();
}
END_TEST

static struct wg_peer *peer_of(const struct side *s, const struct side *other)
{
	return wg_peer_find(s->tunnel.device, other->public_key);
}

/* One that a would not choose by itself. */
START_TEST(a_change_elsewhere_keeps_the_address_that_was_spoken_to)
{
	struct wg_peer_info info;

	begin();
	connect_from_b(9);
	for (unsigned i = 1; i <= 2; i++) {
		tunnel_refresh(&w.a.tunnel, false);
		settle();
		ck_assert_uint_eq(count_sent(&w.a, MESSAGE_INITIATION), 0);
		ck_assert_uint_eq(last_sent(&w.a)->len, WG_OVERHEAD);
		wg_peer_get(peer_of(&w.b, &w.a), &info);
		ck_assert_uint_eq(info.endpoint.addr.ip[3], 9);
	}
	end();
}
END_TEST

static void lose_address(void)
{
	peer_of(&w.a, &w.b)->endpoint.local.ip[0] = UNREACHABLE;
}

/* As if it had been heard on another than the one that leads there now. */
static void lose_interface(void)
{
	peer_of(&w.a, &w.b)->endpoint.local_if++;
}

START_TEST(a_change_of_our_own_way_makes_a_new_session)
{
	static void (*const losses[])(void) = {lose_address, lose_interface};

	begin();
	connect_both();
	pass(1);
	losses[_i]();
	tunnel_refresh(&w.a.tunnel, false);
	settle();
	ck_assert_uint_eq(count_sent(&w.a, MESSAGE_INITIATION), 2);
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "handshakes"), 2);
	end();
}
END_TEST

START_TEST(a_peer_at_a_link_local_address_uses_that_link)
{
	begin();
	connect_both();
	ck_assert(!tunnel_uses_link(&w.a.tunnel, 7));
	peer_of(&w.a, &w.b)->endpoint.scope = 7;
	ck_assert(tunnel_uses_link(&w.a.tunnel, 7));
	end();
}
END_TEST

START_TEST(who_sleeps_is_not_woken_by_a_change)
{
	size_t before;

	begin();
	connect_both();
	pass(200);
	before = w.sent_count;
	tunnel_refresh(&w.a.tunnel, true);
	settle();
	ck_assert_uint_eq(w.sent_count, before);
	end();
}
END_TEST

START_TEST(who_has_a_keepalive_does_not_sleep)
{
	struct wg_peer_set peer = {.flags = WG_PEER_KEEPALIVE,
				   .keepalive_s = 1000};

	begin();
	connect_both();
	change_peer(&w.a, &w.b, &peer);
	pass(200);
	tunnel_refresh(&w.a.tunnel, true);
	settle();
	ck_assert_uint_eq(count_sent(&w.a, MESSAGE_INITIATION), 2);
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "handshakes"), 2);
	end();
}
END_TEST

/* ---- endpoints that are names */

#define NAME "b.example"
#define ELSEWHERE 198

/* At the port of b; of which only 127.0.0.1 is anybody. */
static struct weir_addr place(uint8_t first, uint8_t last)
{
	return (struct weir_addr){.kind = WEIR_ADDR_IP4,
				  .port = wg_udp_port(w.b.tunnel.udp),
				  .ip = {first, 0, 0, last}};
}

/* NAME stands for this address from now on. */
static void name_means(uint8_t first, uint8_t last)
{
	struct weir_addr a = place(first, last);

	fakehost_name(w.host, NAME, 0, &a, 1);
}

/* b is at NAME, which stands for an address of this first byte. */
static void begin_named(uint8_t first)
{
	begin_with((struct weir_addr){.kind = WEIR_ADDR_NAME, .name = NAME});
	name_means(first, 1);
	w.refuse_ip = ELSEWHERE;
	w.refuse_err = ENETUNREACH;
}

static bool is_at(uint8_t first, uint8_t last)
{
	struct weir_addr a = place(first, last);
	struct wg_peer_info info;

	wg_peer_get(peer_of(&w.a, &w.b), &info);
	return weir_addr_equal(&info.endpoint.addr, &a);
}

/* As wg does. */
static void set_endpoint(uint8_t first, uint8_t last)
{
	struct wg_peer_set peer = {.flags = WG_PEER_ENDPOINT,
				   .endpoint.addr = place(first, last)};

	change_peer(&w.a, &w.b, &peer);
}

START_TEST(a_name_is_looked_up_when_a_handshake_begins)
{
	begin_named(127);
	connect_both();
	ck_assert(is_at(127, 1));
	end();
}
END_TEST

START_TEST(a_retry_in_vain_looks_the_name_up_anew)
{
	begin_named(ELSEWHERE);
	offer(&w.a, B_INNER, 100, 0);
	settle();
	ck_assert(is_at(ELSEWHERE, 1));
	name_means(127, 1);
	pass(12);
	ck_assert(is_at(127, 1));
	ck_assert_uint_eq(w.b.got, 1);
	end();
}
END_TEST

/* The answer comes a turn after the question. */
START_TEST(an_answer_that_comes_late_does_not_overrule_wg)
{
	begin_named(ELSEWHERE);
	offer(&w.a, B_INNER, 100, 0);
	wg_flush(w.a.tunnel.device, fakehost_table(w.host)->now_us());
	set_endpoint(127, 1);
	settle();
	ck_assert(is_at(127, 1));
	ck_assert_uint_eq(w.b.got, 1);
	end();
}
END_TEST

START_TEST(what_wg_has_set_holds_against_the_name)
{
	begin_named(127);
	set_endpoint(ELSEWHERE, 1);
	offer(&w.a, B_INNER, 100, 0);
	pass(30);
	ck_assert(is_at(ELSEWHERE, 1));
	end();
}
END_TEST

/* wg syncconf says all that was there. */
START_TEST(what_wg_repeats_is_not_set)
{
	begin_named(ELSEWHERE);
	offer(&w.a, B_INNER, 100, 0);
	settle();
	set_endpoint(ELSEWHERE, 1);
	name_means(127, 1);
	pass(12);
	ck_assert(is_at(127, 1));
	end();
}
END_TEST

START_TEST(an_answer_that_comes_late_does_not_overrule_the_peer)
{
	begin_named(127);
	connect_both();
	pass(5); /* the name may be asked for again */
	name_means(ELSEWHERE, 1);
	endpoint_wanted(w.a.tunnel.endpoints, peer_of(&w.a, &w.b), true);
	/* It speaks just then. */
	ck_assert(offer(&w.b, A_INNER, 100, 0));
	tunnel_writable(&w.b.tunnel);
	wg_udp_read(&w.a.tunnel.udp->socket[WG_V4]);
	ck_assert_uint_eq(w.a.got, 1);
	settle();
	ck_assert(is_at(127, 1));
	end();
}
END_TEST

/* b is connected, and its name has come to stand for another place of its. */
static void move_name(void)
{
	begin_named(127);
	name_means(127, 2);
	connect_both();
	pass(1);
	name_means(127, 1);
}

START_TEST(a_name_that_has_moved_with_the_network_is_followed_at_once)
{
	move_name();
	lose_address();
	tunnel_refresh(&w.a.tunnel, false);
	settle();
	ck_assert(is_at(127, 1));
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "handshakes"), 2);
	pass(5);
	tunnel_refresh(&w.a.tunnel, false);
	settle();
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "handshakes"), 2);
	end();
}
END_TEST

/* What the name servers say may be older than where it was heard. */
START_TEST(a_name_moves_no_peer_that_answers_where_it_is)
{
	move_name();
	tunnel_refresh(&w.a.tunnel, false);
	pass(20);
	ck_assert(is_at(127, 2));
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "handshakes"), 2);
	end();
}
END_TEST

/* Its session stands, and nothing else would tell for 15 s. */
START_TEST(a_name_is_followed_from_a_place_that_does_not_answer)
{
	move_name();
	w.lost_ip = 2;
	tunnel_refresh(&w.a.tunnel, false);
	pass(4);
	ck_assert(is_at(127, 2));
	pass(2);
	ck_assert(is_at(127, 1));
	ck_assert_uint_eq(fakehost_counter(w.a.instance, "handshakes"), 2);
	end();
}
END_TEST

/* ---- IPv4 addresses written as IPv6 */

static const struct weir_addr mapped = {
	.kind = WEIR_ADDR_IP6, .ip = {[10] = 0xff, [11] = 0xff, 127, 0, 0, 1}};

/* Written so, and as what a name stands for. */
START_TEST(an_ip4_address_in_ip6_is_an_ip4_endpoint)
{
	if (_i)
		begin_named(ELSEWHERE);
	else
		begin_with(mapped);
	fakehost_name(w.host, NAME, 0, &mapped, 1);
	connect_both();
	ck_assert(is_at(127, 1));
	end();
}
END_TEST

/* ---- sleep */

/* The kernel tells whoever waits for the wall clock to be set. */
static void wall_clock_set(void)
{
	char path[64], what[64];
	struct itimerspec left;
	int heard = 0;

	for (int fd = 0; fd < FDS_MOST; fd++) {
		ssize_t n;

		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
		n = readlink(path, what, sizeof what - 1);
		what[n < 0 ? 0 : n] = '\0';
		if (!strstr(what, "timerfd"))
			continue;
		ck_assert_int_eq(timerfd_gettime(fd, &left), 0);
		ck_assert(left.it_value.tv_sec);
		heard += fakehost_fire(w.host, fd, WEIR_READABLE);
	}
	ck_assert_int_eq(heard, 2);
}

START_TEST(who_wakes_up_uses_no_key_of_yesterday)
{
	begin();
	connect_both();
	wall_clock_set();
	offer(&w.a, B_INNER, 100, 1);
	settle();
	ck_assert_uint_eq(count_sent(&w.a, MESSAGE_INITIATION), 1);
	pass(6); /* between two handshakes */
	w.asleep_s = 3600;
	wall_clock_set();
	offer(&w.a, B_INNER, 100, 2);
	settle();
	ck_assert_uint_eq(count_sent(&w.a, MESSAGE_INITIATION), 2);
	ck_assert_uint_eq(w.b.got, 3);
	end();
}
END_TEST

SUITE("wg_changes", t)
{
	const TTest *const tests[] = {
		a_change_elsewhere_keeps_the_session_and_greets_the_peer,
		a_change_elsewhere_keeps_the_address_that_was_spoken_to,
		a_peer_at_a_link_local_address_uses_that_link,
		who_sleeps_is_not_woken_by_a_change,
		who_has_a_keepalive_does_not_sleep,
		a_name_is_looked_up_when_a_handshake_begins,
		a_retry_in_vain_looks_the_name_up_anew,
		an_answer_that_comes_late_does_not_overrule_wg,
		what_wg_has_set_holds_against_the_name,
		what_wg_repeats_is_not_set,
		an_answer_that_comes_late_does_not_overrule_the_peer,
		a_name_that_has_moved_with_the_network_is_followed_at_once,
		a_name_moves_no_peer_that_answers_where_it_is,
		a_name_is_followed_from_a_place_that_does_not_answer,
		who_wakes_up_uses_no_key_of_yesterday,
	};

	tcase_set_timeout(t, 60);
	tcase_add_loop_test(t, a_change_of_our_own_way_makes_a_new_session, 0,
			    2);
	tcase_add_loop_test(t, an_ip4_address_in_ip6_is_an_ip4_endpoint, 0, 2);
	for (size_t i = 0; i < sizeof tests / sizeof *tests; i++)
		tcase_add_test(t, tests[i]);
}
