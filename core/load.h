/* SPDX-License-Identifier: GPL-2.0-or-later */
/* load.h - plugins from a folder into a registry. */
#ifndef WEIR_CORE_LOAD_H
#define WEIR_CORE_LOAD_H

#include "registry.h"

struct load_step {
	const char *promise; /* what was checked: "its note is valid" */
	bool ok;
};
#define LOAD_STEPS 8
struct load_report {
	struct load_step steps[LOAD_STEPS];
	int count;
	struct weir_identity identity;
};

/* Load one plugin after all checks of the file, its folders and its note, and
 * report on each of them. The error is the reason, with both versions where
 * they matter. Its needs are not looked at (registry_serves). */
bool load_checked(struct registry *, const char *path, struct load_report *,
		  struct weir_error *);

/* Load every *.so of `dir` (absolute), in name order. A refused plugin is
 * handed to `refused` and does not stop the others. Returns how many were
 * loaded, or -1 with the error where the folder itself is at fault. */
int load_dir(struct registry *, const char *dir,
	     void (*refused)(void *arg, const char *path,
			     const struct weir_error *),
	     void *arg, struct weir_error *);

#endif
