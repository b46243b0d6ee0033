/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: text to a tree (yaml.c), the tree to the structs of the
 * tables (decode.c with sections.c), those to struct config (here, rules.c and
 * items.c), then what refers to what (references.c). Each step goes on
 * after errors as far as it can, so that one run shows them all; only a text
 * that is no YAML ends it at once.
 *
 * The tree has an arena of its own that dies when the configuration is made:
 * everything the struct keeps was copied. */
#include "config.h"

#include "loading.h"
#include "scalar.h"
#include "sections.h"
#include "source.h"

#include <stdlib.h>

#define DNS_PORT 53

static void read_log(struct config *c, const struct log_section *s)
{
	const struct log_tag_section *from = s->tags.items;
	struct config_log_tag *tags;
	size_t i;

	c->log_level = (enum weir_level)s->level;
	tags = arena_alloc(c->arena, s->tags.count * sizeof *tags);
	for (i = 0; i < s->tags.count; i++) {
		tags[i].tag = from[i].tag;
		tags[i].level = (enum weir_level)from[i].level;
	}
	c->log_tags = (struct weir_list){tags, s->tags.count};
}

static void set_level(struct config_level *out, const struct level_section *s)
{
	out->policy = (struct weir_policy){
		.size = sizeof out->policy,
		.handshake_ms = (uint32_t)s->handshake,
		.idle_ms = (uint32_t)s->idle,
		.uplink_only_ms = (uint32_t)s->uplink_only,
		.downlink_only_ms = (uint32_t)s->downlink_only,
		.buffer_bytes = (uint32_t)s->buffer,
	};
}

/* A key of policy.levels. */
static bool level_number(struct loading *l, const struct node *key,
			 const struct report_path *path, uint32_t *out)
{
	static const struct weir_option number = {
		.name = "levels", .type = WEIR_INT, .max = SECTION_LEVEL_MAX};
	struct scalar_source from = {l->d.arena, l->d.folder, key->text, true};
	struct weir_error e;
	int64_t n;

	if (!scalar_read(&from, &number, &n, &e)) {
		report_error(l->d.report, key->mark, path, "%s", e.text);
		return false;
	}
	*out = (uint32_t)n;
	return true;
}

/* Level 0 is first, whether or not it was written. */
static void read_levels(struct loading *l, const struct node *n)
{
	struct report_path policy = {NULL, "policy", 0};
	struct report_path path = {&policy, "levels", 0};
	size_t i, count = n && n->kind == NODE_MAPPING ? n->count : 0;
	struct config_level *all =
		arena_alloc(l->d.arena, (count + 1) * sizeof *all);
	struct level_section s = {0};
	struct decode_part part = {&level_schema, &s};

	l->config->levels = (struct weir_list){all, 1};
	decode_presets(&l->d, (struct config_mark){0, 0}, &path, &part);
	set_level(&all[0], &s);
	if (n && n->kind != NODE_MAPPING)
		report_error(l->d.report, n->mark, &path,
			     "must be a mapping: a number and its limits");
	for (i = 0; i < count; i++) {
		const struct node *key = n->items[i].key;
		struct report_path step = {&path, key->text, 0};
		uint32_t level;

		memset(&s, 0, sizeof s);
		decode_mapping(&l->d, n->items[i].value, &step, &part, 1,
			       false);
		if (!level_number(l, key, &step, &level))
			continue;
		if (level) {
			all[l->config->levels.count].level = level;
			set_level(&all[l->config->levels.count++], &s);
		} else {
			set_level(&all[0], &s);
		}
	}
}

static bool is_system(const struct node *n)
{
	return n->kind == NODE_SCALAR && strcmp(n->text, "system") == 0;
}

static bool read_server(struct loading *l, const struct node *n,
			const struct report_path *path,
			struct config_dns_server *out)
{
	struct scalar_source from = {l->d.arena, l->d.folder, n->text,
				     n->plain};
	struct weir_error e;

