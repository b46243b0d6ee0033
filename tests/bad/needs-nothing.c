/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Needs a service that no plugin offers. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("needs-nothing")};

WEIR_PLUGIN("needs-nothing", "1.0", "GPL-2.0-or-later", "nothing/1",
	    &component);
