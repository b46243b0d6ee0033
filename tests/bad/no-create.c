/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A component that cannot be made. */
#include "null.h"

static const struct weir_component component = {.size = sizeof component,
						.kind = WEIR_OUTBOUND,
						.type = "no-create",
						.summary = "does nothing",
						.ops = &null_ops,
						.start = null_start,
						.stop = null_stop,
						.destroy = null_destroy};

WEIR_PLUGIN("no-create", "1.0", "GPL-2.0-or-later", "", &component);
