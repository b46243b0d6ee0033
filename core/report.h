/* SPDX-License-Identifier: GPL-2.0-or-later */
/* report.h - what is wrong with a configuration, each with its place.
 *
 * Errors are collected, and handed out in the order of the file. The report
 * lives on the arena it was made with. */
#ifndef WEIR_CORE_REPORT_H
#define WEIR_CORE_REPORT_H

#include "arena.h"

#include <weir/base.h>

struct config_mark {
	unsigned line, column; /* from 1; line 0: the file as a whole */
};

/* Where errors and warnings go, one call each, already formatted as
 * "file:line:column: path: value: rule". */
struct config_report {
	void (*error)(void *arg, const char *line);
	void (*warning)(void *arg, const char *line);
	void *arg;
};

/* "inbounds[0].mtu", from the last step up; lives on the stack. */
struct report_path {
	const struct report_path *up;
	const char *name; /* NULL: an index */
	size_t index;
};

struct report;

struct report *report_new(struct arena *, const char *file);
WEIR_PRINTF(4, 5)
void report_error(struct report *, struct config_mark,
		  const struct report_path *, const char *fmt, ...);
WEIR_PRINTF(4, 5)
void report_warning(struct report *, struct config_mark,
		    const struct report_path *, const char *fmt, ...);
size_t report_errors(const struct report *); /* so far */
void report_flush(struct report *, const struct config_report *);

#endif
