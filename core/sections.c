/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: tables only. What they cannot say - lists of components
 * whose options depend on their type, a mapping keyed by numbers, a list of
 * addresses and the word "system" - is kept as nodes for config.c. Help and
 * JSON Schema are made of the same tables. */
#include "sections.h"

#include "decode.h"

#define DAY_MS (24 * 3600 * 1000)
#define POLICY_LEAST_MS 100
#define NAME_MAX_BYTES 64
#define INTERFACE_MAX_BYTES 15 /* IFNAMSIZ - 1 */
#define SESSIONS_MAX 1048576
#define DNS_CACHE_MAX 1048576

static const char *const log_levels[] = {"error", "warn", "info", "debug",
					 NULL};
static const char *const networks[] = {"tcp", "udp", "icmp", NULL};

static const struct weir_option log_tag_options[] = {
	{.name = "tag",
	 .help = "the instance, session or weir, that this level is for",
	 .type = WEIR_STRING,
	 .flags = WEIR_REQUIRED,
	 .at = offsetof(struct log_tag_section, tag),
	 .min = 1,
	 .max = NAME_MAX_BYTES},
	{.name = "level",
	 .help = "the most talkative level that is written",
	 .type = WEIR_ENUM,
	 .flags = WEIR_REQUIRED,
	 .at = offsetof(struct log_tag_section, level),
	 .choices = log_levels},
};
static const struct weir_schema log_tag_schema =
	WEIR_SCHEMA(struct log_tag_section, log_tag_options, NULL);

static const struct weir_option log_options[] = {
	{.name = "level",
	 .help = "the most talkative level that is written",
	 .preset = "info",
	 .type = WEIR_ENUM,
	 .at = offsetof(struct log_section, level),
	 .choices = log_levels},
	{.name = "tags",
	 .help = "other levels for single tags",
	 .type = WEIR_RECORD,
	 .flags = WEIR_LIST,
	 .at = offsetof(struct log_section, tags),
	 .record = &log_tag_schema},
};
static const struct weir_schema log_schema =
	WEIR_SCHEMA(struct log_section, log_options, NULL);

static const struct weir_option sockets_options[] = {
	{.name = "mark",
	 .help = "SO_MARK of every socket that leaves weir; 0: none",
	 .preset = "0",
	 .type = WEIR_INT,
	 .at = offsetof(struct sockets_section, mark),
	 .min = 0,
	 .max = UINT32_MAX},
	{.name = "interface",
	 .help = "the interface every socket that leaves weir is bound to",
	 .type = WEIR_STRING,
	 .at = offsetof(struct sockets_section, interface),
	 .min = 1,
	 .max = INTERFACE_MAX_BYTES},
};

static bool sockets_check(const void *conf, struct weir_error *e)
{
	const struct sockets_section *s = conf;

	if (s->interface && strpbrk(s->interface, "/ \t\n:"))
		return weir_error(
			e, "interface",
			"\"%s\" is not an interface name: 1 to 15 "
			"characters without spaces, slashes and colons",
			s->interface);
	return true;
}

static const struct weir_schema sockets_schema =
	WEIR_SCHEMA(struct sockets_section, sockets_options, sockets_check);

static const struct weir_option limits_options[] = {
	{.name = "sessions",
	 .help = "how many sessions may be open at a time",
	 .preset = "65535",
	 .type = WEIR_INT,
	 .at = offsetof(struct limits_section, sessions),
	 .min = 1,
	 .max = SESSIONS_MAX},
};
static const struct weir_schema limits_schema =
	WEIR_SCHEMA(struct limits_section, limits_options, NULL);

#define RULE_LIST(name_, help_, type_, min_, max_)                             \
	{                                                                      \
		.name = #name_, .help = help_, .type = type_,                  \
		.flags = WEIR_LIST,                                            \
		.at = offsetof(struct rule_section, name_), .min = min_,       \
		.max = max_,                                                   \
	}

