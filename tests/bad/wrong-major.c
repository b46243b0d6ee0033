/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Built for an SDK that does not exist yet. */
#include "null.h"

#undef WEIR_MAJOR
#define WEIR_MAJOR 2

static const struct weir_component component = {NULL_OUTBOUND("wrong-major")};

WEIR_PLUGIN("wrong-major", "1.0", "GPL-2.0-or-later", "", &component);
