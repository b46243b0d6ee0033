/* SPDX-License-Identifier: GPL-2.0-or-later */
/* import.h - `weir import`: a file of another program as a configuration. */
#ifndef WEIR_CORE_IMPORT_H
#define WEIR_CORE_IMPORT_H

#include "options.h"

/* Takes its own name as argv[0] and returns an exit status. */
int import_run(const struct options *, int argc, char **argv);

#endif
