/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The note promises major 1, the descriptor is of another. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("lies-version")};
static const struct weir_component *const list[] = {&component, NULL};

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "lies-version", "1.0", "MIT", ""});

BAD_ENTRY = {sizeof(struct weir_plugin),
	     3,
	     0,
	     "lies-version",
	     "1.0",
	     "MIT",
	     "",
	     list};
