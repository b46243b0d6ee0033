/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A component of a kind that there is not. */
#include "null.h"

static const struct weir_component component = {.size = sizeof component,
						.kind = (enum weir_kind)77,
						.type = "unknown-kind",
						.summary = "does nothing"};

WEIR_PLUGIN("unknown-kind", "1.0", "GPL-2.0-or-later", "", &component);
