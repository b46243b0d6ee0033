/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/config.c and its parts: whole files, and what refers to what. */
#include "parts.h"

#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/suite.h"

#define LEAST "inbounds: {type: probe}\noutbounds: {type: sink}\n"

static struct registry *registry;
static struct lines said;
static struct config *config;

static void setup(void)
{
	registry = parts_registry();
}

static void teardown(void)
{
	config_free(config);
	config = NULL;
	registry_free(registry);
}

static struct config *parse(const char *text)
{
	struct config_report to = lines_report(&said);

	config_free(config);
	config = config_parse("f", text, strlen(text), registry, &to);
	return config;
}

static struct config *parsed(const char *text)
{
	ck_assert_msg(parse(text) != NULL, "%s", said.text);
	return config;
}

static const struct config_component *item(const struct weir_list *list,
					   size_t i)
{
	ck_assert_uint_lt(i, list->count);
	return (const struct config_component *)list->items + i;
}

START_TEST(the_least_configuration_gets_every_preset)
{
	const struct config *c = parsed(LEAST);
	const struct config_level *level = c->levels.items;
	const struct config_dns_server *dns = c->dns_servers.items;

	ck_assert_int_eq(c->log_level, WEIR_INFO);
	ck_assert_uint_eq(c->mark, 0);
	ck_assert_ptr_null(c->interface);
	ck_assert_uint_eq(c->max_sessions, 65535);
	ck_assert_str_eq(c->default_outbound, "sink");
	ck_assert_uint_eq(c->dns_servers.count, 1);
	ck_assert_int_eq(dns->address.kind, WEIR_ADDR_NONE);
	ck_assert_uint_eq(c->dns_cache_entries, 4096);
	ck_assert_uint_eq(c->levels.count, 1);
	ck_assert_uint_eq(level->policy.size, sizeof level->policy);
	ck_assert_uint_eq(level->policy.handshake_ms, 60000);
	ck_assert_uint_eq(level->policy.idle_ms, 300000);
	ck_assert_uint_eq(level->policy.uplink_only_ms, 1000);
	ck_assert_uint_eq(level->policy.downlink_only_ms, 1000);
	ck_assert_uint_eq(level->policy.buffer_bytes, 512 << 10);
	ck_assert_uint_eq(item(&c->inbounds, 0)->inbound.level, 0);
	ck_assert_str_eq(item(&c->inbounds, 0)->tag, "probe");
}
END_TEST

START_TEST(the_cores_sections_reach_the_struct)
{
	const struct config *c = parsed(
		LEAST "log: {level: debug, tags: {tag: probe, level: error}}\n"
		      "sockets: {mark: 4294967295, interface: eth0}\n"
		      "limits: {sessions: 10}\n"
		      "dns: {servers: [192.0.2.1, system, '[::1]:54'], "
		      "cache: 0}\n");
	const struct config_log_tag *tag = c->log_tags.items;
	const struct config_dns_server *dns = c->dns_servers.items;

	ck_assert_int_eq(c->log_level, WEIR_DEBUG);
	ck_assert_str_eq(tag->tag, "probe");
	ck_assert_int_eq(tag->level, WEIR_ERROR);
	ck_assert_uint_eq(c->mark, UINT32_MAX);
	ck_assert_str_eq(c->interface, "eth0");
	ck_assert_uint_eq(c->max_sessions, 10);
	ck_assert_uint_eq(c->dns_servers.count, 3);
	ck_assert_uint_eq(dns[0].address.port, 53);
	ck_assert_int_eq(dns[1].address.kind, WEIR_ADDR_NONE);
	ck_assert_uint_eq(dns[2].address.port, 54);
	ck_assert_uint_eq(c->dns_cache_entries, 0);
}
END_TEST

START_TEST(other_name_servers_take_the_place_of_the_systems)
{
	const struct config *c = parsed(LEAST "dns: {servers: 192.0.2.1}");
	const struct config_dns_server *dns = c->dns_servers.items;

	ck_assert_uint_eq(c->dns_servers.count, 1);
	ck_assert_int_eq(dns->address.kind, WEIR_ADDR_IP4);
	ck_assert_ptr_null(
		parse(LEAST "dns: {servers: [system, '::1', system]}"));
	ck_assert_str_eq(said.text, "f:3:32: dns.servers[2]: is given twice\n");
}
END_TEST

