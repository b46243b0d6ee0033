/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: each error becomes a finished line at once, because
 * the path and the value it speaks of live on the caller's stack. Lines are
 * kept up to a bound (a hostile file could cause one for every second byte),
 * sorted by their place and handed out together. Whatever of the file is
 * repeated in a line was written by somebody else. */
#include "report.h"

#include <stdlib.h>

#include "utf8.h"

#define REPORT_LINES 100u
#define REPORT_LINE_BYTES 1024u
#define REPORT_NAME_SHOWN 48 /* bytes of one step of a path */

struct line {
	struct config_mark mark;
	size_t order;
	bool warning;
	const char *text;
};

struct report {
	struct arena *arena;
	const char *file;
	struct line lines[REPORT_LINES];
	size_t kept, errors;
};

/* A line in the making; what does not fit is left out. */
struct draft {
	char text[REPORT_LINE_BYTES];
	size_t used;
};

struct report *report_new(struct arena *arena, const char *file)
{
	struct report *r = arena_alloc(arena, sizeof *r);

	r->arena = arena;
	r->file = file;
	return r;
}

static void put_args(struct draft *d, const char *fmt, va_list args)
{
	size_t room = sizeof d->text - d->used;
	int n = vsnprintf(d->text + d->used, room, fmt, args);

	if (n > 0)
		d->used += (size_t)n < room ? (size_t)n : room - 1;
}

WEIR_PRINTF(2, 3)
static void put(struct draft *d, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	put_args(d, fmt, args);
	va_end(args);
}

/* Who writes NAME=SECRET instead of NAME: SECRET makes the secret a part of the
 * name. So a name that holds a '=' or is too long is shown only as far as it
 * looks like a name. */
static void put_name(struct draft *d, const char *name)
{
	size_t len = strlen(name);
	size_t first = strspn(name, "abcdefghijklmnopqrstuvwxyz_");

	if (len <= REPORT_NAME_SHOWN && !strchr(name, '='))
		put(d, "%s", name);
	else if (first <= REPORT_NAME_SHOWN && name[first] &&
		 strchr("= ", name[first]))
		put(d, "%.*s...", (int)first, name);
	else
		put(d, "...");
}

static void put_path(struct draft *d, const struct report_path *path)
{
	if (!path)
		return;
	put_path(d, path->up);
	if (!path->name) {
		put(d, "[%zu]", path->index);
		return;
	}
	put(d, "%s", path->up ? "." : "");
	put_name(d, path->name);
}

static void keep(struct report *r, struct config_mark mark,
		 const struct report_path *path, bool warning, const char *fmt,
		 va_list args)
{
	struct draft d = {.used = 0};
	struct line *line;

	if (r->kept == REPORT_LINES)
		return;
	put(&d, "%s:", r->file);
	if (mark.line)
		put(&d, "%u:%u:", mark.line, mark.column);
	put(&d, " ");
	put_path(&d, path);
	put(&d, path ? ": " : "");
	put_args(&d, fmt, args);
	utf8_blot(d.text, d.used);
	line = &r->lines[r->kept];
	*line = (struct line){mark, r->kept, warning,
			      arena_strndup(r->arena, d.text, d.used)};
	r->kept++;
}

void report_error(struct report *r, struct config_mark mark,
		  const struct report_path *path, const char *fmt, ...)
{
	va_list args;

	r->errors++;
	va_start(args, fmt);
	keep(r, mark, path, false, fmt, args);
	va_end(args);
}

void report_warning(struct report *r, struct config_mark mark,
		    const struct report_path *path, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	keep(r, mark, path, true, fmt, args);
	va_end(args);
}

size_t report_errors(const struct report *r)
{
	return r->errors;
}

static int by_place(const void *a, const void *b)
{
	const struct line *x = a, *y = b;

	if (x->mark.line != y->mark.line)
		return x->mark.line < y->mark.line ? -1 : 1;
	if (x->mark.column != y->mark.column)
		return x->mark.column < y->mark.column ? -1 : 1;
	return x->order < y->order ? -1 : 1;
}

static void report_rest(struct report *r, size_t told,
			const struct config_report *to)
{
	struct draft d = {.used = 0};

	if (told == r->errors || !to->error)
		return;
	put(&d, "%s: %zu more errors", r->file, r->errors - told);
	to->error(to->arg, d.text);
}

void report_flush(struct report *r, const struct config_report *to)
{
	size_t i, told = 0;

	qsort(r->lines, r->kept, sizeof r->lines[0], by_place);
	for (i = 0; i < r->kept; i++) {
		const struct line *line = &r->lines[i];

		told += !line->warning;
		if (line->warning && to->warning)
			to->warning(to->arg, line->text);
		else if (!line->warning && to->error)
			to->error(to->arg, line->text);
	}
	report_rest(r, told, to);
	r->kept = 0;
}
