/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec.h - `weir exec`: one command inside namespaces of its own, all of its
 * traffic through weir. */
#ifndef WEIR_CORE_EXEC_H
#define WEIR_CORE_EXEC_H

#include "options.h"

#define EXIT_CANNOT_EXECUTE 126 /* as shells have it */
#define EXIT_NOT_FOUND 127

/* Returns the command's exit status; where a signal ended the command, the
 * same signal ends weir. */
int exec_run(const struct options *, int argc, char **argv);

#endif
