/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Levels and idle classes. */
#include "core/policy.h"
#include "fake.h"

static struct config_level levels[] = {
	{.level = 7, .policy.idle_ms = 7000},
	{.level = 0, .policy.idle_ms = 300000},
};
static const struct config config = {.levels = {levels, 2}};

START_TEST(policy_of_a_level_is_its_own)
{
	ck_assert_uint_eq(policy_of(&config, 7)->idle_ms, 7000);
	ck_assert_uint_eq(policy_of(&config, 0)->idle_ms, 300000);
}
END_TEST

START_TEST(policy_of_an_unknown_level_is_that_of_level_0)
{
	ck_assert_ptr_eq(policy_of(&config, 3), policy_of(&config, 0));
}
END_TEST

START_TEST(policy_keeps_short_exchanges_for_a_short_time)
{
	const struct weir_policy *p = policy_of(&config, 0);

	ck_assert_uint_eq(policy_flow_idle_ms(p, WEIR_NET_UDP, 53), 10000);
	ck_assert_uint_eq(policy_flow_idle_ms(p, WEIR_NET_UDP, 123), 10000);
	ck_assert_uint_eq(policy_flow_idle_ms(p, WEIR_NET_UDP, 3478), 10000);
	ck_assert_uint_eq(policy_flow_idle_ms(p, WEIR_NET_UDP, 443), 30000);
	ck_assert_uint_eq(policy_flow_idle_ms(p, WEIR_NET_ICMP, 0), 30000);
	ck_assert_uint_eq(policy_flow_idle_ms(p, WEIR_NET_UDP, 9), 300000);
}
END_TEST

START_TEST(policy_never_keeps_a_flow_longer_than_the_level_says)
{
	const struct weir_policy *p = policy_of(&config, 7);

	ck_assert_uint_eq(policy_flow_idle_ms(p, WEIR_NET_UDP, 53), 7000);
	ck_assert_uint_eq(policy_flow_idle_ms(p, WEIR_NET_ICMP, 0), 7000);
}
END_TEST

FAKE_MAIN("policy", policy_of_a_level_is_its_own,
	  policy_of_an_unknown_level_is_that_of_level_0,
	  policy_keeps_short_exchanges_for_a_short_time,
	  policy_never_keeps_a_flow_longer_than_the_level_says)
