/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sections.h - the core's own options, declared like a plugin's. */
#ifndef WEIR_CORE_SECTIONS_H
#define WEIR_CORE_SECTIONS_H

#include "tree.h"

#include <weir/plugin.h>

#define SECTION_LEVEL_MAX 255

struct log_section {
	int level;	       /* enum weir_level */
	struct weir_list tags; /* struct log_tag_section */
};

struct log_tag_section {
	const char *tag;
	int level;
};

struct sockets_section {
	int64_t mark;
	const char *interface;
};

struct limits_section {
	int64_t sessions;
};

struct rule_section {
	struct weir_list inbound, network, ip, source, port, source_port;
	struct weir_list user, domain; /* const char * */
	bool invert;
	const char *outbound;
};

struct route_section {
	struct weir_list rules; /* struct rule_section */
	const char *fallback;	/* "default" */
};

struct level_section {
	uint64_t handshake, idle, uplink_only, downlink_only, buffer;
};

struct policy_section {
	const struct node *levels; /* a mapping: number to level_section */
};

struct dns_section {
	const struct node *servers; /* a list: "system" or address */
	int64_t cache;
};

/* The whole file. */
struct top_section {
	struct log_section log;
	struct sockets_section sockets;
	struct limits_section limits;
	const struct node *services, *inbounds, *outbounds;
	struct route_section route;
	struct policy_section policy;
	struct dns_section dns;
};

/* What an inbound, outbound or service has beside its component's options. */
struct item_section {
	const char *type, *tag;
	const char *via;
	int64_t level;
};

extern const struct weir_schema top_schema, level_schema;
extern const struct weir_option dns_server_option;

/* Of an inbound, outbound or service. */
const struct weir_schema *item_schema(enum weir_kind);

#endif
