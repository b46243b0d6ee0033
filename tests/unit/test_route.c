/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Rules to an outbound tag. */
#include "core/addr.h"
#include "core/route.h"
#include "fake.h"

static struct config_rule rules[2];
static struct config config = {.rules = {rules, 1}, .default_outbound = "else"};
static struct weir_addr source, target;
static struct route_facts facts = {
	.inbound = "tun",
	.net = WEIR_NET_TCP,
	.source = &source,
	.target = &target,
};

static struct config_rule *rule(void)
{
	memset(rules, 0, sizeof rules);
	rules[0].outbound = "hit";
	source = fake_addr("198.18.0.2:40000");
	target = fake_addr("192.0.2.1:443");
	return &rules[0];
}

static bool hits(void)
{
	return strcmp(route_decide(&config, &facts), "hit") == 0;
}

static bool hits_to(const char *text)
{
	target = fake_addr(text);
	return hits();
}

static bool hits_name(const char *name)
{
	target = (struct weir_addr){
		.kind = WEIR_ADDR_NAME, .port = 443, .name = name};
	return hits();
}

static struct weir_list cidr(const char *text)
{
	static struct weir_cidr c[4];
	static int used;
	struct weir_cidr *at = &c[used++ % 4];

	ck_assert(addr_parse_cidr(text, at, false));
	return (struct weir_list){at, 1};
}

START_TEST(route_takes_the_first_rule_that_matches_else_the_default)
{
	config.rules.count = 0;
	rule();
	ck_assert_str_eq(route_decide(&config, &facts), "else");
	config.rules.count = 2;
	rules[0].networks = WEIR_NET_UDP;
	rules[1].outbound = "second";
	ck_assert_str_eq(route_decide(&config, &facts), "second");
	rules[0].networks = 0;
	ck_assert_str_eq(route_decide(&config, &facts), "hit");
}
END_TEST

START_TEST(route_by_network)
{
	rule()->networks = WEIR_NET_UDP | WEIR_NET_ICMP;
	ck_assert(!hits());
	rules[0].networks = WEIR_NET_UDP | WEIR_NET_TCP;
	ck_assert(hits());
}
END_TEST

START_TEST(route_by_inbound)
{
	const char *tags[] = {"wg", "tun"};

	rule()->inbound = (struct weir_list){tags, 1};
	ck_assert(!hits());
	rules[0].inbound.count = 2;
	ck_assert(hits());
}
END_TEST

START_TEST(route_by_user)
{
	const char *users[] = {"alice", "bob"};

	rule()->user = (struct weir_list){users, 2};
	facts.user = NULL;
	ck_assert(!hits());
	facts.user = "eve";
	ck_assert(!hits());
	facts.user = "alice";
	ck_assert(hits());
	facts.user = "bob";
	ck_assert(hits());
}
END_TEST

START_TEST(route_by_ranges_of_ports)
{
	struct weir_range ports[] = {{22, 22}, {8000, 9000}};

	rule()->port = (struct weir_list){ports, 2};
	ck_assert(hits_to("192.0.2.1:22"));
	ck_assert(hits_to("192.0.2.1:8000"));
	ck_assert(hits_to("192.0.2.1:9000"));
	ck_assert(!hits_to("192.0.2.1:23"));
	ck_assert(!hits_to("192.0.2.1:7999"));
	ck_assert(!hits_to("192.0.2.1:9001"));
}
END_TEST

START_TEST(route_by_source_and_its_port)
{
	struct weir_range ports = {40000, 40001};

	rule()->source_port = (struct weir_list){&ports, 1};
	ck_assert(hits());
	rules[0].source = cidr("198.18.0.0/15");
	ck_assert(hits());
	rules[0].source = cidr("198.20.0.0/15");
	ck_assert(!hits());
	rules[0].source.count = 0;
	source.port = 40002;
	ck_assert(!hits());
}
END_TEST

