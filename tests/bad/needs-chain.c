/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A service that needs one that is missing: who needs it goes as well. */
#include "null.h"

static const int table = 1;

static const struct weir_component component = {.size = sizeof component,
						.kind = WEIR_SERVICE,
						.type = "needs-chain",
						.summary = "offers nothing",
						.ops = &table,
						.create = null_create,
						.start = null_start,
						.stop = null_stop,
						.destroy = null_destroy};

WEIR_PLUGIN("needs-chain", "1.0", "GPL-2.0-or-later", "nothing/1", &component);
