/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: the mapping of an inbound, outbound or service holds
 * the core's options and those of the component that its `type` names, so two
 * tables decode it together. Where the type is unknown, only the core's are
 * looked at: the tag is needed to judge what refers to it.
 *
 * A service that a plugin needs and nobody listed is made with its presets.
 * Services start in the order of their list and stop from its end, so at last
 * each is moved behind those that it needs. */
#include "loading.h"

#include "nearest.h"
#include "note.h"
#include "sections.h"

#define SERVICE_NAME_BYTES sizeof(((struct note_need *)0)->name)
#define SERVICES_DEEP_MAX 8u

static void type_unknown(struct loading *l, enum weir_kind kind,
			 const struct node *type,
			 const struct report_path *path)
{
	struct report_path step = {path, "type", 0};
	struct nearest near = {.wanted = type->text};
	const struct registry_entry *e;
	size_t i;

	for (i = 0; (e = registry_at(l->registry, i)); i++) {
		if (e->component->kind == kind)
			nearest_offer(&near, e->component->type);
	}
	report_error(l->d.report, type->mark, &step,
		     "\"%.60s\" is no %s that a loaded plugin offers%s%s%s",
		     type->text, kind_name(kind),
		     near.best ? "; did you mean " : "",
		     near.best ? near.best : "", near.best ? "?" : "");
}

static const struct registry_entry *find_type(struct loading *l,
					      enum weir_kind kind,
					      const struct node *item,
					      const struct report_path *path)
{
	const struct node *type = node_get(item, "type");
	const struct registry_entry *e;

	if (!type || type->kind != NODE_SCALAR || !*type->text)
		return NULL; /* the core's table reports it */
	e = registry_find(l->registry, kind, type->text);
	if (!e)
		type_unknown(l, kind, type, path);
	return e;
}

static void component_read(struct loading *l, enum weir_kind kind,
			   const struct node *item,
			   const struct report_path *path,
			   struct config_component *out)
{
	struct item_section core = {0};
	const struct registry_entry *e = find_type(l, kind, item, path);
	struct decode_part parts[2] = {{item_schema(kind), &core}};
	size_t count = 1;

	if (e && e->component->schema) {
		parts[1].schema = e->component->schema;
		parts[1].conf = decode_alloc(l->d.arena, parts[1].schema);
		count = 2;
	}
	decode_mapping(&l->d, item, path, parts, count, !e);
	out->mark = item->mark;
	out->tag = core.tag ? core.tag : core.type;
	out->via = core.via;
	out->inbound.level = (uint32_t)core.level;
	out->conf = parts[1].conf;
	if (e) {
		out->component = e->component;
		out->plugin = e->plugin;
	}
}

static void refuse_same_tag(struct loading *l, const struct node *item,
			    const struct report_path *path,
			    const struct config_component *all, size_t i)
{
	struct report_path step = {path, "tag", 0};
	const struct node *tag = node_get(item, "tag");
	size_t k;

	for (k = 0; k < i && all[i].tag; k++) {
		if (!all[k].tag || strcmp(all[k].tag, all[i].tag) != 0)
			continue;
		report_error(l->d.report, tag ? tag->mark : item->mark, &step,
			     "%s is taken by line %u; give each its own",
			     all[i].tag, all[k].mark.line);
		return;
	}
}

void components_read(struct loading *l, enum weir_kind kind,
		     const char *section, const struct node *list,
		     struct weir_list *out)
{
	struct report_path top = {NULL, section, 0};
	struct config_component *all;
	size_t i;

	if (!list)
		return;
	out->count = node_count(list);
	all = out->items = arena_alloc(l->d.arena, out->count * sizeof *all);
	if (!out->count && kind != WEIR_SERVICE)
		report_error(l->d.report, list->mark, &top,
			     "is empty; at least one is needed");
	for (i = 0; i < out->count; i++) {
		struct report_path step = {&top, NULL, i};
		const struct node *item = node_at(list, i);

		component_read(l, kind, item, &step, &all[i]);
		refuse_same_tag(l, item, &step, all, i);
	}
}

static bool service_listed(const struct config *c,
			   const struct weir_component *service)
{
	const struct config_component *all = c->services.items;
	size_t i;

	for (i = 0; i < c->services.count; i++) {
		if (all[i].component == service)
			return true;
	}
	return false;
}

