/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fakehost_null.h - a fake host with a plugin that does nothing, for the tests
 * of the host itself. */
#ifndef TESTS_UNIT_FAKEHOST_NULL_H
#define TESTS_UNIT_FAKEHOST_NULL_H

#include <check.h>
#include <errno.h>
#undef fail /* check.h's macro; weir_host has a member of that name */

#include <weir/fakehost.h>

#include "tests/bad/null.h"
#include "tests/suite.h"

static const struct weir_component null_component = {NULL_OUTBOUND("null")};

static const struct weir_addr target = {
	WEIR_ADDR_IP4, 80, {.ip = {192, 0, 2, 7}}};

static struct fakehost *fake;
static const struct weir_host *host;
static struct weir_instance *instance;

static void start(void)
{
	struct weir_error e;

	fake = fakehost_new();
	host = fakehost_table(fake);
	instance = fakehost_start(fake, &null_component, "null", NULL, &e);
	ck_assert_ptr_nonnull(instance);
}

static void end(void)
{
	fakehost_free(fake);
}

#endif
