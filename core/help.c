/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: walks a component's table and prints a paragraph an
 * option; nested tables are indented below their option. The core's own
 * options of such a component come last: they are the same everywhere. */
#include "schema.h"

#include "decode.h"
#include "scalar.h"
#include "sections.h"

#define HELP_INDENT 4

static void put_choices(const struct weir_option *o, FILE *f)
{
	size_t i;

	for (i = 0; o->choices[i]; i++)
		fprintf(f, "%s%s", i ? ", " : "one of ", o->choices[i]);
}

static void put_bounds(const struct weir_option *o, FILE *f)
{
	char min[SCALAR_BOUND_BYTES], max[SCALAR_BOUND_BYTES];
	const char *unit = o->type == WEIR_STRING ? " bytes" : "";

	if (!o->min && !o->max)
		return;
	fprintf(f, ", %s to %s%s", scalar_bound(o->type, o->min, min),
		scalar_bound(o->type, o->max, max), unit);
}

static void put_traits(const struct weir_option *o, FILE *f)
{
	fputs(o->flags & WEIR_LIST ? "list of " : "", f);
	if (o->type == WEIR_ENUM)
		put_choices(o, f);
	else
		fputs(scalar_noun(o->type), f);
	put_bounds(o, f);
	if (o->flags & WEIR_WITH_PORT)
		fputs(" with port", f);
	if (o->flags & WEIR_NO_PORT)
		fputs(" without port", f);
	if (o->flags & WEIR_NO_NAME)
		fputs(", no name", f);
	if (o->flags & WEIR_REQUIRED)
		fputs(", required", f);
	if (o->flags & WEIR_SECRET)
		fputs(", secret", f);
	if (o->flags & WEIR_DEPRECATED)
		fputs(", deprecated", f);
	if (o->preset)
		fprintf(f, "; preset %s", o->preset);
}

static void put_options(const struct weir_schema *schema, int indent, FILE *f)
{
	size_t i;

	for (i = 0; i < schema->option_count; i++) {
		struct weir_option o = decode_option(schema, i);

		fprintf(f, "%*s%s: ", indent, "", o.name);
		put_traits(&o, f);
		fprintf(f, "\n%*s%s\n", indent + HELP_INDENT, "",
			o.help ? o.help : "");
		if (o.record)
			put_options(o.record, indent + HELP_INDENT, f);
	}
}

void schema_help(const struct weir_component *c, FILE *f)
{
	fprintf(f, "%s %s: %s\n", kind_name(c->kind), c->type, c->summary);
	if (c->schema && c->schema->option_count)
		put_options(c->schema, HELP_INDENT, f);
	if (c->kind == WEIR_SNIFFER)
		return;
	fprintf(f, "  and, as every %s:\n", kind_name(c->kind));
	put_options(item_schema(c->kind), HELP_INDENT, f);
}
