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
#include "sections.h"
#include "util.h"

#include <jansson.h>

#define SIZE_PATTERN "^(0|[1-9][0-9]*)[kmg]?$"
#define TIME_PATTERN "^(0|[1-9][0-9]*(ms|s|m|h))$"
#define RANGE_PATTERN "^(0|[1-9][0-9]*)(-(0|[1-9][0-9]*))?$"
#define KEY_PATTERN "^([A-Za-z0-9+/]{43}=|[0-9A-Fa-f]{64})$"
#define LEVEL_PATTERN "^(0|[1-9][0-9]?|1[0-9][0-9]|2[0-4][0-9]|25[0-5])$"
#define INDENT 2

typedef json_t *describe(const struct registry *, const struct weir_option *);

static json_t *record_schema(const struct registry *,
			     const struct weir_schema *);
static json_t *special_schema(const struct registry *,
			      const struct weir_option *);

/* The JSON types that the text of an option may come as. */
static json_t *types_of(enum weir_type type)
{
	json_t *types = json_array();

	json_array_append_new(types, json_string("string"));
	if (type == WEIR_STRING || type == WEIR_PATH)
		json_array_append_new(types, json_string("boolean"));
	if (type != WEIR_ADDR && type != WEIR_CIDR && type != WEIR_KEY)
		json_array_append_new(types, json_string("number"));
	return types;
}

static void put_bounds(json_t *to, const struct weir_option *o)
{
	bool text = o->type == WEIR_STRING;

	if (!o->min && !o->max)
		return;
	/* Bytes there, characters here: only the upper bound always holds. */
	if (!text || o->min == 1)
		json_object_set_new(to, text ? "minLength" : "minimum",
				    json_integer(o->min));
	json_object_set_new(to, text ? "maxLength" : "maximum",
			    json_integer(o->max));
}

static json_t *choices_of(const struct weir_option *o)
{
	json_t *choices = json_array();

	for (size_t i = 0; o->choices[i]; i++)
		json_array_append_new(choices, json_string(o->choices[i]));
	return json_pack("{s:o}", "enum", choices);
}

static json_t *value_schema(const struct registry *r,
			    const struct weir_option *o)
{
	static const char *const patterns[WEIR_RECORD + 1] = {
		[WEIR_SIZE] = SIZE_PATTERN,
		[WEIR_TIME] = TIME_PATTERN,
		[WEIR_RANGE] = RANGE_PATTERN,
		[WEIR_KEY] = KEY_PATTERN,
	};
	json_t *value;

	if (o->type == WEIR_RECORD)
		return record_schema(r, o->record);
	if (o->type == WEIR_ENUM)
		return choices_of(o);
	if (o->type == WEIR_BOOL)
		return json_pack("{s:s}", "type", "boolean");
	if (o->type == WEIR_INT)
		value = json_pack("{s:s}", "type", "integer");
	else
		value = json_pack("{s:o}", "type", types_of(o->type));
	if (patterns[o->type])
		json_object_set_new(value, "pattern",
				    json_string(patterns[o->type]));
	if (o->type == WEIR_INT || o->type == WEIR_STRING)
		put_bounds(value, o);
	return value;
}

static json_t *default_of(const struct weir_option *o)
{
	if (o->type == WEIR_INT)
		return json_integer(strtoll(o->preset, NULL, 10));
	if (o->type == WEIR_BOOL)
		return json_boolean(strcmp(o->preset, "true") == 0);
	return json_string(o->preset);
}

/* One value or a list of them. */
static json_t *list_schema(const struct registry *r,
			   const struct weir_option *o, describe *each)
{
	json_t *list =
		json_pack("{s:s, s:o}", "type", "array", "items", each(r, o));

	if (o->flags & WEIR_REQUIRED)
		json_object_set_new(list, "minItems", json_integer(1));
	return json_pack("{s:[o, o]}", "anyOf", each(r, o), list);
}

