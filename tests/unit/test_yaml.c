/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core/yaml.c: text to a tree, and what is refused at once. */
#include "parts.h"
#include "tree.h"
#include "utf8.h"

#include <check.h>
#include <stdlib.h>
#include <time.h>

#include "tests/suite.h"

#ifdef __SANITIZE_ADDRESS__
#define QUICK_MS 1000.0 /* the checks take most of it */
#else
#define QUICK_MS 100.0
#endif

static struct arena *arena;
static struct lines said;

static void setup(void)
{
	arena = arena_new();
}

static void teardown(void)
{
	arena_free(arena);
}

static const struct node *read_bytes(const char *text, size_t len)
{
	struct report *r = report_new(arena, "f");
	struct config_report to = lines_report(&said);
	const struct node *n = yaml_read(arena, r, text, len);

	report_flush(r, &to);
	return n;
}

static const struct node *read_text(const char *text)
{
	return read_bytes(text, strlen(text));
}

START_TEST(nodes_know_their_line_and_column)
{
	const struct node *n = read_text("a: 1\nb:\n  - \"x\"\n  - {c: y}\n");
	const struct node *b, *c;

	ck_assert_ptr_nonnull(n);
	b = node_get(n, "b");
	ck_assert_uint_eq(node_count(b), 2);
	ck_assert_uint_eq(node_at(b, 0)->mark.line, 3);
	ck_assert_uint_eq(node_at(b, 0)->mark.column, 5);
	ck_assert(!node_at(b, 0)->plain);
	c = node_get(node_at(b, 1), "c");
	ck_assert_uint_eq(c->mark.line, 4);
	ck_assert_uint_eq(c->mark.column, 9);
	ck_assert(c->plain);
	ck_assert_ptr_null(node_get(n, "c"));
}
END_TEST

/* As some editors write it. */
START_TEST(a_byte_order_mark_is_no_part_of_the_text)
{
	const struct node *n = read_text("\xef\xbb\xbf"
					 "a: 1\nb: 2\n");

	ck_assert_ptr_nonnull(n);
	ck_assert_str_eq(node_get(n, "b")->text, "2");
	ck_assert_uint_eq(node_get(n, "a")->mark.column, 4);
}
END_TEST

START_TEST(a_bare_value_counts_as_a_list_of_one)
{
	const struct node *n = read_text("a: x\nb: []\n");

	ck_assert_uint_eq(node_count(node_get(n, "a")), 1);
	ck_assert_str_eq(node_at(node_get(n, "a"), 0)->text, "x");
	ck_assert_uint_eq(node_count(node_get(n, "b")), 0);
	ck_assert_uint_eq(node_count(NULL), 0);
}
END_TEST

START_TEST(each_second_key_is_reported_with_the_first_ones_line)
{
	const struct node *n = read_text("a: 1\nb: {x: 1, x: 2}\na: 2\na: 3\n");

	ck_assert_ptr_nonnull(n);
	ck_assert_str_eq(said.text,
			 "f:2:11: b.x: is given twice; the first is in line 2\n"
			 "f:3:1: a: is given twice; the first is in line 1\n"
			 "f:4:1: a: is given twice; the first is in line 1\n");
	ck_assert_str_eq(node_get(n, "a")->text, "1");
	ck_assert_uint_eq(n->count, 2);
}
END_TEST

START_TEST(an_alias_stands_for_what_its_anchor_named)
{
	const struct node *n = read_text("a: &x [1, 2]\nb: *x\nc: *x\n");

	ck_assert_ptr_eq(node_get(n, "a"), node_get(n, "c"));
	ck_assert_uint_eq(n->weight, 1 + 3 + 3 * 3);
}
END_TEST

/* Texts that end the reading, and where. */
static const struct {
	const char *text, *said;
} fatal[] = {
	{"", "f:1:1: the file says nothing"},
	{"# only this\n", "f:1:1: the file says nothing"},
	{"a: [1\n", "f:2:1: not YAML: did not find expected"},
	{"a: 1\n\tb: 2\n", "f:2:1: not YAML: "},
	{"a: 1\n---\nb: 2\n", "f:2:1: a second document begins"},
	{"a: *x\n", "f:1:4: a: *x stands for nothing"},
	{"a: &x [*x]\n", "f:1:8: a[0]: *x stands for nothing"},
	{"a: \"\xff\"\n", "f:1:5: not UTF-8"},
	{"a: b\n\xc3\xa4: \xed\xa0\x80\n", "f:2:4: not UTF-8"},
	{"a: \x01\n", "f:1:4: not UTF-8"},
};

START_TEST(what_cannot_be_read_is_one_error_with_its_place)
{
	const char *text = fatal[_i].text;

	ck_assert_ptr_null(read_text(text));
	ck_assert_uint_eq(said.errors, 1);
	ck_assert_msg(strstr(said.text, fatal[_i].said) == said.text, "%s: %s",
		      text, said.text);
}
END_TEST

/* Texts that are reported while reading goes on. */
static const struct {
	const char *text, *said;
} refused[] = {
	{"a: !!int 5\n", "f:1:4: a: tag:yaml.org,2002:int is a tag"},
	{"a: !x {}\n", "f:1:4: a: !x is a tag"},
	{"? [a, b]\n: c\n", "f:1:3: a key must be a word"},
	{"a: {'': 1}\n", "f:1:5: a: a key must be a word"},
	{"a: \"x\\0y\"\n", "f:1:4: a: a NUL character"},
};

