/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: a mapping is gone through twice. First by its keys, to
 * find those that no table knows; then by the options of each table, which are
 * read from the mapping, set to their preset, or found missing. Presets are
 * YAML text and take the same way as what a user writes. A nested mapping that
 * is left out gets the presets of its own options, and its required ones stay
 * zero.
 *
 * Tables come from plugins that may have been built with older headers: they
 * are read by their own stride, and only as far as it reaches. */
#include "decode.h"

#include "nearest.h"
#include "scalar.h"

struct value {
	const struct decode *d;
	const struct weir_option *option;
	const struct report_path *path;
};

static void decode_value(const struct value *, const struct node *, void *at);

struct weir_option decode_option(const struct weir_schema *schema, size_t i)
{
	struct weir_option o = {0};
	size_t stride = schema->option_size;

	memcpy(&o, (const char *)schema->options + i * stride,
	       stride < sizeof o ? stride : sizeof o);
	return o;
}

static bool has_secrets(const struct weir_schema *schema)
{
	size_t i;

	for (i = 0; i < schema->option_count; i++) {
		struct weir_option o = decode_option(schema, i);

		if (o.flags & WEIR_SECRET)
			return true;
		if (o.record && has_secrets(o.record))
			return true;
	}
	return false;
}

void *decode_alloc(struct arena *arena, const struct weir_schema *schema)
{
	if (has_secrets(schema))
		return arena_secret(arena, schema->conf_size);
	return arena_alloc(arena, schema->conf_size);
}

static size_t item_size(const struct weir_option *o)
{
	return o->type == WEIR_RECORD ? o->record->conf_size
				      : scalar_size(o->type);
}

static const char *kind_noun(const struct node *n)
{
	static const char *const nouns[] = {"text", "a list", "a mapping"};

	return nouns[n->kind];
}

static void decode_scalar(const struct value *v, const struct node *n, void *at)
{
	struct scalar_source from = {v->d->arena, v->d->folder, n->text,
				     n->plain};
	struct weir_error e;

	if (n->kind != NODE_SCALAR)
		report_error(v->d->report, n->mark, v->path,
			     "%s stands here; it wants %s",
			     n->kind == NODE_SEQUENCE ? "a list" : "a mapping",
			     scalar_noun(v->option->type));
	else if (!scalar_read(&from, v->option, at, &e))
		report_error(v->d->report, n->mark, v->path, "%s", e.text);
}

static void decode_list(const struct value *v, const struct node *n,
			struct weir_list *list)
{
	size_t i, size = item_size(v->option), count = node_count(n);
	bool secret = (v->option->flags & WEIR_SECRET) ||
		      (v->option->record && has_secrets(v->option->record));

	if (!count && (v->option->flags & WEIR_REQUIRED))
		report_error(v->d->report, n->mark, v->path,
			     "is empty; at least one is needed");
	list->count = count;
	list->items = secret ? arena_secret(v->d->arena, count * size)
			     : arena_alloc(v->d->arena, count * size);
	for (i = 0; i < count; i++) {
		struct report_path step = {v->path, NULL, i};
		struct value item = {v->d, v->option, &step};

		if (n->kind != NODE_SEQUENCE)
			item.path = v->path;
		decode_value(&item, node_at(n, i),
			     (char *)list->items + i * size);
	}
}

static void decode_value(const struct value *v, const struct node *n, void *at)
{
	struct decode_part part = {v->option->record, at};

	if (v->option->type == WEIR_RECORD)
		decode_mapping(v->d, n, v->path, &part, 1, false);
	else
		decode_scalar(v, n, at);
}

/* What the user gave for an option. */
static void decode_given(const struct value *v, const struct node *n, void *at)
{
	if ((v->option->flags & WEIR_SECRET) && v->d->exposed)
		report_error(v->d->report, n->mark, v->path,
			     "the value is secret, but %s", v->d->exposed);
	if (v->option->flags & DECODE_NODE)
		*(const struct node **)at = n;
	else if (v->option->flags & WEIR_LIST)
		decode_list(v, n, at);
	else
		decode_value(v, n, at);
}

/* A preset as a node: a list's is the inside of a YAML list, or all of it. */
static const struct node *preset_node(const struct value *v,
				      struct config_mark at)
{
	const char *text = v->option->preset;
	size_t len = strlen(text);
	struct node *n;
	char *list;

	if (v->option->flags & WEIR_LIST) {
		list = arena_alloc(v->d->arena, len + 3);
		snprintf(list, len + 3, *text == '[' ? "%s" : "[%s]", text);
		return yaml_read(v->d->arena, v->d->report, list, strlen(list));
	}
	n = arena_alloc(v->d->arena, sizeof *n);
	n->mark = at;
	n->plain = true;
	n->text = text;
	return n;
}

