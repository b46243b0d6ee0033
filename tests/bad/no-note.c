/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Any shared object: a descriptor, but nobody said so in a note. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("no-note")};
static const struct weir_component *const list[] = {&component, NULL};

BAD_ENTRY = {
	sizeof(struct weir_plugin), 1, 0, "no-note", "1.0", "MIT", "", list};
