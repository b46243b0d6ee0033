/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/schema.c, core/help.c and the core's own tables: what they tell is
 * whole, and every preset can be decoded. */
#include "schema.h"

#include "decode.h"
#include "parts.h"
#include "sections.h"

#include <check.h>
#include <jansson.h>
#include <signal.h>
#include <stdlib.h>

#include "tests/suite.h"

static char *text;
static size_t text_len;

/* The allocation after so many fails; none after a negative number. */
static int allocations_left = -1;

/* The linker has every call of the test and the core come here. */
void *__real_malloc(size_t bytes);
void *__wrap_malloc(size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	if (allocations_left < 0 || allocations_left-- > 0)
		return __real_malloc(bytes);
	return NULL;
}

/* The text that `print` writes; freed at the next call. */
static FILE *begin(void)
{
	free(text);
	text = NULL;
	return open_memstream(&text, &text_len);
}

static void presets_decode(const struct weir_schema *schema)
{
	struct arena *arena = arena_new();
	struct report *report = report_new(arena, "presets");
	struct decode d = {arena, report, "/", NULL};
	struct decode_part part = {schema, decode_alloc(arena, schema)};
	struct config_report to;
	struct lines said;

	to = lines_report(&said);
	decode_presets(&d, (struct config_mark){1, 1}, NULL, &part);
	report_flush(report, &to);
	ck_assert_msg(!said.errors, "%s", said.text);
	arena_free(arena);
}

START_TEST(every_preset_of_the_core_can_be_decoded)
{
	presets_decode(&top_schema);
	presets_decode(&level_schema);
	presets_decode(item_schema(WEIR_INBOUND));
	presets_decode(item_schema(WEIR_OUTBOUND));
	presets_decode(item_schema(WEIR_SERVICE));
	presets_decode(&probe_schema);
}
END_TEST

static void walk(const struct weir_schema *schema)
{
	size_t i;

	for (i = 0; i < schema->option_count; i++) {
		struct weir_option o = decode_option(schema, i);

		ck_assert_msg(o.help && *o.help, "%s has no help", o.name);
		ck_assert_msg(o.help[strlen(o.help) - 1] != '.', "%s: %s",
			      o.name, o.help);
		if (o.record)
			walk(o.record);
	}
}

START_TEST(every_option_of_the_core_has_help_without_a_full_stop)
{
	walk(&top_schema);
	walk(item_schema(WEIR_INBOUND));
	walk(item_schema(WEIR_OUTBOUND));
}
END_TEST

START_TEST(tables_of_another_stride_are_read_by_it)
{
	struct {
		struct weir_option o;
		char more[24];
	} table[2] = {{.o = {.name = "a"}}, {.o = {.name = "b"}}};
	struct weir_schema s = {.size = sizeof s,
				.option_size = sizeof table[0],
				.option_count = 2,
				.options = &table[0].o};

	ck_assert_str_eq(decode_option(&s, 1).name, "b");
	s.option_size = offsetof(struct weir_option, choices);
	table[0].o.choices = (const char *const *)table;
	ck_assert_ptr_null(decode_option(&s, 0).choices);
}
END_TEST

START_TEST(help_names_type_bounds_and_preset_of_each_option)
{
	struct registry *r = parts_registry();
	FILE *f = begin();

	schema_help(registry_find(r, WEIR_INBOUND, "probe")->component, f);
	fclose(f);
	ck_assert_ptr_eq(strstr(text, "inbound probe: a part for tests\n"),
			 text);
	ck_assert_ptr_nonnull(
		strstr(text, "    number: number, -10 to 65535; preset 1500\n"
			     "        help of number\n"));
	ck_assert_ptr_nonnull(
		strstr(text, "    size: size, 4k to 1g; preset 512k\n"));
	ck_assert_ptr_nonnull(strstr(text, "list of one of fast, careful"));
	ck_assert_ptr_nonnull(strstr(text, "        name: text, required\n"));
	ck_assert_ptr_nonnull(strstr(text, "    level: number, 0 to 255"));
	registry_free(r);
}
END_TEST

START_TEST(the_json_schema_has_every_type_and_option)
{
	struct registry *r = parts_registry();
	FILE *f = begin();
	json_t *json;

	schema_json(r, f);
	fclose(f);
	json = json_loads(text, 0, NULL);
	ck_assert_ptr_nonnull(json);
	json_decref(json);
	ck_assert_ptr_nonnull(strstr(text, "\"const\": \"probe\""));
	ck_assert_ptr_nonnull(strstr(text, "\"const\": \"tunnel\""));
	ck_assert_ptr_nonnull(strstr(text, "\"uplink_only\": {"));
	ck_assert_ptr_nonnull(strstr(text, "\"deprecated\": true"));
	ck_assert_ptr_nonnull(strstr(text, "\"default\": 1500"));
	registry_free(r);
}
END_TEST

START_TEST(a_json_schema_that_there_is_no_memory_for_is_not_printed)
{
	struct registry *r = parts_registry();
	FILE *f = begin();

	json_set_alloc_funcs(malloc, free);
	allocations_left = 1000;
	schema_json(r, f);
}
END_TEST

SUITE("schema", t)
{
	tcase_add_test(t, every_preset_of_the_core_can_be_decoded);
	tcase_add_test(t,
		       every_option_of_the_core_has_help_without_a_full_stop);
	tcase_add_test(t, tables_of_another_stride_are_read_by_it);
	tcase_add_test(t, help_names_type_bounds_and_preset_of_each_option);
	tcase_add_test(t, the_json_schema_has_every_type_and_option);
	tcase_add_test_raise_signal(
		t, a_json_schema_that_there_is_no_memory_for_is_not_printed,
		SIGABRT);
	free(text);
}
