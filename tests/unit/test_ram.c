/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What of a machine's memory the control groups leave to the process. */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "plugins/netstack/ram.h"
#include "tests/suite.h"

#define MIB (1ull << 20)

/* A tree of groups, a/b, and what the kernel says of us; taken away again with
 * all that may be in it. */
static char dir[256];
static const char *const files[] = {"self", "memory.max", "a/memory.max",
				    "a/b/memory.max"};

static const char *in_dir(const char *name)
{
	static char path[512];

	snprintf(path, sizeof path, "%s/%s", dir, name);
	return path;
}

static void setup(void)
{
	const char *tmp = getenv("TMPDIR");

	snprintf(dir, sizeof dir, "%s/weir-ram.XXXXXX", tmp ? tmp : P_tmpdir);
	ck_assert_ptr_nonnull(mkdtemp(dir));
	ck_assert_int_eq(mkdir(in_dir("a"), 0700), 0);
	ck_assert_int_eq(mkdir(in_dir("a/b"), 0700), 0);
}

static void teardown(void)
{
	for (size_t i = 0; i < sizeof files / sizeof *files; i++)
		unlink(in_dir(files[i]));
	rmdir(in_dir("a/b"));
	rmdir(in_dir("a"));
	rmdir(dir);
}

static void put(const char *name, const char *text)
{
	FILE *f = fopen(in_dir(name), "w");

	ck_assert_ptr_nonnull(f);
	fputs(text, f);
	ck_assert_int_eq(fclose(f), 0);
}

static uint64_t ram(void)
{
	return ram_bytes(in_dir("self"), dir);
}

/* What the machine has, as far as there are addresses for it. */
static uint64_t machine(void)
{
	uint64_t bytes = (uint64_t)sysconf(_SC_PHYS_PAGES) *
			 (uint64_t)sysconf(_SC_PAGESIZE);

	return bytes < SIZE_MAX / 2 ? bytes : SIZE_MAX / 2 + 1;
}

START_TEST(without_limits_it_is_the_machines)
{
	ck_assert_uint_eq(ram(), machine()); /* no control groups at all */
	put("self", "4:memory:/a\n1:name=systemd:/a\n");
	put("a/memory.max", "1048576\n");
	ck_assert_uint_eq(ram(), machine()); /* none of version 2 */
	put("self", "0::/a/b\n");
	put("a/memory.max", "max\n");
	ck_assert_uint_eq(ram(), machine());
	put("a/memory.max", "18446744073709551615\n");
	ck_assert_uint_eq(ram(), machine());
}
END_TEST

START_TEST(the_least_limit_of_the_groups_counts)
{
	put("self", "1:name=systemd:/\n0::/a/b\n");
	put("a/b/memory.max", "10485760\n");
	ck_assert_uint_eq(ram(), 10 * MIB);
	put("a/memory.max", "8388608\n");
	ck_assert_uint_eq(ram(), 8 * MIB);
	put("a/memory.max", "max\n");
	ck_assert_uint_eq(ram(), 10 * MIB);
}
END_TEST

START_TEST(in_a_container_the_topmost_group_is_ours)
{
	put("self", "0::/\n");
	put("memory.max", "5242880\n");
	ck_assert_uint_eq(ram(), 5 * MIB);
}
END_TEST

SUITE("ram", t)
{
	tcase_add_checked_fixture(t, setup, teardown);
	tcase_add_test(t, without_limits_it_is_the_machines);
	tcase_add_test(t, the_least_limit_of_the_groups_counts);
	tcase_add_test(t, in_a_container_the_topmost_group_is_ours);
}
