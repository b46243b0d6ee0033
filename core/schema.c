/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: the tables that decode a configuration, written as JSON
 * Schema, so that editors complete and check it. YAML's own typing stands
 * between: what is a number there may be a number or text here. The schema is
 * never stricter than the decoder, but it is laxer where a rule cannot be said
 * in it (host bits, references).
 *
 * What the tables leave as nodes is written by hand at the end: the lists of
 * components, one branch a type; the levels; the name servers. */
#include "schema.h"

#include "decode.h"
#include "json.h"
#include "sections.h"

#include <stdlib.h>

#define SIZE_PATTERN "^(0|[1-9][0-9]*)[kmg]?$"
#define TIME_PATTERN "^(0|[1-9][0-9]*(ms|s|m|h))$"
#define RANGE_PATTERN "^(0|[1-9][0-9]*)(-(0|[1-9][0-9]*))?$"
#define KEY_PATTERN "^([A-Za-z0-9+/]{43}=|[0-9A-Fa-f]{64})$"
#define LEVEL_PATTERN "^(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$"

struct writer {
	struct json j;
	const struct registry *registry;
};

static void put_record(struct writer *, const struct weir_schema *);
static void put_special(struct writer *, const struct weir_option *);

/* The JSON types that the text of an option may come as. */
static void put_types(struct writer *w, enum weir_type type)
{
	json_open(&w->j, "type", '[');
	json_text(&w->j, NULL, "string");
	if (type == WEIR_STRING || type == WEIR_PATH)
		json_text(&w->j, NULL, "boolean");
	if (type != WEIR_ADDR && type != WEIR_CIDR && type != WEIR_KEY)
		json_text(&w->j, NULL, "number");
	json_close(&w->j, ']');
}

static void put_bounds(struct writer *w, const struct weir_option *o)
{
	bool text = o->type == WEIR_STRING;

	if (!o->min && !o->max)
		return;
	/* Bytes there, characters here: only the upper bound always holds. */
	if (!text || o->min == 1)
		json_number(&w->j, text ? "minLength" : "minimum", o->min);
	json_number(&w->j, text ? "maxLength" : "maximum", o->max);
}

static void put_choices(struct writer *w, const struct weir_option *o)
{
	size_t i;

	json_open(&w->j, "enum", '[');
	for (i = 0; o->choices[i]; i++)
		json_text(&w->j, NULL, o->choices[i]);
	json_close(&w->j, ']');
}

/* The members that describe one value. */
static void put_value(struct writer *w, const struct weir_option *o)
{
	static const char *const patterns[WEIR_RECORD + 1] = {
		[WEIR_SIZE] = SIZE_PATTERN,
		[WEIR_TIME] = TIME_PATTERN,
		[WEIR_RANGE] = RANGE_PATTERN,
		[WEIR_KEY] = KEY_PATTERN,
	};

	if (o->type == WEIR_RECORD) {
		put_record(w, o->record);
	} else if (o->type == WEIR_ENUM) {
		put_choices(w, o);
	} else if (o->type == WEIR_BOOL || o->type == WEIR_INT) {
		json_text(&w->j, "type",
			  o->type == WEIR_INT ? "integer" : "boolean");
		put_bounds(w, o);
	} else {
		put_types(w, o->type);
		if (patterns[o->type])
			json_text(&w->j, "pattern", patterns[o->type]);
		if (o->type == WEIR_STRING)
			put_bounds(w, o);
	}
}

static void put_default(struct writer *w, const struct weir_option *o)
{
	if (!o->preset || (o->flags & WEIR_LIST))
		return;
	if (o->type == WEIR_INT)
		json_number(&w->j, "default", strtoll(o->preset, NULL, 10));
	else if (o->type == WEIR_BOOL)
		json_bool(&w->j, "default", strcmp(o->preset, "true") == 0);
	else
		json_text(&w->j, "default", o->preset);
}

/* One value or a list of them; `each` writes what describes a value. */
static void put_list(struct writer *w, const struct weir_option *o,
		     void (*each)(struct writer *, const struct weir_option *))
{
	json_open(&w->j, "anyOf", '[');
	json_open(&w->j, NULL, '{');
	each(w, o);
	json_close(&w->j, '}');
	json_open(&w->j, NULL, '{');
	json_text(&w->j, "type", "array");
	if (o->flags & WEIR_REQUIRED)
		json_number(&w->j, "minItems", 1);
	json_open(&w->j, "items", '{');
	each(w, o);
	json_close(&w->j, '}');
	json_close(&w->j, '}');
	json_close(&w->j, ']');
}

