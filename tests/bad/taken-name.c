/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Calls itself "good" as another plugin does. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("taken-name")};

WEIR_PLUGIN("good", "1.0", "GPL-2.0-or-later", "", &component);
