/* SPDX-License-Identifier: GPL-2.0-or-later */
/* command.h - the commands that need no file of their own. Each takes its own
 * name as argv[0] and returns an exit status. */
#ifndef WEIR_CORE_COMMAND_H
#define WEIR_CORE_COMMAND_H

#include "options.h"

int command_run(const struct options *, int argc, char **argv);
int command_check(const struct options *, int argc, char **argv);
int command_schema(const struct options *, int argc, char **argv);
int command_plugin(const struct options *, int argc, char **argv);

#endif
