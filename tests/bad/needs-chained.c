/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Needs the service of needs-chain, which does not run. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("needs-chained")};

WEIR_PLUGIN("needs-chained", "1.0", "GPL-2.0-or-later", "needs-chain/1",
	    &component);