/* An option that the user left out. */
static void decode_absent(const struct value *v, struct config_mark mark,
			  void *at)
{
	const struct weir_option *o = v->option;
	struct decode_part part = {o->record, at};

	if (o->preset) {
		const struct node *n = preset_node(v, mark);

		if (n && (o->flags & WEIR_LIST))
			decode_list(v, n, at);
		else if (n)
			decode_scalar(v, n, at);
	} else if (o->type == WEIR_RECORD &&
		   !(o->flags & (WEIR_LIST | DECODE_NODE))) {
		decode_presets(v->d, mark, v->path, &part);
	}
}

void decode_presets(const struct decode *d, struct config_mark at,
		    const struct report_path *path,
		    const struct decode_part *part)
{
	size_t i;

	for (i = 0; i < part->schema->option_count; i++) {
		struct weir_option o = decode_option(part->schema, i);
		struct report_path step = {path, o.name, 0};
		struct value v = {d, &o, &step};

		decode_absent(&v, at, (char *)part->conf + o.at);
	}
}

/* Where the mapping has `name`, as key or as value. */
static struct config_mark mark_of(const struct node *n, const char *name)
{
	const struct node *value = name ? node_get(n, name) : NULL;

	return value ? value->mark : n->mark;
}

static void run_check(const struct decode *d, const struct node *n,
		      const struct report_path *path,
		      const struct decode_part *part)
{
	const struct weir_schema *schema = part->schema;
	struct weir_error e = {.option = NULL};
	struct report_path step;

	if (!WEIR_HAS(schema, check) || !schema->check ||
	    schema->check(part->conf, &e))
		return;
	step = (struct report_path){path, e.option, 0};
	report_error(d->report, mark_of(n, e.option), e.option ? &step : path,
		     "%s", e.text);
}

static void decode_part(const struct decode *d, const struct node *n,
			const struct report_path *path,
			const struct decode_part *part)
{
	size_t i, before = report_errors(d->report);

	for (i = 0; i < part->schema->option_count; i++) {
		struct weir_option o = decode_option(part->schema, i);
		const struct node *given = node_get(n, o.name);
		struct report_path step = {path, o.name, 0};
		struct value v = {d, &o, &step};
		void *at = (char *)part->conf + o.at;

		if (given)
			decode_given(&v, given, at);
		else if (o.flags & WEIR_REQUIRED)
			report_error(d->report, n->mark, &step,
				     "is missing: %s", o.help);
		else
			decode_absent(&v, n->mark, at);
	}
	if (report_errors(d->report) == before)
		run_check(d, n, path, part);
}

static bool find_option(const struct decode_part *parts, size_t count,
			const char *name, struct nearest *near,
			struct weir_option *found)
{
	size_t i, k;

	for (i = 0; i < count; i++) {
		for (k = 0; k < parts[i].schema->option_count; k++) {
			*found = decode_option(parts[i].schema, k);
			if (strcmp(found->name, name) == 0)
				return true;
			nearest_offer(near, found->name);
		}
	}
	return false;
}

static void check_key(const struct decode *d, const struct node *key,
		      const struct report_path *path,
		      const struct decode_part *parts, size_t count,
		      bool strangers)
{
	struct report_path step = {path, key->text, 0};
	struct nearest near = {.wanted = key->text};
	struct weir_option o;

	if (find_option(parts, count, key->text, &near, &o)) {
		if (o.flags & WEIR_DEPRECATED)
			report_warning(d->report, key->mark, &step,
				       "is deprecated: %s", o.help);
		return;
	}
	if (strangers)
		return;
	if (near.best)
		report_error(d->report, key->mark, &step,
			     "is unknown; did you mean %s?", near.best);
	else
		report_error(d->report, key->mark, &step, "is unknown");
}

void decode_mapping(const struct decode *d, const struct node *n,
		    const struct report_path *path,
		    const struct decode_part *parts, size_t count,
		    bool strangers)
{
	size_t i;

	if (n->kind != NODE_MAPPING) {
		report_error(d->report, n->mark, path,
			     "%s stands here; it wants a mapping of options "
			     "(name: value)",
			     n->kind == NODE_SCALAR && n->plain && !*n->text
				     ? "nothing"
				     : kind_noun(n));
		return;
	}
	for (i = 0; i < n->count; i++)
		check_key(d, n->items[i].key, path, parts, count, strangers);
	for (i = 0; i < count; i++)
		decode_part(d, n, path, &parts[i]);
}
