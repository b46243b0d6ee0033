/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.h - the daemon's own settings that do not come from the file. */
#ifndef WEIR_CORE_OPTIONS_H
#define WEIR_CORE_OPTIONS_H

#include <stdbool.h>

#define EXIT_USAGE 64  /* sysexits.h EX_USAGE */
#define EXIT_CONFIG 78 /* sysexits.h EX_CONFIG */

struct options {
	const char *config;	/* -c FILE; NULL: the default */
	const char *plugin_dir; /* --plugin-dir DIR; absolute */
	bool verbose;		/* exec -v */
};

#endif
