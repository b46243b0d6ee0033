/* SPDX-License-Identifier: GPL-2.0-or-later */
/* suite.h - what runs the tests of a program. The whole of its main is
 *
 *	SUITE("name", t)
 *	{
 *		tcase_add_test(t, a_promise_is_kept);
 *	}
 */
#ifndef TESTS_SUITE_H
#define TESTS_SUITE_H

#include <check.h>
#include <stdlib.h>

/* Runs and frees it; what main returns. */
static inline int suite_run(Suite *suite)
{
	SRunner *runner = srunner_create(suite);
	int failed;

	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* A suite of one case, which `add` fills. */
static inline int suite_of(const char *name, void (*add)(TCase *))
{
	Suite *suite = suite_create(name);
	TCase *t = tcase_create(name);

	add(t);
	suite_add_tcase(suite, t);
	return suite_run(suite);
}

#define SUITE(name, t)                                                         \
	static void suite_fill(TCase *t);                                      \
	int main(void)                                                         \
	{                                                                      \
		return suite_of(name, suite_fill);                             \
	}                                                                      \
	static void suite_fill(TCase *t)

#endif