static const struct weir_option rule_options[] = {
	RULE_LIST(inbound, "tags of inbounds", WEIR_STRING, 1, NAME_MAX_BYTES),
	{.name = "network",
	 .help = "the networks a session is of",
	 .type = WEIR_ENUM,
	 .flags = WEIR_LIST,
	 .at = offsetof(struct rule_section, network),
	 .choices = networks},
	RULE_LIST(ip, "prefixes of the target", WEIR_CIDR, 0, 0),
	RULE_LIST(source, "prefixes of the source", WEIR_CIDR, 0, 0),
	RULE_LIST(port, "ports of the target", WEIR_RANGE, 1, 65535),
	RULE_LIST(source_port, "ports of the source", WEIR_RANGE, 1, 65535),
	RULE_LIST(user, "names of users", WEIR_STRING, 1, NAME_MAX_BYTES),
	RULE_LIST(domain,
		  "names of the target: suffix:, full: or keyword: and text",
		  WEIR_STRING, 1, 300),
	{.name = "invert",
	 .help = "take the rule where its conditions do not hold",
	 .preset = "false",
	 .type = WEIR_BOOL,
	 .at = offsetof(struct rule_section, invert)},
	{.name = "outbound",
	 .help = "the tag of the outbound that takes the session",
	 .type = WEIR_STRING,
	 .flags = WEIR_REQUIRED,
	 .at = offsetof(struct rule_section, outbound),
	 .min = 1,
	 .max = NAME_MAX_BYTES},
};
static const struct weir_schema rule_schema =
	WEIR_SCHEMA(struct rule_section, rule_options, NULL);

static const struct weir_option route_options[] = {
	{.name = "rules",
	 .help = "asked in order; the first that holds decides",
	 .type = WEIR_RECORD,
	 .flags = WEIR_LIST,
	 .at = offsetof(struct route_section, rules),
	 .record = &rule_schema},
	{.name = "default",
	 .help = "the outbound of what no rule takes; left out: the first one",
	 .type = WEIR_STRING,
	 .at = offsetof(struct route_section, fallback),
	 .min = 1,
	 .max = NAME_MAX_BYTES},
};
static const struct weir_schema route_schema =
	WEIR_SCHEMA(struct route_section, route_options, NULL);

#define LEVEL_TIME(name_, help_, preset_, least_)                              \
	{                                                                      \
		.name = #name_, .help = help_, .preset = preset_,              \
		.type = WEIR_TIME,                                             \
		.at = offsetof(struct level_section, name_), .min = least_,    \
		.max = DAY_MS,                                                 \
	}

static const struct weir_option level_options[] = {
	LEVEL_TIME(handshake, "how long an outbound may take to connect", "60s",
		   POLICY_LEAST_MS),
	LEVEL_TIME(idle, "how long a session may be silent", "300s",
		   POLICY_LEAST_MS),
	LEVEL_TIME(uplink_only,
		   "how long the client's side stays open after the target's "
		   "has ended; 0: not at all",
		   "1s", 0),
	LEVEL_TIME(downlink_only,
		   "how long the target's side stays open after the client's "
		   "has ended; 0: not at all",
		   "1s", 0),
	{.name = "buffer",
	 .help = "what the core may hold of a stream in each direction, where "
		 "neither end can take the other's bytes in place",
	 .preset = "512k",
	 .type = WEIR_SIZE,
	 .at = offsetof(struct level_section, buffer),
	 .min = 4096,
	 .max = 64 << 20},
};
const struct weir_schema level_schema =
	WEIR_SCHEMA(struct level_section, level_options, NULL);

static const struct weir_option policy_options[] = {
	{.name = "levels",
	 .help = "limits by level, a number; sessions have level 0 where "
		 "nothing gives them another",
	 .type = WEIR_RECORD,
	 .flags = DECODE_NODE,
	 .at = offsetof(struct policy_section, levels),
	 .record = &level_schema},
};
static const struct weir_schema policy_schema =
	WEIR_SCHEMA(struct policy_section, policy_options, NULL);

const struct weir_option dns_server_option = {
	.name = "servers",
	.help = "addresses of name servers, or the word system for those of "
		"the system",
	.type = WEIR_ADDR,
	.flags = WEIR_NO_NAME,
};

