/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Folders and files that nobody else may write (what is inside a plugin is
 * tests/bad's). */
#include <check.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/load.h"
#include "core/trust.h"
#include "tests/suite.h"

static char dir[4096];

static void make_dir(void)
{
	const char *tmp = getenv("TMPDIR");

	umask(022);
	snprintf(dir, sizeof dir, "%s/weir-load.XXXXXX", tmp ? tmp : P_tmpdir);
	ck_assert_ptr_nonnull(mkdtemp(dir));
}

static void remove_dir(void)
{
	chmod(dir, 0700);
	rmdir(dir);
}

START_TEST(load_refuses_a_relative_folder)
{
	struct weir_error e;

	ck_assert(!trust_folder("plugins", &e));
	ck_assert_str_eq(e.text, "not an absolute folder: plugins");
}
END_TEST

START_TEST(load_names_a_missing_folder)
{
	struct registry *r = registry_new();
	struct weir_error e;

	ck_assert_int_eq(load_dir(r, "/nonexistent/weir", NULL, NULL, &e), -1);
	ck_assert_str_eq(e.text,
			 "No such file or directory: /nonexistent/weir");
	registry_free(r);
}
END_TEST

START_TEST(load_takes_an_empty_folder)
{
	struct registry *r = registry_new();
	struct weir_error e;

	ck_assert_int_eq(load_dir(r, dir, NULL, NULL, &e), 0);
	registry_free(r);
}
END_TEST

START_TEST(trust_refuses_a_sticky_folder_of_plugins)
{
	struct weir_error e;

	ck_assert_int_eq(chmod(dir, 01777), 0);
	ck_assert(!trust_folder(dir, &e));
	ck_assert(strstr(e.text, "writable by others"));
}
END_TEST

START_TEST(trust_takes_odd_but_honest_paths)
{
	char odd[sizeof dir + 8];
	struct weir_error e;

	snprintf(odd, sizeof odd, "%s///", dir);
	ck_assert_msg(trust_folder(odd, &e), "%s", e.text);
	snprintf(odd, sizeof odd, "/%s/.", dir);
	ck_assert_msg(trust_folder(odd, &e), "%s", e.text);
	ck_assert_msg(trust_folder("/", &e), "%s", e.text);
}
END_TEST

START_TEST(trust_follows_our_links_to_what_they_name)
{
	char link[sizeof dir + 8];
	struct weir_error e;

	snprintf(link, sizeof link, "%s/link", dir);
	ck_assert_int_eq(symlink("/", link), 0);
	ck_assert_msg(trust_folder(link, &e), "%s", e.text);
	unlink(link);
	ck_assert_int_eq(symlink(P_tmpdir, link), 0);
	ck_assert(!trust_folder(link, &e));
	unlink(link);
}
END_TEST

SUITE("load", t)
{
	tcase_add_checked_fixture(t, make_dir, remove_dir);
	tcase_add_test(t, load_refuses_a_relative_folder);
	tcase_add_test(t, load_names_a_missing_folder);
	tcase_add_test(t, load_takes_an_empty_folder);
	tcase_add_test(t, trust_refuses_a_sticky_folder_of_plugins);
	tcase_add_test(t, trust_takes_odd_but_honest_paths);
	tcase_add_test(t, trust_follows_our_links_to_what_they_name);
}
