/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Components for tests of the configuration: options and no deeds. */
#include "parts.h"

#include <stdlib.h>

static const char *const words[] = {"fast", "careful", "off", NULL};

static const struct weir_option record_options[] = {
	{.name = "name",
	 .help = "a name",
	 .type = WEIR_STRING,
	 .flags = WEIR_REQUIRED,
	 .at = offsetof(struct probe_record, name)},
	{.name = "weight",
	 .help = "a weight",
	 .preset = "7",
	 .type = WEIR_INT,
	 .at = offsetof(struct probe_record, weight),
	 .min = -5,
	 .max = 9},
	{.name = "level",
	 .help = "a policy level",
	 .type = WEIR_INT,
	 .flags = WEIR_LEVEL,
	 .at = offsetof(struct probe_record, level),
	 .min = 0,
	 .max = 255},
	{.name = "key",
	 .help = "a key",
	 .type = WEIR_KEY,
	 .flags = WEIR_SECRET,
	 .at = offsetof(struct probe_record, key)},
};
static const struct weir_schema record_schema =
	WEIR_SCHEMA(struct probe_record, record_options, NULL);

#define OPTION(name_, type_, ...)                                              \
	{                                                                      \
		.name = #name_, .help = "help of " #name_, .type = type_,      \
		.at = offsetof(struct probe, name_), __VA_ARGS__               \
	}

static const struct weir_option probe_options[] = {
	OPTION(flag, WEIR_BOOL, .preset = "true"),
	OPTION(number, WEIR_INT, .preset = "1500", .min = -10, .max = 65535),
	OPTION(size, WEIR_SIZE, .preset = "512k", .min = 4096, .max = 1 << 30),
	OPTION(time, WEIR_TIME, .preset = "5s", .min = 0, .max = 86400000),
	OPTION(text, WEIR_STRING, .min = 1, .max = 20),
	OPTION(path, WEIR_PATH, .preset = "file"),
	OPTION(password, WEIR_STRING, .flags = WEIR_SECRET, .min = 8,
	       .max = 64),
	OPTION(word, WEIR_ENUM, .preset = "careful", .choices = words),
	OPTION(addr, WEIR_ADDR, .flags = 0),
	OPTION(literal, WEIR_ADDR, .flags = WEIR_NO_NAME | WEIR_NO_PORT),
	OPTION(server, WEIR_ADDR, .flags = WEIR_WITH_PORT),
	OPTION(cidr, WEIR_CIDR, .flags = 0),
	OPTION(host, WEIR_CIDR, .flags = WEIR_HOST_BITS),
	OPTION(key, WEIR_KEY, .flags = WEIR_SECRET),
	OPTION(range, WEIR_RANGE, .min = 1, .max = 65535),
	OPTION(record, WEIR_RECORD, .record = &record_schema),
	OPTION(numbers, WEIR_INT, .flags = WEIR_LIST, .preset = "1, 2,3"),
	OPTION(words, WEIR_ENUM, .flags = WEIR_LIST, .choices = words),
	OPTION(prefixes, WEIR_CIDR, .flags = WEIR_LIST,
	       .preset = "[10.0.0.0/8, \"fd00::/8\"]"),
	OPTION(records, WEIR_RECORD, .flags = WEIR_LIST,
	       .record = &record_schema),
	OPTION(secrets, WEIR_KEY, .flags = WEIR_LIST | WEIR_SECRET),
	{.name = "old",
	 .help = "write number instead",
	 .type = WEIR_INT,
	 .flags = WEIR_DEPRECATED,
	 .at = offsetof(struct probe, number)},
};

static bool probe_check(const void *conf, struct weir_error *e)
{
	const struct probe *p = conf;

	if (p->number == 13)
		return weir_error(e, "number", "13 brings bad luck");
	if (p->number == 14)
		return weir_error(e, NULL, "nothing fits");
	return true;
}

const struct weir_schema probe_schema =
	WEIR_SCHEMA(struct probe, probe_options, probe_check);

static void *create(struct weir_instance *i, const struct weir_host *host,
		    const void *conf, struct weir_error *e)
{
	(void)i, (void)host, (void)conf;
	weir_error(e, NULL, "only for tests");
	return NULL;
}

static bool start(void *self, struct weir_error *e)
{
	(void)self, (void)e;
	return true;
}

