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
	ck_assert_uint_eq(policy_flow_idle_ms(p, WEIR_NET_UDP, 853), 30000);
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

/* Level 7 beside level 0; sessions of "in" have `inbound`. */
static struct fake *world_of(uint32_t inbound)
{
	struct fake *world = fake_pair();

	world->levels[1] = world->levels[0];
	world->levels[1].level = 7;
	world->levels[1].policy.buffer_bytes = 77;
	world->config.levels.count = 2;
	world->inbounds[0].inbound.level = inbound;
	fake_start(world);
	return world;
}

static void finish_sessions(struct fake *world)
{
	while (fake_core(world)->session_count)
		fake_turn(world);
	fake_stop(world);
}

/* What a session may hold, of an inbound and a user with these levels. */
static uint32_t stream_holds(uint32_t inbound, uint32_t user)
{
	static struct fake_end client;
	struct fake *world = world_of(inbound);
	struct fake_part *out = fake_part(world, "out");
	uint32_t held;

	fake_end_init(&client, FAKE_READ | FAKE_WRITE);
	client.level = user;
	client.in_len = FAKE_BYTES;
	ck_assert_ptr_nonnull(
		fake_accept(fake_part(world, "in"), &client, "192.0.2.1:80"));
	fake_open_ready(fake_opened(out, 0));
	fake_opened(out, 0)->stream.room = 0;
	fake_turn(world);
	ck_assert_uint_eq(out->host->policy(client.handle)->buffer_bytes,
			  client.in_off);
	held = (uint32_t)client.in_off;
	fake_end_fail(&client, ECONNRESET, "");
	finish_sessions(world);
	return held;
}

START_TEST(policy_of_a_stream_is_that_of_its_user_or_its_inbound)
{
	ck_assert_uint_eq(stream_holds(0, 0), 4096);
	ck_assert_uint_eq(stream_holds(7, 0), 77);
	ck_assert_uint_eq(stream_holds(0, 7), 77);
}
END_TEST

static uint32_t flow_level(uint32_t inbound, uint32_t user)
{
	static struct fake_flow client;
	struct fake *world = world_of(inbound);
	struct fake_part *in = fake_part(world, "in");
	uint32_t found;

	fake_flow_init(&client);
	client.level = user;
	ck_assert_ptr_nonnull(fake_accept_flow(in, &client, "192.0.2.1:80"));
	found = in->host->policy(client.handle)->buffer_bytes;
	in->host->fail(client.handle, ECONNRESET, "");
	finish_sessions(world);
	return found;
}

START_TEST(policy_of_a_flow_is_that_of_its_user_or_its_inbound)
{
	ck_assert_uint_eq(flow_level(0, 0), 4096);
	ck_assert_uint_eq(flow_level(7, 0), 77);
	ck_assert_uint_eq(flow_level(0, 7), 77);
}
END_TEST

FAKE_MAIN("policy", policy_of_a_stream_is_that_of_its_user_or_its_inbound,
	  policy_of_a_flow_is_that_of_its_user_or_its_inbound,
	  policy_of_a_level_is_its_own,
	  policy_of_an_unknown_level_is_that_of_level_0,
	  policy_keeps_short_exchanges_for_a_short_time,
	  policy_never_keeps_a_flow_longer_than_the_level_says)
