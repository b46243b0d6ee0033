/* SPDX-License-Identifier: GPL-2.0-or-later */
/* In order: it must run on whatever lies beside it. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("good")};

WEIR_PLUGIN("good", "1.0", "GPL-2.0-or-later", "", &component);
