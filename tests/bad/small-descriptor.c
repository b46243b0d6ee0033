/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A descriptor that says it is smaller than version 1.0. */
#include "null.h"

static const struct weir_component component = {
	NULL_OUTBOUND("small-descriptor")};
static const struct weir_component *const list[] = {&component, NULL};

BAD_NOTE(sizeof WEIR_NOTE_OWNER, sizeof(struct weir_identity),
	 WEIR_NOTE_IDENTITY, WEIR_NOTE_OWNER,
	 {1, 0, "small-descriptor", "1.0", "MIT", ""});

BAD_ENTRY = {8, 1, 0, "small-descriptor", "1.0", "MIT", "", list};
