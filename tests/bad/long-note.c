/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A note that claims more bytes than the file has. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("long-note")};
static const struct weir_component *const list[] = {&component, NULL};

BAD_NOTE(sizeof WEIR_NOTE_OWNER, 0x7ffffff0, WEIR_NOTE_IDENTITY,
	 WEIR_NOTE_OWNER, {1, 0, "long-note", "1.0", "MIT", ""});

BAD_ENTRY = {
	sizeof(struct weir_plugin), 1, 0, "long-note", "1.0", "MIT", "", list};
