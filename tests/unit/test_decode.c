/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/decode.c, core/scalar.c, core/key.c: every type of option, what it
 * takes and what it refuses. The probe stands in line 3, its options from
 * column 5 on. */
#include "parts.h"

#include <check.h>

#include "tests/suite.h"

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

static const struct probe *decode_text(const char *line)
{
	struct config_report to = lines_report(&said);
	const struct config_component *c;
	char text[2000];

	snprintf(text, sizeof text,
		 "inbounds:\n  - type: probe\n    %s\n"
		 "outbounds: { type: sink }\n",
		 line);
	config_free(config);
	config = config_parse("/etc/f", text, strlen(text), registry, &to);
	if (!config)
		return NULL;
	c = config->inbounds.items;
	return c->conf;
}

/* Decode a line that must be right. */
static const struct probe *probe(const char *line)
{
	const struct probe *p = decode_text(line);

	ck_assert_msg(p != NULL, "%s: %s", line, said.text);
	ck_assert_uint_eq(said.errors, 0);
	return p;
}

static const struct {
	const char *line, *said;
} wrong[] = {
	{"flag: yes", "3:11: inbounds[0].flag: yes is neither; write true"},
	{"flag: no", "3:11: inbounds[0].flag: no is neither"},
	{"flag: on", "3:11: inbounds[0].flag: on is neither"},
	{"flag: True", "3:11: inbounds[0].flag: True is neither"},
	{"flag: \"true\"", "3:11: inbounds[0].flag: \"true\" is text"},
	{"flag: 1", "3:11: inbounds[0].flag: 1 is neither"},
	{"flag:", "3:10: inbounds[0].flag: has no value"},
	{"flag: ~", "3:11: inbounds[0].flag: has no value"},
	{"flag: []", "3:11: inbounds[0].flag: a list stands here"},
	{"flag: {a: 1}", "3:11: inbounds[0].flag: a mapping stands here"},

	{"number: 0777", "3:13: inbounds[0].number: 0777 is not a number"},
	{"number: 1e3", "3:13: inbounds[0].number: 1e3 is not a number"},
	{"number: 0x10", "3:13: inbounds[0].number: 0x10 is not a number"},
	{"number: +5", "3:13: inbounds[0].number: +5 is not a number"},
	{"number: 1_000", "3:13: inbounds[0].number: 1_000 is not a number"},
	{"number: 1.0", "3:13: inbounds[0].number: 1.0 is not a number"},
	{"number: -0", "3:13: inbounds[0].number: -0 is not a number"},
	{"number: -", "3:13: not YAML"},
	{"number: 5k", "3:13: inbounds[0].number: 5k is not a number"},
	{"number: \"5\"", "3:13: inbounds[0].number: \"5\" is text"},
	{"number: -11",
	 "3:13: inbounds[0].number: -11 is too small; the least is -10"},
	{"number: 65536",
	 "3:13: inbounds[0].number: 65536 is too large; the most is 65535"},
	{"number: 9223372036854775808",
	 "3:13: inbounds[0].number: 9223372036854775808 is not a number"},

	{"size: 4095",
	 "3:11: inbounds[0].size: 4095 is too small; the least is 4k"},
	{"size: 2g", "3:11: inbounds[0].size: 2g is too large; the most is 1g"},
	{"size: 512K", "3:11: inbounds[0].size: 512K is not a size"},
	{"size: 512kb", "3:11: inbounds[0].size: 512kb is not a size"},
	{"size: 1.5m", "3:11: inbounds[0].size: 1.5m is not a size"},
	{"size: -1", "3:11: inbounds[0].size: -1 is not a size"},
	{"size: 9223372036854775807k",
	 "3:11: inbounds[0].size: 9223372036854775807k is beyond all bounds"},

	{"time: 5", "3:11: inbounds[0].time: 5 is not a time; write a number"},
	{"time: 1d", "3:11: inbounds[0].time: 1d is not a time"},
	{"time: 1h30m", "3:11: inbounds[0].time: 1h30m is not a time"},
	{"time: 25h",
	 "3:11: inbounds[0].time: 25h is too large; the most is 24h"},
	{"time: 05s", "3:11: inbounds[0].time: 05s is not a time"},

	{"text: ''", "3:11: inbounds[0].text: may not be empty"},
	{"text: abcdefghijklmnopqrstu",
	 "3:11: inbounds[0].text: abcdefghijklmnopqrstu has 21 bytes; 1 to 20 "
	 "are allowed"},
	{"path: ''", "3:11: inbounds[0].path: may not be empty"},

	{"word: slow",
	 "3:11: inbounds[0].word: slow is none of fast, careful, off"},
	{"word: carefull", "did you mean careful?"},
	{"word: false", "3:11: inbounds[0].word: false is none of"},

	{"addr: 1.2.3.4:99999",
	 "3:11: inbounds[0].addr: \"1.2.3.4:99999\" is not"},
	{"addr: 1.2.3.400",
	 "3:11: inbounds[0].addr: 1.2.3.400 is not an address"},
	{"literal: example.org",
	 "3:14: inbounds[0].literal: example.org is not an address"},
	{"literal: 1.2.3.4:5",
	 "3:14: inbounds[0].literal: \"1.2.3.4:5\" has a port"},
	{"server: 1.2.3.4", "3:13: inbounds[0].server: 1.2.3.4 has no port"},
	{"server: \"::1\"", "has no port; write it as [address]:port"},

	{"cidr: 10.0.0.1/8",
	 "10.0.0.1/8 has bits beyond its length; did you mean 10.0.0.0/8?"},
	{"cidr: 10.0.0.0/33",
	 "3:11: inbounds[0].cidr: 10.0.0.0/33 is not a prefix"},
	{"cidr: example.org",
	 "3:11: inbounds[0].cidr: example.org is not a prefix"},

	{"range: 9-8", "3:12: inbounds[0].range: 9-8 ends before it begins"},
	{"range: 0", "3:12: inbounds[0].range: 0 is too small; the least is 1"},
	{"range: 1-65536", "3:12: inbounds[0].range: 1-65536 is too large"},
	{"range: 1-", "3:12: inbounds[0].range: 1- is not a range"},
	{"range: 1 - 2", "3:12: inbounds[0].range: \"1 - 2\" is not a range"},

	{"record: x", "3:13: inbounds[0].record: text stands here"},
	{"record:", "3:12: inbounds[0].record: nothing stands here"},
	{"record: {}", "3:13: inbounds[0].record.name: is missing: a name"},
	{"record: {name: a, nane: b}",
	 "3:23: inbounds[0].record.nane: is unknown; did you mean name?"},
	{"record: {name: a, weight: 10}",
	 "3:31: inbounds[0].record.weight: 10 is too large; the most is 9"},

	{"numbers: [1, x]", "3:18: inbounds[0].numbers[1]: x is not a number"},
	{"numbers: x", "3:14: inbounds[0].numbers: x is not a number"},
	{"numbers: [1, [2]]",
	 "3:18: inbounds[0].numbers[1]: a list stands here"},
	{"records: [{name: a}, {}]",
	 "3:26: inbounds[0].records[1].name: is missing"},

	{"number: 13", "3:13: inbounds[0].number: 13 brings bad luck"},
	{"number: 14", "2:5: inbounds[0]: nothing fits"},
	{"nunber: 5",
	 "3:5: inbounds[0].nunber: is unknown; did you mean number?"},
	{"zzz: 5", "3:5: inbounds[0].zzz: is unknown\n"},
};

