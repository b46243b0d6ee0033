/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Wants a symbol of the daemon; linked without -z defs. */
#include "null.h"

int weir_secret_of_the_daemon(void);

static bool undefined_start(void *self, struct weir_error *e)
{
	(void)self, (void)e;
	return weir_secret_of_the_daemon() == 0;
}

static const struct weir_component component = {
	.size = sizeof(struct weir_component),
	.kind = WEIR_OUTBOUND,
	.type = "undefined",
	.summary = "does nothing",
	.ops = &null_ops,
	.create = null_create,
	.start = undefined_start,
	.stop = null_stop,
	.destroy = null_destroy};

WEIR_PLUGIN("undefined", "1.0", "GPL-2.0-or-later", "", &component);
