/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a blackhole tells its clients. */
#include <check.h>
#include <errno.h>

#include "loopback.h"
#include "realhost.h"
#include "tests/suite.h"

extern const struct weir_plugin weir_plugin_1;

#define BLACKHOLE (weir_plugin_1.components[0])

/* The component's struct is its own; the one option is at its beginning. */
static const struct {
	int response;
} silent = {0}, refuse = {1};

START_TEST(a_stream_is_dropped_in_silence_or_refused_at_once)
{
	struct weir_instance *h =
		real_new(BLACKHOLE, _i ? &refuse : &silent, NULL);
	struct weir_addr to = loopback_addr(AF_INET, 80);
	struct weir_end *e = real_open(h, &to, WEIR_NET_TCP);

	ck_assert(e->failed);
	ck_assert_int_eq(e->err, _i ? ECONNREFUSED : WEIR_ESILENT);
	real_end_free(e, 0);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

START_TEST(a_flow_swallows_and_counts_or_refuses_each_peer)
{
	struct weir_instance *h =
		real_new(BLACKHOLE, _i ? &refuse : &silent, NULL);
	struct weir_addr a = loopback_addr(AF_INET, 53);
	struct weir_addr b = loopback_addr(AF_INET6, 53);
	struct weir_datagram v[] = {
		{&a, "one", 3, 0}, {&a, "two", 3, 0}, {&b, "", 0, 0}};
	struct weir_end *e =
		real_open(h, &a, _i ? WEIR_NET_UDP : WEIR_NET_ICMP);

	ck_assert_ptr_nonnull(e->flow);
	ck_assert_int_eq(e->flow->send(e->object, v, 3), 3);
	ck_assert_uint_eq(e->unreachables, _i ? 2 : 0);
	if (_i) {
		ck_assert_int_eq(e->unreachable_err, ECONNREFUSED);
		ck_assert(weir_addr_equal(&e->unreachable_peer, &b));
	}
	ck_assert_uint_eq(real_counter(h, "datagrams"), 3);
	ck_assert_uint_eq(real_counter(h, "bytes"), 6);
	real_end_free(e, 0);
	ck_assert_uint_eq(real_free(h), 0);
}
END_TEST

SUITE("blackhole", t)
{
	tcase_add_loop_test(
		t, a_stream_is_dropped_in_silence_or_refused_at_once, 0, 2);
	tcase_add_loop_test(t, a_flow_swallows_and_counts_or_refuses_each_peer,
			    0, 2);
}
