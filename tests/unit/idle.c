/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A component that does nothing. */
#include "tests/unit/idle.h"

static const struct weir_host *table;

static void *create(struct weir_instance *i, const struct weir_host *host,
		    const void *conf, struct weir_error *e)
{
	(void)conf, (void)e;
	table = host;
	return i;
}

static bool start(void *self, struct weir_error *e)
{
	(void)self, (void)e;
	return true;
}

static void stop(void *self)
{
	table->stopped(self);
}

static void destroy(void *self)
{
	(void)self;
}

const struct weir_component idle_component = {.size = sizeof idle_component,
					      .kind = WEIR_INBOUND,
					      .type = "idle",
					      .summary = "does nothing",
					      .create = create,
					      .start = start,
					      .stop = stop,
					      .destroy = destroy};
