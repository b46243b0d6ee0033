/* SPDX-License-Identifier: GPL-2.0-or-later */
/* So many options of such a size that their product is 0 in 32 bits. */
#include "null.h"

struct conf {
	bool first;
};

static const struct weir_option options[] = {
	{.name = "first",
	 .help = "the only one",
	 .type = WEIR_BOOL,
	 .at = offsetof(struct conf, first)},
};

static const struct weir_schema schema = {.size = sizeof schema,
					  .option_size = 1u << 22,
					  .option_count = 1u << 10,
					  .conf_size = sizeof(struct conf),
					  .options = options};

static const struct weir_component component = {
	NULL_OUTBOUND("wrapping-options"), .schema = &schema};

WEIR_PLUGIN("wrapping-options", "1.0", "GPL-2.0-or-later", "", &component);
