/* SPDX-License-Identifier: GPL-2.0-or-later */
/* counters.h - every counter of a core, one log line each:
 * "counter TAG NAME VALUE". */
#ifndef WEIR_CORE_COUNTERS_H
#define WEIR_CORE_COUNTERS_H

#include "core.h"

void counters_log(const struct core *);

#endif
