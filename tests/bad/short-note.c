/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A note whose identity is cut short. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("short-note")};
static const struct weir_component *const list[] = {&component, NULL};

BAD_NOTE(sizeof WEIR_NOTE_OWNER, 40, WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "short-note", "1.0", "MIT", ""});

BAD_ENTRY = {
	sizeof(struct weir_plugin), 1, 0, "short-note", "1.0", "MIT", "", list};
