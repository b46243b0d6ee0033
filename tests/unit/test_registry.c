/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The registry, with plugins that are only descriptors. */
#include <check.h>
#undef fail /* check.h's macro; weir_host has a member of that name */

#include "core/registry.h"
#include "tests/bad/null.h"
#include "tests/suite.h"

static const int table = 1;

#define PLUGIN(name_, needs_, list_)                                           \
	{                                                                      \
		sizeof(struct weir_plugin), WEIR_MAJOR, WEIR_MINOR, name_,     \
			"1.0", "MIT", needs_, list_                            \
	}
#define SERVICE(type_)                                                         \
	{                                                                      \
		.size = sizeof(struct weir_component), .kind = WEIR_SERVICE,   \
		.type = type_, .summary = "serves", .ops = &table,             \
		.create = null_create, .start = null_start, .stop = null_stop, \
		.destroy = null_destroy                                        \
	}

static const struct weir_component a = {NULL_OUTBOUND("a")};
static const struct weir_component b = {NULL_OUTBOUND("b")};
static const struct weir_component other_a = {NULL_OUTBOUND("a")};
static const struct weir_component service = SERVICE("stack");
static const struct weir_component service2 = SERVICE("stack/2");
static const struct weir_component *const list_ab[] = {&a, &b, NULL};
static const struct weir_component *const list_ba[] = {&b, &other_a, NULL};
static const struct weir_component *const list_a[] = {&other_a, NULL};
static const struct weir_component *const list_s[] = {&service, NULL};
static const struct weir_component *const list_s2[] = {&service2, NULL};
static const struct weir_plugin ab = PLUGIN("ab", "", list_ab);
static const struct weir_plugin only_a = PLUGIN("only-a", "", list_a);
static const struct weir_plugin same_name = PLUGIN("ab", "", list_s);
static const struct weir_plugin ba = PLUGIN("ba", "", list_ba);
static const struct weir_plugin stack = PLUGIN("stack", "", list_s);
static const struct weir_plugin stack2 = PLUGIN("stack2", "", list_s2);

START_TEST(registry_finds_by_kind_and_type)
{
	struct registry *r = registry_new();
	struct weir_error e;

	ck_assert(registry_add(r, &ab, "/x/ab.so", &e));
	ck_assert_ptr_eq(registry_find(r, WEIR_OUTBOUND, "b")->component, &b);
	ck_assert_str_eq(registry_find(r, WEIR_OUTBOUND, "a")->path,
			 "/x/ab.so");
	ck_assert_ptr_null(registry_find(r, WEIR_INBOUND, "a"));
	ck_assert_ptr_null(registry_find(r, WEIR_OUTBOUND, "c"));
	ck_assert_ptr_eq(registry_at(r, 0)->component, &a);
	ck_assert_ptr_null(registry_at(r, 2));
	registry_free(r);
}
END_TEST

START_TEST(registry_refuses_a_taken_type_and_keeps_nothing_of_it)
{
	struct registry *r = registry_new();
	struct weir_error e;

	ck_assert(registry_add(r, &only_a, "/x/a.so", &e));
	ck_assert(!registry_add(r, &ba, "/x/ba.so", &e));
	ck_assert_str_eq(e.text,
			 "outbound type \"a\" is taken by plugin only-a");
	ck_assert_ptr_null(registry_find(r, WEIR_OUTBOUND, "b"));
	ck_assert_ptr_nonnull(registry_find(r, WEIR_OUTBOUND, "a"));
	registry_free(r);
}
END_TEST

START_TEST(registry_refuses_a_taken_name)
{
	struct registry *r = registry_new();
	struct weir_error e;

	ck_assert(registry_add(r, &ab, "/x/ab.so", &e));
	ck_assert(!registry_add(r, &same_name, "/x/copy.so", &e));
	ck_assert(strstr(e.text, "\"ab\" was loaded from /x/ab.so"));
	registry_free(r);
}
END_TEST

START_TEST(registry_keeps_entries_where_they_are)
{
	struct registry *r = registry_new();
	const struct registry_entry *entry;
	struct weir_error e;

	ck_assert(registry_add(r, &ab, "/x/ab.so", &e));
	entry = registry_find(r, WEIR_OUTBOUND, "a");
	ck_assert(registry_add(r, &stack, "/x/stack.so", &e));
	ck_assert_ptr_eq(registry_find(r, WEIR_OUTBOUND, "a"), entry);
	registry_drop(r, &stack);
	ck_assert_ptr_eq(registry_find(r, WEIR_OUTBOUND, "a"), entry);
	ck_assert_ptr_null(registry_find(r, WEIR_SERVICE, "stack"));
	registry_free(r);
}
END_TEST

START_TEST(registry_knows_which_needs_are_met)
{
	struct registry *r = registry_new();
	struct weir_error e;

	ck_assert(registry_add(r, &stack, "/x/stack.so", &e));
	ck_assert(registry_serves(r, "", &e));
	ck_assert(registry_serves(r, "stack/1", &e));
	ck_assert(!registry_serves(r, "stack/2", &e));
	ck_assert(!registry_serves(r, "stack/1 other/1", &e));
	ck_assert(strstr(e.text, "needs service other/1"));
	ck_assert(registry_add(r, &stack2, "/x/stack2.so", &e));
	ck_assert(registry_serves(r, "stack/1 stack/2", &e));
	registry_free(r);
}
END_TEST

SUITE("registry", t)
{
	tcase_add_test(t, registry_finds_by_kind_and_type);
	tcase_add_test(t,
		       registry_refuses_a_taken_type_and_keeps_nothing_of_it);
	tcase_add_test(t, registry_refuses_a_taken_name);
	tcase_add_test(t, registry_keeps_entries_where_they_are);
	tcase_add_test(t, registry_knows_which_needs_are_met);
}
