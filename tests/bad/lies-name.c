/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The note names a plugin that the descriptor is not. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("lies-name")};
static const struct weir_component *const list[] = {&component, NULL};

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "outbound-freedom", "1.0", "MIT", ""});

BAD_ENTRY = {
	sizeof(struct weir_plugin), 1, 0, "lies-name", "1.0", "MIT", "", list};
