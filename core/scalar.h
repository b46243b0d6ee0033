/* SPDX-License-Identifier: GPL-2.0-or-later */
/* scalar.h - one piece of text to one value of an option's type. */
#ifndef WEIR_CORE_SCALAR_H
#define WEIR_CORE_SCALAR_H

#include "arena.h"

#include <weir/option.h>

struct scalar_source {
	struct arena *arena; /* for texts and names */
	const char *folder;  /* absolute; relative paths begin there */
	const char *text;
	bool plain; /* not in quotes */
};

/* Read into `at`, which has scalar_size bytes. Where false, the error's text
 * has the value, unless it is secret, and the rule it breaks. */
bool scalar_read(const struct scalar_source *, const struct weir_option *,
		 void *at, struct weir_error *);

/* Bytes of one value; not for a RECORD. */
size_t scalar_size(enum weir_type);

/* "number", "text", ...: how a type is named to people. */
const char *scalar_noun(enum weir_type);

#define SCALAR_BOUND_BYTES 32
/* A bound as one would write it in the file: 512k, 5s, 1280. */
const char *scalar_bound(enum weir_type, int64_t, char *text);

#endif