	out->address.kind = WEIR_ADDR_NONE;
	if (is_system(n))
		return true;
	if (n->kind == NODE_SCALAR &&
	    scalar_read(&from, &dns_server_option, &out->address, &e)) {
		if (!out->address.port)
			out->address.port = DNS_PORT;
		return true;
	}
	if (n->kind != NODE_SCALAR)
		report_error(l->d.report, n->mark, path,
			     "must be an address or the word system");
	else
		report_error(l->d.report, n->mark, path,
			     "%s, and not the word system", e.text);
	return false;
}

static void read_dns(struct loading *l, const struct dns_section *s)
{
	struct report_path dns = {NULL, "dns", 0};
	struct report_path path = {&dns, "servers", 0};
	struct weir_list *list = &l->config->dns_servers;
	size_t count = node_count(s->servers);
	struct config_dns_server *all;
	bool system = false;

	l->config->dns_cache_entries = (uint64_t)s->cache;
	all = arena_alloc(l->config->arena, (count + 1) * sizeof *all);
	*list = (struct weir_list){all, 0};
	if (s->servers && !count)
		report_error(l->d.report, s->servers->mark, &path,
			     "is empty; at least one is needed");
	if (!s->servers)
		all[list->count++].address.kind = WEIR_ADDR_NONE;
	for (size_t i = 0; i < count; i++) {
		const struct node *n = node_at(s->servers, i);
		struct report_path step = {&path, NULL, i};

		if (!read_server(l, n, &step, &all[list->count]))
			continue;
		list->count++;
		if (system && is_system(n))
			report_error(l->d.report, n->mark, &step,
				     "is given twice");
		system |= is_system(n);
	}
}

static void read_top(struct loading *l)
{
	struct top_section top = {.log.level = 0};
	struct decode_part part = {&top_schema, &top};
	struct config *c = l->config;

	decode_mapping(&l->d, l->root, NULL, &part, 1, false);
	if (l->root->kind != NODE_MAPPING)
		return;
	read_log(c, &top.log);
	c->mark = (uint32_t)top.sockets.mark;
	c->interface = top.sockets.interface;
	c->max_sessions = (uint64_t)top.limits.sessions;
	read_levels(l, top.policy.levels);
	read_dns(l, &top.dns);
	components_read(l, WEIR_SERVICE, "services", top.services,
			&c->services);
	components_read(l, WEIR_OUTBOUND, "outbounds", top.outbounds,
			&c->outbounds);
	components_read(l, WEIR_INBOUND, "inbounds", top.inbounds,
			&c->inbounds);
	components_add_services(l);
	rules_read(l, &top.route);
	references_check(l); /* by the places in the file */
	components_order_services(l);
}

/* Of one source, to a configuration or NULL. */
static struct config *load(const struct source *s,
			   const struct registry *registry,
			   const struct config_report *to)
{
	struct arena *arena = arena_new(), *tree = arena_new();
	struct report *report = report_new(tree, s->name);
	struct loading l = {.registry = registry};
	struct config *c = arena_alloc(arena, sizeof *c);
	bool failed;

	c->arena = arena;
	c->file = arena_strndup(arena, s->name, strlen(s->name));
	l.config = c;
	l.d = (struct decode){arena, report, s->folder,
			      *s->exposed ? s->exposed : NULL};
	if (*s->problem)
		report_error(report, (struct config_mark){0, 0}, NULL, "%s",
			     s->problem);
	else
		l.root = yaml_read(tree, report, s->text, s->len);
	if (l.root)
		read_top(&l);
	failed = report_errors(report) > 0;
	report_flush(report, to);
	arena_free(tree);
	if (failed) {
		config_free(c);
		return NULL;
	}
	return c;
}

struct config *config_load(const char *file, const struct registry *registry,
			   const struct config_report *to)
{
	struct source s;
	struct config *c;

	source_open(&s, file);
	c = load(&s, registry, to);
	source_close(&s);
	return c;
}

struct config *config_parse(const char *name, const char *text, size_t len,
			    const struct registry *registry,
			    const struct config_report *to)
{
	struct source s;
	struct config *c;

	source_borrow(&s, name, text, len);
	c = load(&s, registry, to);
	source_close(&s);
	return c;
}

void config_free(struct config *c)
{
	if (c)
		arena_free(c->arena);
}
