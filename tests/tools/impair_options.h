/* SPDX-License-Identifier: GPL-2.0-or-later */
/* impair_options.h - what impair's command line asks for. */
#ifndef TESTS_TOOLS_IMPAIR_OPTIONS_H
#define TESTS_TOOLS_IMPAIR_OPTIONS_H

#include "impair_path.h"
#include "impair_tun.h"

enum impair_way { IMPAIR_UP, IMPAIR_DOWN, IMPAIR_WAYS }; /* up: to the right */

struct impair_options {
	struct impair_end left, right;
	struct impair_settings way[IMPAIR_WAYS];
	uint32_t mtu_bytes;
	uint64_t seed;
};

/* Ends the program with status 64 and a message on a mistake. */
void impair_options_read(struct impair_options *, int argc, char **argv);

#endif