START_TEST(what_breaks_a_rule_is_one_error_that_says_where_and_which)
{
	ck_assert_ptr_null(decode_text(wrong[_i].line));
	ck_assert_msg(said.errors == 1, "%s: %s", wrong[_i].line, said.text);
	ck_assert_msg(strstr(said.text, wrong[_i].said) != NULL, "%s: %s",
		      wrong[_i].line, said.text);
}
END_TEST

START_TEST(numbers_and_truths_are_read_as_written)
{
	ck_assert(!probe("flag: false")->flag);
	ck_assert_int_eq(probe("number: 0")->number, 0);
	ck_assert_int_eq(probe("number: -10")->number, -10);
	ck_assert_int_eq(probe("number: 65535")->number, 65535);
	ck_assert_uint_eq(probe("size: 4096")->size, 4096);
	ck_assert_uint_eq(probe("size: 1g")->size, 1u << 30);
	ck_assert_uint_eq(probe("size: \"8m\"")->size, 8u << 20);
	ck_assert_uint_eq(probe("time: 0")->time, 0);
	ck_assert_uint_eq(probe("time: 300ms")->time, 300);
	ck_assert_uint_eq(probe("time: 24h")->time, 86400000);
	ck_assert_uint_eq(probe("range: 443")->range.last, 443);
	ck_assert_uint_eq(probe("range: 1-65535")->range.last, 65535);
	ck_assert_int_eq(probe("word: off")->word, 2);
}
END_TEST

