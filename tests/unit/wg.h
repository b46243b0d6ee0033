/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wg.h - what the tests of WireGuard's engine share: bytes from hex, random
 * numbers that count, and a runner. */
#ifndef TESTS_UNIT_WG_H
#define TESTS_UNIT_WG_H

#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "crypto.h"
#include "tests/suite.h"

#define S_US 1000000ull
#define MS_US 1000ull

/* Bytes of a string of hexadecimal digits; returns how many. */
static inline size_t from_hex(void *out, const char *hex)
{
	uint8_t *to = out;
	size_t n = strlen(hex) / 2;

	for (size_t i = 0; i < n; i++) {
		char pair[3] = {hex[2 * i], hex[2 * i + 1], 0};

		to[i] = (uint8_t)strtoul(pair, NULL, 16);
	}
	return n;
}

static inline bool is_hex(const void *bytes, const char *hex)
{
	uint8_t wanted[512];

	return memcmp(bytes, wanted, from_hex(wanted, hex)) == 0;
}

/* Random bytes that count on from where they were. */
struct counting {
	uint8_t next;
	struct crypto_random random;
};

static inline void counting_fill(void *self, void *out, size_t len)
{
	struct counting *c = self;

	for (size_t i = 0; i < len; i++)
		((uint8_t *)out)[i] = c->next++;
}

/* Is this secret anywhere in those bytes? */
static inline bool holds(const void *bytes, size_t len, const void *secret)
{
	return memmem(bytes, len, secret, WG_KEY_BYTES) != NULL;
}

static inline int run_tests(const char *name, const TTest *const *tests,
			    size_t n)
{
	Suite *s = suite_create(name);
	TCase *t = tcase_create(name);

	for (size_t i = 0; i < n; i++)
		tcase_add_test(t, tests[i]);
	suite_add_tcase(s, t);
	if (!crypto_init())
		abort();
	return suite_run(s);
}

#define RUN(name, tests) run_tests(name, tests, sizeof(tests) / sizeof *(tests))

#endif
