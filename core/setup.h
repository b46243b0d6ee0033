/* SPDX-License-Identifier: GPL-2.0-or-later */
/* setup.h - what run, check and exec do first: plugins, then a configuration.
 * Errors go to standard error. */
#ifndef WEIR_CORE_SETUP_H
#define WEIR_CORE_SETUP_H

#include "config.h"
#include "options.h"

/* All plugins of the folder; refused ones are warned about. NULL where the
 * folder itself cannot be used. */
struct registry *setup_registry(const struct options *);
/* NULL after all errors were printed. */
struct config *setup_config(const struct options *, const struct registry *);
/* The same of text in memory. */
struct config *setup_config_text(const char *name, const char *text,
				 const struct registry *);

#endif
