/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Its constructor takes SIGSEGV, as crash reporters do. */
#include <signal.h>

#include "null.h"

static void swallow(int n, siginfo_t *info, void *context)
{
	(void)n, (void)info, (void)context;
}

__attribute__((constructor)) static void steal(void)
{
	struct sigaction sa = {.sa_sigaction = swallow, .sa_flags = SA_SIGINFO};

	sigaction(SIGSEGV, &sa, NULL);
}

static const struct weir_component component = {NULL_OUTBOUND("steals-segv")};

WEIR_PLUGIN("steals-segv", "1.0", "GPL-2.0-or-later", "", &component);