/* A type may end in its major ("netstack/2"); without one it is major 1. */
static const struct registry_entry *find_service(const struct loading *l,
						 const struct note_need *need)
{
	const struct registry_entry *e;
	char with_major[SERVICE_NAME_BYTES + 16];

	snprintf(with_major, sizeof with_major, "%s/%u", need->name,
		 need->major);
	e = registry_find(l->registry, WEIR_SERVICE, with_major);
	if (!e && need->major == 1)
		e = registry_find(l->registry, WEIR_SERVICE, need->name);
	return e;
}

/* The next service that `needs` names; false: there is none left. */
static bool next_need(const char **needs, struct note_need *need)
{
	if (!*needs || !**needs)
		return false;
	*needs = note_need(*needs, need);
	return *needs && need->name[0];
}

static void append(struct loading *l, const struct config_component *s)
{
	struct weir_list *list = &l->config->services;
	struct config_component *all =
		arena_alloc(l->d.arena, (list->count + 1) * sizeof *all);

	if (list->count)
		memcpy(all, list->items, list->count * sizeof *all);
	all[list->count++] = *s;
	list->items = all;
}

static void add_needs(struct loading *, const struct config_component *user,
		      unsigned depth);

static void add_service(struct loading *l, const struct registry_entry *e,
			const struct config_component *user, unsigned depth)
{
	struct config_component s = {.mark = user->mark};
	struct decode_part part;

	s.component = e->component;
	s.plugin = e->plugin;
	s.tag = e->component->type;
	if (e->component->schema) {
		part.schema = e->component->schema;
		part.conf = decode_alloc(l->d.arena, part.schema);
		decode_presets(&l->d, user->mark, NULL, &part);
		s.conf = part.conf;
	}
	add_needs(l, &s, depth);
	if (!service_listed(l->config, s.component)) /* its need, in a ring */
		append(l, &s);
}

/* `depth` ends a cycle of services that need each other. */
static void add_needs(struct loading *l, const struct config_component *user,
		      unsigned depth)
{
	const char *needs = user->plugin ? user->plugin->needs : NULL;
	struct note_need need;

	while (depth < SERVICES_DEEP_MAX && next_need(&needs, &need)) {
		const struct registry_entry *e = find_service(l, &need);

		if (!e)
			report_error(l->d.report, user->mark, NULL,
				     "%s: the plugin %s needs the service "
				     "%s/%u, which no loaded plugin offers",
				     user->tag ? user->tag : "?",
				     user->plugin->name, need.name, need.major);
		else if (!service_listed(l->config, e->component))
			add_service(l, e, user, depth + 1);
	}
}

void components_add_services(struct loading *l)
{
	const struct weir_list lists[] = {
		l->config->services, l->config->outbounds, l->config->inbounds};
	size_t i, k;

	for (i = 0; i < sizeof lists / sizeof lists[0]; i++) {
		const struct config_component *all = lists[i].items;

		for (k = 0; k < lists[i].count; k++)
			add_needs(l, &all[k], 0);
	}
}

struct ordering {
	const struct config_component *from;
	size_t count;
	bool *placed;
	struct weir_list to;
};

/* What it needs comes first, unless that is under way: a ring, or itself. */
static void place(struct loading *l, struct ordering *o, size_t at,
		  unsigned depth)
{
	const struct config_component *s = &o->from[at];
	const char *needs = s->plugin ? s->plugin->needs : NULL;
	struct note_need need;
	size_t i;

	if (o->placed[at])
		return;
	o->placed[at] = true;
	while (depth < SERVICES_DEEP_MAX && next_need(&needs, &need)) {
		const struct registry_entry *e = find_service(l, &need);

		for (i = 0; e && i < o->count; i++) {
			if (o->from[i].component == e->component)
				place(l, o, i, depth + 1);
		}
	}
	((struct config_component *)o->to.items)[o->to.count++] = *s;
}

void components_order_services(struct loading *l)
{
	struct weir_list *list = &l->config->services;
	struct ordering o = {.from = list->items, .count = list->count};
	size_t i;

	o.placed = arena_alloc(l->d.arena, o.count * sizeof *o.placed);
	o.to.items = arena_alloc(l->d.arena, o.count * sizeof *o.from);
	for (i = 0; i < o.count; i++)
		place(l, &o, i, 0);
	*list = o.to;
}
