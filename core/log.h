/* SPDX-License-Identifier: GPL-2.0-or-later */
/* log.h - lines to standard error: levels a tag, bounded in rate, and never
 * waiting for a reader that does not read. */
#ifndef WEIR_CORE_LOG_H
#define WEIR_CORE_LOG_H

#include <weir/host.h>

#include "config.h"

/* Levels of the configuration; strings are borrowed until the next call. */
void log_configure(enum weir_level level, const struct weir_list *tags);

/* The level of one tag; look it up once and keep it. */
enum weir_level log_level_of(const char *tag);

void log_line(enum weir_level, const char *tag, const char *fmt, ...)
	WEIR_PRINTF(3, 4);
void log_vline(enum weir_level, const char *tag, const char *fmt, va_list)
	WEIR_PRINTF(3, 0);

#endif