START_TEST(text_is_what_was_written_even_where_yaml_sees_a_truth)
{
	ck_assert_str_eq(probe("text: no")->text, "no");
	ck_assert_str_eq(probe("text: 0777")->text, "0777");
	ck_assert_str_eq(probe("text: null")->text, "null");
	ck_assert_str_eq(probe("text: \"\\u00e4\"")->text, "\xc3\xa4");
}
END_TEST

START_TEST(addresses_carry_kind_and_port)
{
	const struct probe *p = probe("addr: Example.org:53");

	ck_assert_uint_eq(p->addr.kind, WEIR_ADDR_NAME);
	ck_assert_str_eq(p->addr.name, "example.org");
	ck_assert_uint_eq(p->addr.port, 53);
	ck_assert_uint_eq(probe("server: \"[::1]:9\"")->server.port, 9);
	ck_assert_uint_eq(probe("cidr: 10.0.0.0/8")->cidr.bits, 8);
	ck_assert_uint_eq(probe("host: 10.0.0.1/8")->host.base.ip[3], 1);
}
END_TEST

START_TEST(presets_fill_what_was_left_out)
{
	const struct probe *p = probe("tag: t");
	const int64_t *numbers = p->numbers.items;
	const struct weir_cidr *prefixes = p->prefixes.items;

	ck_assert(p->flag);
	ck_assert_int_eq(p->number, 1500);
	ck_assert_uint_eq(p->size, 512 << 10);
	ck_assert_uint_eq(p->time, 5000);
	ck_assert_int_eq(p->word, 1);
	ck_assert_ptr_null(p->text);
	ck_assert_uint_eq(p->addr.kind, WEIR_ADDR_NONE);
	ck_assert_str_eq(p->path, "/etc/file");
	ck_assert_uint_eq(p->numbers.count, 3);
	ck_assert_int_eq(numbers[2], 3);
	ck_assert_uint_eq(p->prefixes.count, 2);
	ck_assert_uint_eq(prefixes[1].bits, 8);
	ck_assert_uint_eq(p->records.count, 0);
	ck_assert_int_eq(p->record.weight, 7);
}
END_TEST

START_TEST(relative_paths_begin_in_the_folder_of_the_file)
{
	ck_assert_str_eq(probe("path: a/b.conf")->path, "/etc/a/b.conf");
	ck_assert_str_eq(probe("path: /a/b.conf")->path, "/a/b.conf");
}
END_TEST

START_TEST(lists_take_one_value_or_many_or_none)
{
	const struct probe *p = probe("records: [{name: a}, {name: b}]");
	const struct probe_record *r = p->records.items;

	ck_assert_uint_eq(p->records.count, 2);
	ck_assert_str_eq(r[1].name, "b");
	ck_assert_int_eq(r[1].weight, 7);
	p = probe("records: {name: c}");
	r = p->records.items;
	ck_assert_uint_eq(p->records.count, 1);
	ck_assert_str_eq(r[0].name, "c");
	p = probe("words: [fast, off]");
	ck_assert_int_eq(((const int *)p->words.items)[1], 2);
	ck_assert_uint_eq(probe("numbers: []")->numbers.count, 0);
}
END_TEST

#define BASE64 "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8="
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"

