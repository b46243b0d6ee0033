/* SPDX-License-Identifier: GPL-2.0-or-later */
/* told.h - the keys of the tests' wg-quick files, and what reading such a file
 * tells. */
#ifndef TESTS_UNIT_TOLD_H
#define TESTS_UNIT_TOLD_H

#include <check.h>
#include <stdio.h>

#define PRIVATE "yAnz5TF+lXXJte14tji3zlMNq+hd2rYUIgJBgB3fBmk="
#define PUBLIC "xTIBA5rboUvnH4htodjb6e697QjLERt1NAB4mZqp8Dg="
#define SECRET "FpCyhws9cxwWoV4xELtfJvjJN+zQVRPISllRWgeopVE="

static struct told {
	char text[65536];
	size_t used, errors, warnings;
} told;

static void tell(void *arg, bool is_error, const char *line)
{
	struct told *t = arg;
	int n = snprintf(t->text + t->used, sizeof t->text - t->used, "%s\n",
			 line);

	t->used += (size_t)n;
	ck_assert_uint_lt(t->used, sizeof t->text);
	*(is_error ? &t->errors : &t->warnings) += 1;
}

#endif