START_TEST(levels_that_say_little_get_the_presets)
{
	const struct config *c = parsed(
		"inbounds: {type: probe, level: 7}\noutbounds: {type: sink}\n"
		"policy: {levels: {7: {idle: 1h, uplink_only: 0, "
		"downlink_only: 24h}, 0: {buffer: 4k, handshake: 100ms}}}\n");
	const struct config_level *all = c->levels.items;

	ck_assert_uint_eq(c->levels.count, 2);
	ck_assert_uint_eq(all[0].level, 0);
	ck_assert_uint_eq(all[0].policy.buffer_bytes, 4096);
	ck_assert_uint_eq(all[0].policy.handshake_ms, 100);
	ck_assert_uint_eq(all[0].policy.idle_ms, 300000);
	ck_assert_uint_eq(all[1].level, 7);
	ck_assert_uint_eq(all[1].policy.idle_ms, 3600000);
	ck_assert_uint_eq(all[1].policy.uplink_only_ms, 0);
	ck_assert_uint_eq(all[1].policy.downlink_only_ms, 86400000);
	ck_assert_uint_eq(all[1].policy.buffer_bytes, 512 << 10);
	ck_assert_uint_eq(item(&c->inbounds, 0)->inbound.level, 7);
}
END_TEST

START_TEST(a_service_that_is_needed_is_made_unless_listed)
{
	const struct config *c = parsed(LEAST);

	ck_assert_uint_eq(c->services.count, 1);
	ck_assert_str_eq(item(&c->services, 0)->tag, "engine");
	c = parsed(LEAST "services: [{type: spare}, {type: engine, tag: e}]");
	ck_assert_uint_eq(c->services.count, 2);
	ck_assert_str_eq(item(&c->services, 1)->tag, "e");
}
END_TEST

START_TEST(a_plugin_that_needs_its_own_service_gets_one)
{
	const struct config *c = parsed("inbounds: {type: whole}\n"
					"outbounds: {type: sink}\n");

	ck_assert_uint_eq(c->services.count, 1);
	ck_assert_str_eq(item(&c->services, 0)->tag, "inner");
}
END_TEST

/* The tags of the services, in their order. */
static const char *order(const char *services)
{
	static char text[64];
	const struct config *c;
	char all[256];
	size_t i;

	snprintf(all, sizeof all, LEAST "services: %s", services);
	c = parsed(all);
	text[0] = '\0';
	for (i = 0; i < c->services.count; i++) {
		strcat(text, item(&c->services, i)->tag);
		strcat(text, " ");
	}
	return text;
}

START_TEST(a_service_starts_after_those_that_it_needs)
{
	ck_assert_str_eq(order("[{type: spare}, {type: engine}]"),
			 "spare engine ");
	/* gear and cog need each other, and gear the engine. */
	ck_assert_str_eq(order("[{type: gear}, {type: spare}, {type: engine}]"),
			 "engine cog gear spare ");
	ck_assert_str_eq(order("[{type: cog}]"), "engine gear cog ");
	ck_assert_str_eq(order("[{type: gear}, {type: engine, tag: a}, "
			       "{type: engine, tag: b}]"),
			 "a b cog gear ");
}
END_TEST

