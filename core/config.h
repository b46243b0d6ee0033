/* SPDX-License-Identifier: GPL-2.0-or-later */
/* config.h - a whole configuration file, decoded.
 *
 * Everything hangs on one arena and is freed together. Decoding has no side
 * effects: a configuration that failed leaves nothing behind but its errors. */
#ifndef WEIR_CORE_CONFIG_H
#define WEIR_CORE_CONFIG_H

#include "arena.h"
#include "registry.h"
#include "report.h"

/* The core's own options of an inbound, beside the component's. */
struct config_inbound {
	uint32_t level; /* policy level of sessions without a user */
};

/* An item of `inbounds`, `outbounds` or `services`. */
struct config_component {
	const char *tag; /* preset: the type */
	const struct weir_component *component;
	const struct weir_plugin *plugin;
	const void *conf; /* decoded by component->schema; NULL without one */
	const char *via;  /* outbounds: tag of another outbound, or NULL */
	struct config_inbound inbound;
	bool local; /* outbounds: all peers are on the loopback; exec's own */
	struct config_mark mark;
};

enum config_match { /* how a rule's domain is matched */
		    CONFIG_FULL,
		    CONFIG_SUFFIX,
		    CONFIG_KEYWORD,
};

struct config_domain {
	enum config_match match;
	const char *text; /* lower case, no trailing dot */
};

/* All given fields must match; a list matches where one of its items does. */
struct config_rule {
	struct weir_list inbound;	    /* const char *: tags */
	uint32_t networks;		    /* WEIR_NET_* bits; 0: any */
	struct weir_list ip, source;	    /* struct weir_cidr */
	struct weir_list port, source_port; /* struct weir_range */
	struct weir_list user;		    /* const char * */
	struct weir_list domain;	    /* struct config_domain */
	bool invert;
	const char *outbound; /* a tag that exists */
	struct config_mark mark;
};

struct config_level {
	uint32_t level;
	struct weir_policy policy;
};

struct config_dns_server {
	/* Port 53 where none was given. Absent: those of resolv.conf, which
	 * come once at most. */
	struct weir_addr address;
};

struct config {
	struct arena *arena;
	const char *file;

	enum weir_level log_level;
	struct weir_list log_tags; /* struct config_log_tag */

	uint32_t mark;	       /* SO_MARK of every socket; 0: none */
	const char *interface; /* SO_BINDTODEVICE of every socket, or NULL */
	uint64_t max_sessions;

	struct weir_list services, inbounds, outbounds; /* config_component */
	struct weir_list rules;				/* config_rule */
	const char *default_outbound; /* preset: the first outbound */
	struct weir_list levels;      /* config_level; 0 is always there */

	struct weir_list dns_servers; /* config_dns_server, at least one */
	uint64_t dns_cache_entries;
};

struct config_log_tag {
	const char *tag;
	enum weir_level level;
};

/* NULL where anything was wrong; every error was reported. */
struct config *config_load(const char *file, const struct registry *,
			   const struct config_report *);
/* The same of text in memory; `name` stands for the file in messages. */
struct config *config_parse(const char *name, const char *text, size_t len,
			    const struct registry *,
			    const struct config_report *);
void config_free(struct config *); /* wipes secrets */

#endif
