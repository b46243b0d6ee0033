/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Built with a later minor of this major: it is told to ask WEIR_HAS. */
#include "null.h"

#undef WEIR_MINOR
#define WEIR_MINOR 8

static const struct weir_component component = {NULL_OUTBOUND("good-newer")};

WEIR_PLUGIN("good-newer", "1.0", "GPL-2.0-or-later", "", &component);
