/* SPDX-License-Identifier: GPL-2.0-or-later */
/* schema.h - what the tables of options say, for people and for editors. */
#ifndef WEIR_CORE_SCHEMA_H
#define WEIR_CORE_SCHEMA_H

#include "registry.h"

/* One component: its options, their types, bounds and presets, as text. */
void schema_help(const struct weir_component *, FILE *);
/* The whole configuration as JSON Schema (draft 7). */
void schema_json(const struct registry *, FILE *);

#endif
