/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A component that was never given its size. */
#include "null.h"

static const struct weir_component component = {.kind = WEIR_OUTBOUND,
						.type = "size-zero",
						.summary = "does nothing",
						.ops = &null_ops,
						.create = null_create};

WEIR_PLUGIN("size-zero", "1.0", "GPL-2.0-or-later", "", &component);
