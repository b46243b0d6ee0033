/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A component that lies nowhere. */
#include "null.h"

static const struct weir_component *const list[] = {(const void *)0xdeadbee0,
						    NULL};

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "garbage-component", "1.0", "MIT", ""});

BAD_ENTRY = {sizeof(struct weir_plugin),
	     1,
	     0,
	     "garbage-component",
	     "1.0",
	     "MIT",
	     "",
	     list};
