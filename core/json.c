/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: a comma is owed before everything but the first in its
 * bracket; `filled` remembers that for the innermost one, and whoever closes a
 * bracket has filled the one around it. Texts are UTF-8 already. */
#include "json.h"

#include <inttypes.h>

static void put_quoted(struct json *j, const char *text)
{
	const unsigned char *p = (const unsigned char *)text;

	fputc('"', j->file);
	for (; *p; p++) {
		if (*p < 0x20)
			fprintf(j->file, "\\u%04x", *p);
		else
			fprintf(j->file, *p == '"' || *p == '\\' ? "\\%c" : "%c",
				*p);
	}
	fputc('"', j->file);
}

static void line(struct json *j)
{
	fprintf(j->file, "\n%*s", (int)j->depth * 2, "");
}

static void begin(struct json *j, const char *name)
{
	if (j->filled)
		fputc(',', j->file);
	if (j->depth)
		line(j);
	j->filled = true;
	if (name) {
		put_quoted(j, name);
		fputs(": ", j->file);
	}
}

void json_open(struct json *j, const char *name, char bracket)
{
	begin(j, name);
	fputc(bracket, j->file);
	j->depth++;
	j->filled = false;
}

void json_close(struct json *j, char bracket)
{
	j->depth--;
	if (j->filled)
		line(j);
	fputc(bracket, j->file);
	j->filled = true;
	if (!j->depth)
		fputc('\n', j->file);
}

void json_text(struct json *j, const char *name, const char *value)
{
	begin(j, name);
	put_quoted(j, value);
}

void json_number(struct json *j, const char *name, int64_t value)
{
	begin(j, name);
	fprintf(j->file, "%" PRId64, value);
}

void json_bool(struct json *j, const char *name, bool value)
{
	begin(j, name);
	fputs(value ? "true" : "false", j->file);
}