static const struct weir_option dns_options[] = {
	{.name = "servers",
	 .help = "addresses of name servers, or the word system for those of "
		 "the system; left out: system",
	 .type = WEIR_ADDR,
	 .flags = WEIR_LIST | WEIR_NO_NAME | DECODE_NODE,
	 .at = offsetof(struct dns_section, servers)},
	{.name = "cache",
	 .help = "how many names are remembered; 0: none",
	 .preset = "4096",
	 .type = WEIR_INT,
	 .at = offsetof(struct dns_section, cache),
	 .min = 0,
	 .max = DNS_CACHE_MAX},
};
static const struct weir_schema dns_schema =
	WEIR_SCHEMA(struct dns_section, dns_options, NULL);

#define SECTION(name_, help_)                                                  \
	{                                                                      \
		.name = #name_, .help = help_, .type = WEIR_RECORD,            \
		.at = offsetof(struct top_section, name_),                     \
		.record = &name_##_schema,                                     \
	}
#define COMPONENTS(name_, help_, flags_)                                       \
	{                                                                      \
		.name = #name_, .help = help_, .type = WEIR_RECORD,            \
		.flags = WEIR_LIST | DECODE_NODE | (flags_),                   \
		.at = offsetof(struct top_section, name_),                     \
	}

static const struct weir_option top_options[] = {
	SECTION(log, "what is written to the log"),
	SECTION(sockets, "the sockets that leave weir"),
	SECTION(limits, "bounds of the whole daemon"),
	COMPONENTS(services,
		   "what plugins share; made with presets where "
		   "they are needed and not listed",
		   0),
	COMPONENTS(inbounds, "where sessions come from", WEIR_REQUIRED),
	COMPONENTS(outbounds, "where sessions go", WEIR_REQUIRED),
	SECTION(route, "which outbound takes a session"),
	SECTION(policy, "times and sizes a session may take"),
	SECTION(dns, "how weir looks up names"),
};
const struct weir_schema top_schema =
	WEIR_SCHEMA(struct top_section, top_options, NULL);

#define ITEM_TYPE                                                              \
	{                                                                      \
		.name = "type", .help = "which component it is",               \
		.type = WEIR_STRING, .flags = WEIR_REQUIRED,                   \
		.at = offsetof(struct item_section, type), .min = 1,           \
		.max = NAME_MAX_BYTES,                                         \
	}
#define ITEM_TAG                                                               \
	{                                                                      \
		.name = "tag",                                                 \
		.help = "its name in rules and the log; left out: the type",   \
		.type = WEIR_STRING, .at = offsetof(struct item_section, tag), \
		.min = 1, .max = NAME_MAX_BYTES,                               \
	}

static bool item_check(const void *conf, struct weir_error *e)
{
	const struct item_section *s = conf;
	const char *p;

	for (p = s->tag; p && *p; p++) {
		bool word = (*p >= '0' && *p <= '9') ||
			    (*p >= 'a' && *p <= 'z') ||
			    (*p >= 'A' && *p <= 'Z') || strchr("-_.", *p);

		if (!word)
			return weir_error(e, "tag",
					  "\"%s\" is not a tag: letters, "
					  "digits, '-', '_' and '.'",
					  s->tag);
	}
	return true;
}

static const struct weir_option service_options[] = {ITEM_TYPE, ITEM_TAG};
static const struct weir_option inbound_options[] = {
	ITEM_TYPE,
	ITEM_TAG,
	{.name = "level",
	 .help = "the policy level of its sessions",
	 .preset = "0",
	 .type = WEIR_INT,
	 .at = offsetof(struct item_section, level),
	 .min = 0,
	 .max = SECTION_LEVEL_MAX},
};
static const struct weir_option outbound_options[] = {
	ITEM_TYPE,
	ITEM_TAG,
	{.name = "via",
	 .help = "the tag of the outbound its own traffic goes through",
	 .type = WEIR_STRING,
	 .at = offsetof(struct item_section, via),
	 .min = 1,
	 .max = NAME_MAX_BYTES},
};

const struct weir_schema *item_schema(enum weir_kind kind)
{
	static const struct weir_schema inbound =
		WEIR_SCHEMA(struct item_section, inbound_options, item_check);
	static const struct weir_schema outbound =
		WEIR_SCHEMA(struct item_section, outbound_options, item_check);
	static const struct weir_schema service =
		WEIR_SCHEMA(struct item_section, service_options, item_check);

	if (kind == WEIR_INBOUND)
		return &inbound;
	return kind == WEIR_OUTBOUND ? &outbound : &service;
}