START_TEST(rules_keep_their_order_and_conditions)
{
	const struct config *c = parsed(
		"inbounds: {type: probe, tag: in}\n"
		"outbounds: [{type: sink}, {type: tunnel, tag: t, via: sink}]\n"
		"route:\n  default: t\n  rules:\n"
		"    - {domain: ['suffix:.A.Example.', full:b, keyword:c.],"
		" outbound: t}\n"
		"    - {ip: 10.0.0.0/8, source: '::/0', port: [22, 80-90],"
		" source_port: 1, inbound: in, user: u, network: [tcp, icmp],"
		" invert: true, outbound: sink}\n");
	const struct config_rule *r = c->rules.items;
	const struct config_domain *d = r[0].domain.items;

	ck_assert_uint_eq(c->rules.count, 2);
	ck_assert_str_eq(c->default_outbound, "t");
	ck_assert_str_eq(item(&c->outbounds, 1)->via, "sink");
	ck_assert_int_eq(d[0].match, CONFIG_SUFFIX);
	ck_assert_str_eq(d[0].text, "a.example");
	ck_assert_int_eq(d[1].match, CONFIG_FULL);
	ck_assert_str_eq(d[2].text, "c.");
	ck_assert_uint_eq(r[0].networks, 0);
	ck_assert_uint_eq(r[1].networks, WEIR_NET_TCP | WEIR_NET_ICMP);
	ck_assert_uint_eq(r[1].port.count, 2);
	ck_assert_uint_eq(r[1].source_port.count, 1);
	ck_assert_uint_eq(r[1].inbound.count, 1);
	ck_assert_uint_eq(r[1].user.count, 1);
	ck_assert_uint_eq(((struct weir_cidr *)r[1].ip.items)->bits, 8);
	ck_assert_uint_eq(((struct weir_cidr *)r[1].source.items)->bits, 0);
	ck_assert(r[1].invert);
	ck_assert_uint_eq(r[1].mark.line, 7);
	ck_assert_uint_eq(r[1].mark.column, 7);
}
END_TEST

START_TEST(all_errors_come_in_one_run_in_the_order_of_the_file)
{
	ck_assert_ptr_null(parse("outbounds: {type: sink, via: sinc}\n"
				 "lag: 1\n"
				 "inbounds: [{type: prope}, {flag: no}]\n"));
	ck_assert_str_eq(
		said.text,
		"f:1:30: outbounds[0].via: sinc is not the tag of an outbound; "
		"did you mean sink?\n"
		"f:1:30: outbounds[0].via: an outbound of type sink goes "
		"through no other\n"
		"f:2:1: lag: is unknown; did you mean log?\n"
		"f:3:19: inbounds[0].type: \"prope\" is no inbound that a "
		"loaded plugin offers; did you mean probe?\n"
		"f:3:27: inbounds[1].type: is missing: which component it is\n");
}
END_TEST

START_TEST(no_more_errors_are_printed_than_anyone_reads)
{
	char text[4000] = LEAST;
	int i;

	for (i = 0; i < 150; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text),
			 "zzzzz%d: 1\n", i);
	ck_assert_ptr_null(parse(text));
	ck_assert_uint_eq(said.errors, 101);
	ck_assert_ptr_nonnull(strstr(said.text, "f: 50 more errors\n"));
}
END_TEST

START_TEST(a_level_that_is_an_option_must_be_one_of_the_policys)
{
	parsed("inbounds: {type: probe, record: {name: a, level: 7}}\n"
	       "outbounds: {type: sink}\n"
	       "policy: {levels: {7: {idle: 1h}}}\n");
	ck_assert_ptr_null(
		parse("inbounds: {type: probe, record: {name: a, level: 7},\n"
		      "  records: [{name: b}, {name: c, level: 8}]}\n"
		      "outbounds: {type: sink}\n"
		      "policy: {levels: {6: {idle: 1h}}}\n"));
	ck_assert_str_eq(
		said.text,
		"f:1:50: inbounds[0].record.level: 7 is not a level of "
		"policy.levels\n"
		"f:2:41: inbounds[0].records[1].level: 8 is not a level of "
		"policy.levels\n");
}
END_TEST

START_TEST(a_ring_of_outbounds_is_found_at_each_of_its_members)
{
	ck_assert_ptr_null(parse("inbounds: {type: probe}\noutbounds:\n"
				 "  - {type: tunnel, tag: a, via: b}\n"
				 "  - {type: tunnel, tag: b, via: a}\n"
				 "  - {type: tunnel, tag: c, via: a}\n"));
	ck_assert_str_eq(
		said.text,
		"f:3:33: outbounds[0].via: b leads back to this outbound\n"
		"f:4:33: outbounds[1].via: a leads back to this outbound\n");
}
END_TEST

