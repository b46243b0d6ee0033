/* SPDX-License-Identifier: GPL-2.0-or-later */
/* parts.h - a registry of components that do nothing but have options, one of
 * every type, and what was reported about a configuration of them. */
#ifndef WEIR_TESTS_PARTS_H
#define WEIR_TESTS_PARTS_H

#include "config.h"

struct probe_record {
	const char *name;
	int64_t weight, level;
	uint8_t key[32];
};

struct probe {
	bool flag;
	int64_t number;
	uint64_t size, time;
	const char *text, *path, *password;
	int word;
	struct weir_addr addr, literal, server;
	struct weir_cidr cidr, host;
	uint8_t key[32];
	struct weir_range range;
	struct probe_record record;
	struct weir_list numbers, words, prefixes, records, secrets;
};

/* inbound "probe"; outbounds "sink" and "tunnel" (takes via); service
 * "engine", which the plugin of "probe" needs, and "spare". */
struct registry *parts_registry(void);
extern const struct weir_schema probe_schema;

/* Lines of a report, each ended by a newline. */
struct lines {
	char text[8192];
	size_t used;
	unsigned errors, warnings;
};

struct config_report lines_report(struct lines *);

#endif
