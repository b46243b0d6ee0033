/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Brings a type that "good" brought before it. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("good")};

WEIR_PLUGIN("taken-type", "1.0", "GPL-2.0-or-later", "", &component);