/* A file of its own, gone with the test. */
static void with_file(const char *text, mode_t mode, char path[static 32])
{
	int fd;

	strcpy(path, "weir-test-XXXXXX");
	fd = mkstemp(path);
	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

static struct config *load(const char *file)
{
	struct config_report to = lines_report(&said);

	config_free(config);
	config = config_load(file, registry, &to);
	return config;
}

START_TEST(a_secret_in_a_file_that_all_can_read_is_refused)
{
	char path[32];

	with_file("inbounds: {type: probe, password: 12345678}\n"
		  "outbounds: {type: sink}\n",
		  0644, path);
	ck_assert_ptr_null(load(path));
	ck_assert_ptr_nonnull(strstr(said.text, ":1:35: inbounds[0].password: "
						"the value is secret, but "
						"everybody can read or write"));
	ck_assert_ptr_nonnull(strstr(said.text, "run: chmod o= weir-test-"));
	chmod(path, 0640);
	ck_assert_ptr_nonnull(load(path));
	unlink(path);
}
END_TEST

START_TEST(a_file_without_secrets_may_be_read_by_all)
{
	char path[32];

	with_file(LEAST, 0644, path);
	ck_assert_ptr_nonnull(load(path));
	unlink(path);
}
END_TEST

START_TEST(what_is_no_file_is_refused_by_name)
{
	ck_assert_ptr_null(load("."));
	ck_assert_str_eq(said.text, ".: is a folder; a file is wanted\n");
	ck_assert_ptr_null(load("/nonexistent/f"));
	ck_assert_str_eq(said.text, "/nonexistent/f: cannot be opened: No such "
				    "file or directory\n");
	ck_assert_ptr_null(load("/dev/zero"));
	ck_assert_str_eq(said.text,
			 "/dev/zero: is too long; the most is 1048576 bytes\n");
}
END_TEST

START_TEST(a_file_beyond_the_bound_is_not_even_read)
{
	char path[32];

	with_file("", 0600, path);
	ck_assert_int_eq(truncate(path, 1048577), 0);
	ck_assert_ptr_null(load(path));
	ck_assert_ptr_nonnull(strstr(said.text, "is too long"));
	/* What a machine of 32 bits by itself can open is shorter. */
	ck_assert_int_eq(truncate64(path, INT64_C(3) << 30), 0);
	ck_assert_ptr_null(load(path));
	ck_assert_ptr_nonnull(strstr(said.text, "is too long"));
	unlink(path);
}
END_TEST

START_TEST(a_pipe_may_bring_the_configuration)
{
	int ends[2], in = dup(STDIN_FILENO);

	ck_assert_int_eq(pipe(ends), 0);
	ck_assert_int_eq(write(ends[1], LEAST, strlen(LEAST)),
			 (ssize_t)strlen(LEAST));
	close(ends[1]);
	dup2(ends[0], STDIN_FILENO);
	ck_assert_msg(load("-") != NULL, "%s", said.text);
	ck_assert_str_eq(config->file, "standard input");
	dup2(in, STDIN_FILENO);
	close(in);
	close(ends[0]);
}
END_TEST

SUITE("config", t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, the_least_configuration_gets_every_preset);
	tcase_add_test(t, the_cores_sections_reach_the_struct);
	tcase_add_test(t, other_name_servers_take_the_place_of_the_systems);
	tcase_add_test(t, levels_that_say_little_get_the_presets);
	tcase_add_test(t, a_service_that_is_needed_is_made_unless_listed);
	tcase_add_test(t, a_plugin_that_needs_its_own_service_gets_one);
	tcase_add_test(t, a_service_starts_after_those_that_it_needs);
	tcase_add_test(t, rules_keep_their_order_and_conditions);
	tcase_add_test(t, all_errors_come_in_one_run_in_the_order_of_the_file);
	tcase_add_test(t, a_level_that_is_an_option_must_be_one_of_the_policys);
	tcase_add_test(t, no_more_errors_are_printed_than_anyone_reads);
	tcase_add_test(t, a_ring_of_outbounds_is_found_at_each_of_its_members);
	tcase_add_test(t, a_secret_in_a_file_that_all_can_read_is_refused);
	tcase_add_test(t, a_file_without_secrets_may_be_read_by_all);
	tcase_add_test(t, what_is_no_file_is_refused_by_name);
	tcase_add_test(t, a_file_beyond_the_bound_is_not_even_read);
	tcase_add_test(t, a_pipe_may_bring_the_configuration);
}
