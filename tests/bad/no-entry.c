/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A note, but no entry symbol: a library that forgot it. */
#include "null.h"

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "no-entry", "1.0", "MIT", ""});