static json_t *option_schema(const struct registry *r,
			     const struct weir_option *o)
{
	json_t *option = json_object(), *value;

	if (o->help)
		json_object_set_new(option, "description",
				    json_string(o->help));
	if (o->flags & WEIR_DEPRECATED)
		json_object_set_new(option, "deprecated", json_true());
	if (o->preset && !(o->flags & WEIR_LIST))
		json_object_set_new(option, "default", default_of(o));
	if (o->flags & DECODE_NODE)
		value = special_schema(r, o);
	else if (o->flags & WEIR_LIST)
		value = list_schema(r, o, value_schema);
	else
		value = value_schema(r, o);
	json_object_update_new(option, value);
	return option;
}

/* The members that a table names. */
static void put_options(json_t *object, const struct registry *r,
			const struct weir_schema *schema)
{
	json_t *properties = json_object_get(object, "properties");
	json_t *required = json_object_get(object, "required");

	for (size_t i = 0; schema && i < schema->option_count; i++) {
		struct weir_option o = decode_option(schema, i);

		json_object_set_new(properties, o.name, option_schema(r, &o));
		if (o.flags & WEIR_REQUIRED)
			json_array_append_new(required, json_string(o.name));
	}
}

static json_t *object_schema(void)
{
	return json_pack("{s:s, s:{}, s:[], s:b}", "type", "object",
			 "properties", "required", "additionalProperties", 0);
}

static json_t *record_schema(const struct registry *r,
			     const struct weir_schema *schema)
{
	json_t *object = object_schema();

	put_options(object, r, schema);
	return object;
}

static enum weir_kind section_kind(const char *name)
{
	if (strcmp(name, "inbounds") == 0)
		return WEIR_INBOUND;
	return strcmp(name, "outbounds") == 0 ? WEIR_OUTBOUND : WEIR_SERVICE;
}

/* An item of one type: the core's members and the component's. */
static json_t *type_schema(const struct registry *r,
			   const struct weir_component *c)
{
	json_t *object = object_schema();

	json_object_set_new(object, "title", json_string(c->type));
	json_object_set_new(object, "description", json_string(c->summary));
	put_options(object, r, item_schema(c->kind));
	put_options(object, r, c->schema);
	json_object_set_new(json_object_get(object, "properties"), "type",
			    json_pack("{s:s}", "const", c->type));
	return object;
}

/* Every type that the registry has of a kind; there may be none at all. */
static json_t *item_types(const struct registry *r, const struct weir_option *o)
{
	enum weir_kind kind = section_kind(o->name);
	json_t *types = json_pack("[b]", 0);
	const struct registry_entry *e;

	for (size_t i = 0; (e = registry_at(r, i)); i++)
		if (e->component->kind == kind)
			json_array_append_new(types,
					      type_schema(r, e->component));
	return json_pack("{s:o}", "anyOf", types);
}

static json_t *levels_of(const struct registry *r)
{
	return json_pack("{s:s, s:{s:o}, s:b}", "type", "object",
			 "patternProperties", LEVEL_PATTERN,
			 record_schema(r, &level_schema),
			 "additionalProperties", 0);
}

static json_t *special_schema(const struct registry *r,
			      const struct weir_option *o)
{
	if (strcmp(o->name, "levels") == 0)
		return levels_of(r);
	if (strcmp(o->name, "servers") == 0)
		return list_schema(r, o, value_schema);
	return list_schema(r, o, item_types);
}

static void *allocate(size_t size)
{
	return must(malloc(size));
}

void schema_json(const struct registry *r, FILE *f)
{
	json_t *top;

	/* Jansson leaves out what it has no memory for. */
	json_set_alloc_funcs(allocate, free);
	top = json_pack("{s:s, s:s}", "$schema",
			"http://json-schema.org/draft-07/schema#", "title",
			"The configuration of weir");
	json_object_update_new(top, record_schema(r, &top_schema));
	json_dumpf(top, f, JSON_INDENT(INDENT));
	fputc('\n', f);
	json_decref(top);
}
