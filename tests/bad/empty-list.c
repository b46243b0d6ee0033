/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of no components. */
#include "null.h"

static const struct weir_component *const list[] = {NULL};

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "empty-list", "1.0", "MIT", ""});

BAD_ENTRY = {
	sizeof(struct weir_plugin), 1, 0, "empty-list", "1.0", "MIT", "", list};
