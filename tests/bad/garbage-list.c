/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A list of components that lies nowhere. */
#include "null.h"

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "garbage-list", "1.0", "MIT", ""});

BAD_ENTRY = {sizeof(struct weir_plugin), 1, 0, "garbage-list", "1.0", "MIT", "",
	     (const void *)0x10};
