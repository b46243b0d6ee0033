/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nearest.h - the known name that somebody probably meant. */
#ifndef WEIR_CORE_NEAREST_H
#define WEIR_CORE_NEAREST_H

/* Zero it but for `wanted`, offer every known name, then read `best`: NULL
 * where none is near enough. Names are borrowed. */
struct nearest {
	const char *wanted;
	const char *best;
	unsigned distance;
};

void nearest_offer(struct nearest *, const char *name);

#endif
