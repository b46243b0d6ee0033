/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A component whose type points nowhere. */
#include "null.h"

static const struct weir_component component = {.size = sizeof component,
						.kind = WEIR_OUTBOUND,
						.type = (const char *)0x18,
						.summary = "does nothing",
						.ops = &null_ops,
						.create = null_create,
						.start = null_start,
						.stop = null_stop,
						.destroy = null_destroy};

WEIR_PLUGIN("garbage-type", "1.0", "GPL-2.0-or-later", "", &component);