START_TEST(keys_are_base64_or_hex_and_nothing_near_it)
{
	static const char base64[] = "key: " BASE64;
	static const char non_hex[] =
		"key: g00102030405060708090a0b0c0d0e0f10111213141516171819"
		"1a1b1c1d1e1f";
	static const char *const bad[] = {
		"key: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8",
		"key: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh9=",
		"key: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh-=",
		"key: AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh88",
		"key: =AECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
		"key: \"" HEX "0\"",
		non_hex,
		"key: \"\"",
	};
	uint8_t i;

	for (i = 0; i < 32; i++) {
		ck_assert_uint_eq(probe(base64)->key[i], i);
		ck_assert_uint_eq(probe("key: \"" HEX "\"")->key[i], i);
	}
	for (i = 0; i < sizeof bad / sizeof bad[0]; i++)
		ck_assert_msg(!decode_text(bad[i]), "%s", bad[i]);
}
END_TEST

START_TEST(secrets_are_never_repeated)
{
	ck_assert_ptr_null(decode_text("password: hunter2"));
	ck_assert_ptr_null(strstr(said.text, "hunter2"));
	ck_assert_ptr_nonnull(strstr(said.text, "the value has 7 bytes"));
	ck_assert_ptr_null(decode_text("key: hunter2"));
	ck_assert_ptr_null(strstr(said.text, "hunter2"));
	ck_assert_ptr_null(decode_text("secrets: [hunter2]"));
	ck_assert_ptr_null(strstr(said.text, "hunter2"));
	ck_assert_ptr_null(decode_text("record: {name: a, key: hunter2}"));
	ck_assert_ptr_null(strstr(said.text, "hunter2"));
}
END_TEST

START_TEST(keys_in_the_wrong_place_are_not_repeated)
{
	static const char *const wrong_places[] = {
		"number: " BASE64,
		"flag: " HEX,
		"record: {name: a, key=" BASE64 "}",
		"record: {name: a, key " BASE64 "}",
		"record: {name: a, key " HEX "}",
		"record: {name: a, " BASE64 "}",
		"record: {name: a, " HEX "}",
	};

	for (size_t i = 0; i < sizeof wrong_places / sizeof *wrong_places;
	     i++) {
		ck_assert_ptr_null(decode_text(wrong_places[i]));
		ck_assert_ptr_null(strstr(said.text, "AAECAwQF"));
		ck_assert_ptr_null(strstr(said.text, "00010203"));
	}
	ck_assert_ptr_null(decode_text("record: {name: a, key=" BASE64 "}"));
	ck_assert_ptr_nonnull(
		strstr(said.text, "inbounds[0].record.key...: is unknown"));
}
END_TEST

START_TEST(deprecated_options_work_and_warn)
{
	const struct probe *p = decode_text("old: 5");

	ck_assert_ptr_nonnull(p);
	ck_assert_int_eq(p->number, 5);
	ck_assert_uint_eq(said.warnings, 1);
	ck_assert_str_eq(said.text, "/etc/f:3:5: inbounds[0].old: is "
				    "deprecated: write number instead\n");
}
END_TEST

START_TEST(what_a_message_repeats_is_short_and_harmless)
{
	ck_assert_ptr_null(decode_text("word: \"\\e[31m\\x9b\\n\""));
	ck_assert_ptr_null(strchr(said.text, '\033'));
	ck_assert_ptr_null(strstr(said.text, "\xc2\x9b"));
	ck_assert_ptr_null(decode_text(
		"number: "
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"));
	ck_assert_uint_lt(strlen(said.text), 200);
}
END_TEST

SUITE("decode", t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_loop_test(
		t, what_breaks_a_rule_is_one_error_that_says_where_and_which, 0,
		sizeof wrong / sizeof wrong[0]);
	tcase_add_test(t, numbers_and_truths_are_read_as_written);
	tcase_add_test(t,
		       text_is_what_was_written_even_where_yaml_sees_a_truth);
	tcase_add_test(t, addresses_carry_kind_and_port);
	tcase_add_test(t, presets_fill_what_was_left_out);
	tcase_add_test(t, relative_paths_begin_in_the_folder_of_the_file);
	tcase_add_test(t, lists_take_one_value_or_many_or_none);
	tcase_add_test(t, keys_are_base64_or_hex_and_nothing_near_it);
	tcase_add_test(t, secrets_are_never_repeated);
	tcase_add_test(t, keys_in_the_wrong_place_are_not_repeated);
	tcase_add_test(t, deprecated_options_work_and_warn);
	tcase_add_test(t, what_a_message_repeats_is_short_and_harmless);
}
