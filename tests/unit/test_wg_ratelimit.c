/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How many handshakes a source may start. */
#include "wg.h"

#include "ratelimit.h"

#define START_US (5 * S_US)
#define GAP_US (50 * MS_US) /* of 20 a second */

static struct ratelimit limit;
static struct counting source;

static void begin(void)
{
	source = (struct counting){0, {counting_fill, &source}};
	ratelimit_init(&limit, &source.random);
}

static struct weir_addr ip4(uint32_t host)
{
	struct weir_addr a = {.kind = WEIR_ADDR_IP4, .port = 1};

	host = htonl(host);
	memcpy(a.ip, &host, sizeof host);
	return a;
}

static struct weir_addr ip6(uint8_t net, uint8_t host)
{
	return (struct weir_addr){.kind = WEIR_ADDR_IP6,
				  .ip = {0x20, 1, [7] = net, [15] = host}};
}

/* How many of `n` at one moment are let in. */
static unsigned let_in(const struct weir_addr *from, unsigned n, uint64_t now)
{
	unsigned let = 0;

	while (n-- > 0)
		let += ratelimit_allow(&limit, from, now);
	return let;
}

START_TEST(a_burst_of_five_and_then_twenty_a_second)
{
	struct weir_addr a = ip4(0xc0000201);

	begin();
	ck_assert_uint_eq(let_in(&a, 100, START_US), 5);
	ck_assert_uint_eq(let_in(&a, 1, START_US + GAP_US - 1), 0);
	ck_assert_uint_eq(let_in(&a, 100, START_US + GAP_US), 1);
	for (unsigned i = 2; i <= 21; i++)
		ck_assert_uint_eq(let_in(&a, 9, START_US + i * GAP_US), 1);
	ck_assert_uint_eq(let_in(&a, 100, START_US + 60 * S_US), 5);
	ck_assert_uint_eq(limit.limited, 95 + 1 + 99 + 20 * 8 + 95);
	ck_assert_uint_eq(limit.full, 0);
	ratelimit_fini(&limit);
}
END_TEST

START_TEST(a_source_is_an_ip4_address_or_an_ip6_64)
{
	struct weir_addr a = ip4(0x0a000001), b = ip4(0x0a000002);
	struct weir_addr c = ip6(1, 1), d = ip6(1, 2), e = ip6(2, 1);
	struct weir_addr other_port = a;

	begin();
	other_port.port = 2;
	ck_assert_uint_eq(let_in(&a, 9, START_US), 5);
	ck_assert_uint_eq(let_in(&other_port, 9, START_US), 0);
	ck_assert_uint_eq(let_in(&b, 9, START_US), 5);
	ck_assert_uint_eq(let_in(&c, 9, START_US), 5);
	ck_assert_uint_eq(let_in(&d, 9, START_US), 0);
	ck_assert_uint_eq(let_in(&e, 9, START_US), 5);
	ck_assert_uint_eq(limit.sources, 4);
	ratelimit_fini(&limit);
}
END_TEST

START_TEST(an_idle_source_is_collected_after_a_second)
{
	struct weir_addr a = ip4(1), b = ip4(2), c = ip4(3);

	begin();
	let_in(&a, 1, START_US);
	let_in(&b, 1, START_US + 500 * MS_US);
	let_in(&c, 1, START_US + S_US - 1);
	ck_assert_uint_eq(limit.sources, 3);
	let_in(&c, 1, START_US + S_US);
	ck_assert_uint_eq(limit.sources, 2);
	let_in(&c, 1, START_US + 2 * S_US);
	ck_assert_uint_eq(limit.sources, 1);
	ratelimit_fini(&limit);
}
END_TEST

START_TEST(a_full_table_refuses_new_sources_and_counts_them)
{
	begin();
	for (uint32_t i = 0; i < RATELIMIT_SOURCES_MOST + 10; i++) {
		struct weir_addr a = ip4(i);

		ck_assert_uint_eq(let_in(&a, 1, START_US),
				  i < RATELIMIT_SOURCES_MOST);
	}
	ck_assert_uint_eq(limit.full, 10);
	ck_assert_uint_eq(limit.sources, RATELIMIT_SOURCES_MOST);
	for (uint32_t i = 0; i < RATELIMIT_SOURCES_MOST; i++) {
		struct weir_addr a = ip4(0x50000000 + i);

		ck_assert_uint_eq(let_in(&a, 1, START_US + S_US), 1);
	}
	ck_assert_uint_eq(limit.full, 10);
	ratelimit_fini(&limit);
	ck_assert(crypto_is_zero(&limit, sizeof limit));
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		a_burst_of_five_and_then_twenty_a_second,
		a_source_is_an_ip4_address_or_an_ip6_64,
		an_idle_source_is_collected_after_a_second,
		a_full_table_refuses_new_sources_and_counts_them,
	};

	return RUN("wg_ratelimit", tests);
}