static void put_option(struct writer *w, const struct weir_option *o)
{
	json_open(&w->j, o->name, '{');
	if (o->help)
		json_text(&w->j, "description", o->help);
	if (o->flags & WEIR_DEPRECATED)
		json_bool(&w->j, "deprecated", true);
	put_default(w, o);
	if (o->flags & DECODE_NODE)
		put_special(w, o);
	else if (o->flags & WEIR_LIST)
		put_list(w, o, put_value);
	else
		put_value(w, o);
	json_close(&w->j, '}');
}

/* `fixed`: an option that the caller has written himself, or NULL. */
static void put_options(struct writer *w, const struct weir_schema *schema,
			const char *fixed)
{
	size_t i;

	for (i = 0; schema && i < schema->option_count; i++) {
		struct weir_option o = decode_option(schema, i);

		if (!fixed || strcmp(o.name, fixed) != 0)
			put_option(w, &o);
	}
}

static void put_required(struct writer *w, const struct weir_schema *schema)
{
	size_t i;

	for (i = 0; schema && i < schema->option_count; i++) {
		struct weir_option o = decode_option(schema, i);

		if (o.flags & WEIR_REQUIRED)
			json_text(&w->j, NULL, o.name);
	}
}

/* An object of which one or two tables name the members. */
static void put_object(struct writer *w, const struct weir_schema *a,
		       const struct weir_schema *b, const char *type)
{
	json_text(&w->j, "type", "object");
	json_open(&w->j, "properties", '{');
	if (type) {
		json_open(&w->j, "type", '{');
		json_text(&w->j, "const", type);
		json_close(&w->j, '}');
	}
	put_options(w, a, type ? "type" : NULL);
	put_options(w, b, NULL);
	json_close(&w->j, '}');
	json_open(&w->j, "required", '[');
	put_required(w, a);
	put_required(w, b);
	json_close(&w->j, ']');
	json_bool(&w->j, "additionalProperties", false);
}

static void put_record(struct writer *w, const struct weir_schema *schema)
{
	put_object(w, schema, NULL, NULL);
}

static enum weir_kind section_kind(const char *name)
{
	if (strcmp(name, "inbounds") == 0)
		return WEIR_INBOUND;
	return strcmp(name, "outbounds") == 0 ? WEIR_OUTBOUND : WEIR_SERVICE;
}

/* Every type that the registry has of a kind. */
static void put_item(struct writer *w, const struct weir_option *o)
{
	enum weir_kind kind = section_kind(o->name);
	const struct registry_entry *e;
	size_t i;

	json_open(&w->j, "oneOf", '[');
	for (i = 0; (e = registry_at(w->registry, i)); i++) {
		if (e->component->kind != kind)
			continue;
		json_open(&w->j, NULL, '{');
		json_text(&w->j, "title", e->component->type);
		json_text(&w->j, "description", e->component->summary);
		put_object(w, item_schema(kind), e->component->schema,
			   e->component->type);
		json_close(&w->j, '}');
	}
	json_close(&w->j, ']');
}

static void put_levels(struct writer *w)
{
	json_text(&w->j, "type", "object");
	json_open(&w->j, "patternProperties", '{');
	json_open(&w->j, LEVEL_PATTERN, '{');
	put_record(w, &level_schema);
	json_close(&w->j, '}');
	json_close(&w->j, '}');
	json_bool(&w->j, "additionalProperties", false);
}

static void put_special(struct writer *w, const struct weir_option *o)
{
	if (strcmp(o->name, "levels") == 0)
		put_levels(w);
	else if (strcmp(o->name, "servers") == 0)
		put_list(w, o, put_value);
	else
		put_list(w, o, put_item);
}

void schema_json(const struct registry *registry, FILE *f)
{
	struct writer w = {.j.file = f, .registry = registry};

	json_open(&w.j, NULL, '{');
	json_text(&w.j, "$schema", "http://json-schema.org/draft-07/schema#");
	json_text(&w.j, "title", "The configuration of weir");
	put_record(&w, &top_schema);
	json_close(&w.j, '}');
}
