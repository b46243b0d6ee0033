/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * A flat array in the order of loading: there are a dozen components, and they
 * are looked up when a configuration is read, never on the way of the data.
 * Entries are allocated one by one, so that who holds one keeps it while
 * others are added. A plugin enters whole or not at all. */
#include "registry.h"

#include "component.h"
#include "note.h"
#include "util.h"

struct slot {
	struct registry_entry entry;
	char *path;
};

struct registry {
	struct slot **slots;
	size_t count;
};

const char *kind_name(enum weir_kind kind)
{
	static const char *const names[] = {
		[WEIR_INBOUND] = "inbound",
		[WEIR_OUTBOUND] = "outbound",
		[WEIR_SNIFFER] = "sniffer",
		[WEIR_SERVICE] = "service",
	};

	return (unsigned)kind < sizeof names / sizeof names[0] ? names[kind]
							       : "unknown";
}

struct registry *registry_new(void)
{
	return xcalloc(1, sizeof(struct registry));
}

static void slot_free(struct slot *s)
{
	free(s->path);
	free(s);
}

static void append(struct registry *r, const struct weir_plugin *plugin,
		   const struct weir_component *c, const char *path)
{
	struct slot **grown =
		must(reallocarray(r->slots, r->count + 1, sizeof *r->slots));
	struct slot *s = xcalloc(1, sizeof *s);

	s->path = xstrdup(path);
	s->entry.component = c;
	s->entry.plugin = plugin;
	s->entry.path = s->path;
	grown[r->count++] = s;
	r->slots = grown;
}

/* The name of a plugin is taken by one that was loaded before. */
static bool is_named_twice(const struct registry *r,
			   const struct weir_plugin *plugin,
			   struct weir_error *e)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct registry_entry *other = &r->slots[i]->entry;

		if (other->plugin != plugin &&
		    strcmp(other->plugin->name, plugin->name) == 0)
			return !weir_error(e, NULL,
					   "a plugin named \"%s\" was loaded "
					   "from %s",
					   plugin->name, other->path);
	}
	return false;
}

static bool add_one(struct registry *r, const struct weir_plugin *plugin,
		    const struct weir_component *c, const char *path,
		    struct weir_error *e)
{
	const struct registry_entry *taken;

	if (!component_check(c, e))
		return false;
	taken = registry_find(r, c->kind, c->type);
	if (taken)
		return weir_error(
			e, NULL, "%s type \"%s\" is taken by plugin %s",
			kind_name(c->kind), c->type, taken->plugin->name);
	append(r, plugin, c, path);
	return true;
}

bool registry_add(struct registry *r, const struct weir_plugin *plugin,
		  const char *path, struct weir_error *e)
{
	const struct weir_component *const *c = plugin->components;

	if (!c || !*c)
		return weir_error(e, NULL, "it has no components");
	if (is_named_twice(r, plugin, e))
		return false;
	for (; *c; c++) {
		if (!add_one(r, plugin, *c, path, e)) {
			registry_drop(r, plugin);
			return false;
		}
	}
	return true;
}

void registry_drop(struct registry *r, const struct weir_plugin *plugin)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->count; i++) {
		if (r->slots[i]->entry.plugin == plugin)
			slot_free(r->slots[i]);
		else
			r->slots[kept++] = r->slots[i];
	}
	r->count = kept;
}

const struct registry_entry *
registry_find(const struct registry *r, enum weir_kind kind, const char *type)
{
	for (size_t i = 0; i < r->count; i++) {
		const struct weir_component *c = r->slots[i]->entry.component;

		if (c->kind == kind && strcmp(c->type, type) == 0)
			return &r->slots[i]->entry;
	}
	return NULL;
}

const struct registry_entry *registry_at(const struct registry *r, size_t i)
{
	return i < r->count ? &r->slots[i]->entry : NULL;
}

static bool has_service(const struct registry *r, const struct note_need *need)
{
	char with_major[sizeof need->name + 16];

	snprintf(with_major, sizeof with_major, "%s/%u", need->name,
		 need->major);
	return registry_find(r, WEIR_SERVICE, with_major) ||
	       (need->major == 1 && registry_find(r, WEIR_SERVICE, need->name));
}

bool registry_serves(const struct registry *r, const char *needs,
		     struct weir_error *e)
{
	struct note_need need;

	while (needs && *needs) {
		needs = note_need(needs, &need);
		if (needs && need.name[0] && !has_service(r, &need))
			return weir_error(e, NULL,
					  "it needs service %s/%u, which no "
					  "loaded plugin offers",
					  need.name, need.major);
	}
	return needs || weir_error(e, NULL, "its needs are malformed");
}

void registry_free(struct registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->count; i++)
		slot_free(r->slots[i]);
	free(r->slots);
	free(r);
}
