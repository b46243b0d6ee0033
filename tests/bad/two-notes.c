/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Two identities in one file. */
#include "null.h"

static const struct weir_component component = {NULL_OUTBOUND("two-notes")};

WEIR_PLUGIN("two-notes", "1.0", "GPL-2.0-or-later", "", &component);

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "two-notes-b", "1.0", "MIT", ""});