START_TEST(route_by_prefixes_of_both_families)
{
	rule()->ip = cidr("192.0.2.0/25");
	ck_assert(hits_to("192.0.2.127:1"));
	ck_assert(!hits_to("192.0.2.128:1"));
	ck_assert(!hits_to("[c000:200::]:1"));
	ck_assert(!hits_name("192.0.2.1"));
	rules[0].ip = cidr("2001:db8::/33");
	ck_assert(hits_to("[2001:db8:7fff::1]:1"));
	ck_assert(!hits_to("[2001:db8:8000::1]:1"));
	rules[0].ip = cidr("2001:db8::1/128");
	ck_assert(hits_to("[2001:db8::1]:1"));
	ck_assert(!hits_to("[2001:db8::2]:1"));
	rules[0].ip = cidr("0.0.0.0/0");
	ck_assert(hits_to("203.0.113.1:1"));
	ck_assert(!hits_to("[2001:db8::1]:1"));
	rules[0].ip = cidr("::/0");
	ck_assert(!hits_to("203.0.113.1:1"));
}
END_TEST

START_TEST(route_by_any_of_several_prefixes)
{
	struct weir_cidr both[2];

	rule()->ip = (struct weir_list){both, 2};
	ck_assert(addr_parse_cidr("192.0.2.0/24", &both[0], false));
	ck_assert(addr_parse_cidr("2001:db8::/32", &both[1], false));
	ck_assert(hits_to("192.0.2.1:1"));
	ck_assert(hits_to("[2001:db8::1]:1"));
	ck_assert(!hits_to("198.51.100.1:1"));
}
END_TEST

static void domain(enum config_match match, const char *text)
{
	static struct config_domain d;

	d = (struct config_domain){match, text};
	rule()->domain = (struct weir_list){&d, 1};
}

START_TEST(route_by_the_whole_domain)
{
	domain(CONFIG_FULL, "corp.example");
	ck_assert(hits_name("corp.example"));
	ck_assert(hits_name("CORP.Example"));
	ck_assert(!hits_name("www.corp.example"));
	ck_assert(!hits_to("192.0.2.1:443"));
}
END_TEST

START_TEST(route_by_the_end_of_a_domain_at_a_dot)
{
	domain(CONFIG_SUFFIX, "corp.example");
	ck_assert(hits_name("corp.example"));
	ck_assert(hits_name("www.Corp.example"));
	ck_assert(!hits_name("notcorp.example"));
	ck_assert(!hits_name("example"));
}
END_TEST

START_TEST(route_by_a_word_in_a_domain)
{
	domain(CONFIG_KEYWORD, "corp");
	ck_assert(hits_name("my-CORPorate.example"));
	ck_assert(!hits_name("cor.p"));
}
END_TEST

START_TEST(route_by_any_of_several_domains)
{
	struct config_domain both[] = {{CONFIG_FULL, "corp.example"},
				       {CONFIG_SUFFIX, "test"}};

	rule()->domain = (struct weir_list){both, 2};
	ck_assert(hits_name("corp.example"));
	ck_assert(hits_name("www.test"));
	ck_assert(!hits_name("www.example"));
}
END_TEST

START_TEST(route_needs_every_given_field)
{
	struct weir_range port = {443, 443};

	rule()->port = (struct weir_list){&port, 1};
	rules[0].ip = cidr("192.0.2.0/24");
	ck_assert(hits_to("192.0.2.1:443"));
	ck_assert(!hits_to("192.0.2.1:80"));
	ck_assert(!hits_to("192.0.3.1:443"));
}
END_TEST

START_TEST(route_inverts_the_verdict_of_the_whole_rule)
{
	struct weir_range port = {443, 443};

	rule()->port = (struct weir_list){&port, 1};
	rules[0].ip = cidr("192.0.2.0/24");
	rules[0].invert = true;
	ck_assert(!hits_to("192.0.2.1:443"));
	ck_assert(hits_to("192.0.2.1:80"));
	ck_assert(hits_to("192.0.3.1:443"));
}
END_TEST

FAKE_MAIN("route", route_takes_the_first_rule_that_matches_else_the_default,
	  route_by_network, route_by_inbound, route_by_user,
	  route_by_ranges_of_ports, route_by_source_and_its_port,
	  route_by_prefixes_of_both_families, route_by_any_of_several_prefixes,
	  route_by_the_whole_domain, route_by_the_end_of_a_domain_at_a_dot,
	  route_by_a_word_in_a_domain, route_by_any_of_several_domains,
	  route_needs_every_given_field,
	  route_inverts_the_verdict_of_the_whole_rule)
