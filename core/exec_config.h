/* SPDX-License-Identifier: GPL-2.0-or-later */
/* exec_config.h - the configuration that `weir exec` runs with: a file's or
 * the embedded one, plus what makes names resolve inside. */
#ifndef WEIR_CORE_EXEC_CONFIG_H
#define WEIR_CORE_EXEC_CONFIG_H

#include "config.h"
#include "enclosure.h"
#include "nameservers.h"
#include "options.h"

struct exec_config {
	struct config *config;
	struct config *extra; /* lent to `config` */
	struct nameservers names;
};

/* False after all errors were printed. */
bool exec_config_load(struct exec_config *, const struct options *,
		      const struct registry *);
/* What the file says of the device: the rest of the plan is the caller's. */
void exec_config_plan(const struct exec_config *, struct enclosure_plan *);
void exec_config_free(struct exec_config *);

#endif
