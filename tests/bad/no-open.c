/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An outbound without open. */
#include "null.h"

static const struct weir_outbound_ops ops = {
	.size = sizeof ops,
	.abandon = null_abandon,
	.nets = WEIR_NET_TCP,
};

static const struct weir_component component = {.size = sizeof component,
						.kind = WEIR_OUTBOUND,
						.type = "no-open",
						.summary = "does nothing",
						.ops = &ops,
						.create = null_create,
						.start = null_start,
						.stop = null_stop,
						.destroy = null_destroy};

WEIR_PLUGIN("no-open", "1.0", "GPL-2.0-or-later", "", &component);
