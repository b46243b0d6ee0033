/* SPDX-License-Identifier: GPL-2.0-or-later */
/* An option that would be written behind the end of its struct. */
#include "null.h"

struct conf {
	bool first;
};

static const struct weir_option options[] = {
	{.name = "first",
	 .help = "wider than its place",
	 .type = WEIR_KEY,
	 .at = offsetof(struct conf, first)},
};

static const struct weir_schema schema =
	WEIR_SCHEMA(struct conf, options, NULL);

static const struct weir_component component = {NULL_OUTBOUND("wide-option"),
						.schema = &schema};

WEIR_PLUGIN("wide-option", "1.0", "GPL-2.0-or-later", "", &component);