START_TEST(tags_and_strange_keys_are_refused)
{
	ck_assert_ptr_nonnull(read_text(refused[_i].text));
	ck_assert_uint_eq(said.errors, 1);
	ck_assert_msg(strstr(said.text, refused[_i].said) == said.text,
		      "%s: %s", refused[_i].text, said.text);
}
END_TEST

static double ms_since(const struct timespec *then)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (double)(now.tv_sec - then->tv_sec) * 1e3 +
	       (double)(now.tv_nsec - then->tv_nsec) / 1e6;
}

/* `head`, then `part` as often as fits, then `tail`. */
static char *grow(const char *head, const char *part, const char *tail,
		  size_t len)
{
	size_t h = strlen(head), p = strlen(part), t = strlen(tail), at = h;
	char *text = malloc(len + 1);

	memcpy(text, head, h);
	for (; at + p + t <= len; at += p)
		memcpy(text + at, part, p);
	memcpy(text + at, tail, t + 1);
	return text;
}

static const struct {
	const char *head, *part, *said;
	size_t len;
} bombs[] = {
	{"a: ", "[", "too deep", YAML_BYTES_MAX},
	{"a: ", "{a: ", "too deep", YAML_BYTES_MAX},
	{"", "- ", "too deep", YAML_BYTES_MAX},
	{"", "? ", "too deep", YAML_BYTES_MAX},
	{"a: [", "a,", "too much", YAML_BYTES_MAX},
	{"", "- a\n", "too much", YAML_BYTES_MAX},
	{"a: [", "&a a, ", "one anchor too many", YAML_BYTES_MAX},
	{"a: x", "x", "is too long", YAML_BYTES_MAX + 1},
	{"a: [&a [x,x,x,x,x,x,x,x,x,x],", "*a,", "too much", YAML_BYTES_MAX},
};

START_TEST(bombs_are_refused_quickly)
{
	char *text = grow(bombs[_i].head, bombs[_i].part, "", bombs[_i].len);
	struct timespec start;
	double spent;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	ck_assert_ptr_null(read_text(text));
	spent = ms_since(&start);
	ck_assert_uint_eq(said.errors, 1);
	ck_assert_msg(strstr(said.text, bombs[_i].said) != NULL, "%s",
		      said.text);
	ck_assert_msg(spent < QUICK_MS, "%s took %f ms", bombs[_i].part, spent);
	free(text);
}
END_TEST

/* Nine levels of nine: 9^9 values in a few hundred bytes. */
START_TEST(laughing_at_aliases_is_refused_quickly)
{
	char text[2000] = "a0: &a0 [x,x,x,x,x,x,x,x,x]\n";
	struct timespec start;
	int i;

	for (i = 1; i < 9; i++) {
		int k = i - 1;

		snprintf(text + strlen(text), sizeof text - strlen(text),
			 "a%d: &a%d [*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,*a%d,"
			 "*a%d]\n",
			 i, i, k, k, k, k, k, k, k, k, k);
	}
	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	ck_assert_ptr_null(read_text(text));
	ck_assert(ms_since(&start) < QUICK_MS);
	ck_assert_ptr_nonnull(strstr(said.text, "too much"));
}
END_TEST

START_TEST(many_equal_keys_do_not_take_long)
{
	char *text = grow("", "k: 1\n", "", 200000);
	struct timespec start;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &start);
	ck_assert_ptr_nonnull(read_text(text));
	ck_assert(ms_since(&start) < 5 * QUICK_MS);
	ck_assert_ptr_nonnull(strstr(said.text, "39899 more errors"));
	free(text);
}
END_TEST

START_TEST(depth_ends_at_its_bound_and_not_before)
{
	char *text = grow("", "[", "", YAML_DEPTH_MAX);
	char close[YAML_DEPTH_MAX + 1];
	char both[2 * YAML_DEPTH_MAX + 1];

	memset(close, ']', YAML_DEPTH_MAX);
	close[YAML_DEPTH_MAX] = '\0';
	snprintf(both, sizeof both, "%s%s", text, close);
	ck_assert_ptr_nonnull(read_text(both));
	free(text);
}
END_TEST

SUITE("yaml", t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, nodes_know_their_line_and_column);
	tcase_add_test(t, a_byte_order_mark_is_no_part_of_the_text);
	tcase_add_test(t, a_bare_value_counts_as_a_list_of_one);
	tcase_add_test(t, each_second_key_is_reported_with_the_first_ones_line);
	tcase_add_test(t, an_alias_stands_for_what_its_anchor_named);
	tcase_add_loop_test(t, what_cannot_be_read_is_one_error_with_its_place,
			    0, sizeof fatal / sizeof fatal[0]);
	tcase_add_loop_test(t, tags_and_strange_keys_are_refused, 0,
			    sizeof refused / sizeof refused[0]);
	tcase_add_loop_test(t, bombs_are_refused_quickly, 0,
			    sizeof bombs / sizeof bombs[0]);
	tcase_add_test(t, laughing_at_aliases_is_refused_quickly);
	tcase_add_test(t, many_equal_keys_do_not_take_long);
	tcase_add_test(t, depth_ends_at_its_bound_and_not_before);
}
