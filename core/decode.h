/* SPDX-License-Identifier: GPL-2.0-or-later */
/* decode.h - a tree and a table of options to a struct.
 *
 * Everything wrong is reported, and what could not be decoded stays zero; the
 * caller asks report_errors whether the result may be used. */
#ifndef WEIR_CORE_DECODE_H
#define WEIR_CORE_DECODE_H

#include "tree.h"

#include <weir/option.h>

/* A core option that keeps its `const struct node *` for the caller. */
#define DECODE_NODE 0x80000000u

struct decode {
	struct arena *arena;
	struct report *report;
	const char *folder;  /* absolute; relative paths begin there */
	const char *exposed; /* why the file may hold no secret, or NULL */
};

/* One of the tables that share a mapping, and the struct it fills. */
struct decode_part {
	const struct weir_schema *schema;
	void *conf; /* zeroed; of decode_alloc */
};

/* Fill all parts from one mapping. A key that no part knows is an error
 * unless `strangers` are welcome. */
void decode_mapping(const struct decode *, const struct node *,
		    const struct report_path *, const struct decode_part *,
		    size_t parts, bool strangers);

/* Nothing but presets, as if the mapping had been left out. `at` is where
 * something wrong with them is reported: a mistake of the table's author. */
void decode_presets(const struct decode *, struct config_mark at,
		    const struct report_path *, const struct decode_part *);

/* Room for schema->conf_size, wiped when freed if it has secrets. */
void *decode_alloc(struct arena *, const struct weir_schema *);

/* The i-th option, whatever the stride of who made the table. */
struct weir_option decode_option(const struct weir_schema *, size_t i);

#endif
