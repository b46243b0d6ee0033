/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Every test of the device twice: its workers must not be seen in what it
 * does. */
#include "tests/unit/wgbed.h"

#include "tests/suite.h"

unsigned bed_workers;

static void with_workers(void)
{
	bed_workers = 2;
}

static TCase *bed_case(Suite *s, const char *name, void (*add)(TCase *))
{
	TCase *t = tcase_create(name);

	add(t);
	tcase_set_timeout(t, 120);
	suite_add_tcase(s, t);
	return t;
}

int bed_main(const char *suite, void (*add)(TCase *))
{
	Suite *s = suite_create(suite);

	bed_case(s, suite, add);
	tcase_add_checked_fixture(bed_case(s, "with workers", add),
				  with_workers, NULL);
	return suite_run(s);
}
