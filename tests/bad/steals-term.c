/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Its constructor takes SIGTERM, by which weir is stopped. */
#include <signal.h>

#include "null.h"

static void ignore(int n)
{
	(void)n;
}

__attribute__((constructor)) static void steal(void)
{
	signal(SIGTERM, ignore);
}

static const struct weir_component component = {NULL_OUTBOUND("steals-term")};

WEIR_PLUGIN("steals-term", "1.0", "GPL-2.0-or-later", "", &component);
