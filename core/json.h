/* SPDX-License-Identifier: GPL-2.0-or-later */
/* json.h - writes JSON, indented. The caller keeps brackets in balance.
 *
 * `name` is the member's in an object, NULL in an array and at the top. */
#ifndef WEIR_CORE_JSON_H
#define WEIR_CORE_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct json {
	FILE *file;
	unsigned depth;
	bool filled; /* something stands in the innermost bracket */
};

void json_open(struct json *, const char *name, char bracket); /* { or [ */
void json_close(struct json *, char bracket);		       /* } or ] */
void json_text(struct json *, const char *name, const char *value);
void json_number(struct json *, const char *name, int64_t value);
void json_bool(struct json *, const char *name, bool value);

#endif
