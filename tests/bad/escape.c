/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A terminal escape where the licence is printed. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("escape")};
static const struct weir_component *const list[] = {&component, NULL};

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "escape", "1.0", "\033[2J", ""});

BAD_ENTRY = {
	sizeof(struct weir_plugin), 1, 0, "escape", "1.0", "MIT", "", list};
