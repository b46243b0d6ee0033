/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A descriptor without a list of components. */
#include "null.h"

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "no-list", "1.0", "MIT", ""});

BAD_ENTRY = {
	sizeof(struct weir_plugin), 1, 0, "no-list", "1.0", "MIT", "", NULL};
