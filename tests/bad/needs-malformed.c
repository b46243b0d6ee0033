/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Needs something, without saying which major of it. */
#include "null.h"

static const struct weir_component component = {
	NULL_OUTBOUND("needs-malformed")};

WEIR_PLUGIN("needs-malformed", "1.0", "GPL-2.0-or-later", "nothing",
	    &component);