static void nothing(void *self)
{
	(void)self;
}

static void *open_nothing(void *self, struct weir_end *end,
			  const struct weir_addr *target, enum weir_net net)
{
	(void)self, (void)end, (void)target, (void)net;
	return NULL;
}

static void abandon(void *self, void *pending)
{
	(void)self, (void)pending;
}

static const struct weir_outbound_ops sink_ops = {
	.size = sizeof sink_ops,
	.open = open_nothing,
	.abandon = abandon,
	.nets = WEIR_NET_TCP,
};
static const struct weir_outbound_ops tunnel_ops = {
	.size = sizeof tunnel_ops,
	.open = open_nothing,
	.abandon = abandon,
	.nets = WEIR_NET_TCP,
	.via = true,
};
static const int service_ops;

#define PART(kind_, type_, ...)                                                \
	{                                                                      \
		.size = sizeof(struct weir_component), .kind = kind_,          \
		.type = type_, .summary = "a part for tests",                  \
		.create = create, .start = start, .stop = nothing,             \
		.destroy = nothing, __VA_ARGS__                                \
	}

static const struct weir_component probe =
	PART(WEIR_INBOUND, "probe", .schema = &probe_schema);
static const struct weir_component sink =
	PART(WEIR_OUTBOUND, "sink", .ops = &sink_ops);
static const struct weir_component tunnel =
	PART(WEIR_OUTBOUND, "tunnel", .ops = &tunnel_ops);
static const struct weir_component engine =
	PART(WEIR_SERVICE, "engine", .ops = &service_ops);
static const struct weir_component spare =
	PART(WEIR_SERVICE, "spare", .ops = &service_ops);

static const struct weir_component whole =
	PART(WEIR_INBOUND, "whole", .ops = NULL);
static const struct weir_component inner =
	PART(WEIR_SERVICE, "inner", .ops = &service_ops);

static const struct weir_component gear =
	PART(WEIR_SERVICE, "gear", .ops = &service_ops);
static const struct weir_component cog =
	PART(WEIR_SERVICE, "cog", .ops = &service_ops);

static const struct weir_component *const inbounds[] = {&probe, NULL};
static const struct weir_component *const gears[] = {&gear, NULL};
static const struct weir_component *const cogs[] = {&cog, NULL};
static const struct weir_component *const both[] = {&whole, &inner, NULL};
static const struct weir_component *const others[] = {&sink, &tunnel, &engine,
						      &spare, NULL};
static const struct weir_plugin plugins[] = {
	{sizeof(struct weir_plugin), WEIR_MAJOR, WEIR_MINOR, "probes", "1",
	 "MIT", "engine/1", inbounds},
	{sizeof(struct weir_plugin), WEIR_MAJOR, WEIR_MINOR, "others", "1",
	 "MIT", "", others},
	{sizeof(struct weir_plugin), WEIR_MAJOR, WEIR_MINOR, "both", "1", "MIT",
	 "inner/1", both},
	{sizeof(struct weir_plugin), WEIR_MAJOR, WEIR_MINOR, "gears", "1",
	 "MIT", "engine/1 cog/1", gears},
	{sizeof(struct weir_plugin), WEIR_MAJOR, WEIR_MINOR, "cogs", "1", "MIT",
	 "gear/1", cogs},
};

struct registry *parts_registry(void)
{
	struct registry *r = registry_new();
	struct weir_error e;
	size_t i;

	for (i = 0; i < sizeof plugins / sizeof plugins[0]; i++) {
		if (registry_add(r, &plugins[i], "/test.so", &e))
			continue;
		fprintf(stderr, "parts: %s\n", e.text);
		abort();
	}
	return r;
}

static void add(struct lines *l, const char *line)
{
	size_t room = sizeof l->text - l->used;
	int n = snprintf(l->text + l->used, room, "%s\n", line);

	l->used += (size_t)n < room ? (size_t)n : room - 1;
}

static void error(void *arg, const char *line)
{
	struct lines *l = arg;

	l->errors++;
	add(l, line);
}

static void warning(void *arg, const char *line)
{
	struct lines *l = arg;

	l->warnings++;
	add(l, line);
}

struct config_report lines_report(struct lines *l)
{
	memset(l, 0, sizeof *l);
	return (struct config_report){error, warning, l};
}
