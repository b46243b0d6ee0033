/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A name that fills its field to the brim, without a NUL. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("no-end")};
static const struct weir_component *const list[] = {&component, NULL};

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "nnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnnn", "1.0",
	  "MIT", ""});

BAD_ENTRY = {
	sizeof(struct weir_plugin), 1, 0, "no-end", "1.0", "MIT", "", list};
