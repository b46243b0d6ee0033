/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * A component is refused when it is loaded, not when it is first used: the
 * functions it must have are there, sizes cover the fields of version 1.0, and
 * its options lie inside the struct that the core will fill in for it. */
#include "component.h"

#define SCHEMA_OPTIONS 1024 /* one component has never a tenth */
#define SCHEMA_DEPTH 8	    /* records in records; also ends a loop of them */

#define TYPE_CHARS "abcdefghijklmnopqrstuvwxyz0123456789-_"
#define ALL_NETS (WEIR_NET_TCP | WEIR_NET_UDP | WEIR_NET_ICMP)

static bool type_check(const struct weir_component *c, struct weir_error *e)
{
	size_t len = c->type ? strspn(c->type, TYPE_CHARS) : 0;
	const char *rest = c->type ? c->type + len : "";

	/* A service may name its major: "netstack/2". */
	if (c->kind == WEIR_SERVICE && *rest == '/')
		rest += 1 + strspn(rest + 1, "0123456789");
	if (!len || *rest)
		return weir_error(e, NULL,
				  "a component's type is malformed: lower case "
				  "letters, digits, - and _ make one");
	if (!c->summary)
		return weir_error(e, NULL, "component \"%s\" has no summary",
				  c->type);
	return true;
}

static size_t value_size(const struct weir_option *o)
{
	if (o->flags & WEIR_LIST)
		return sizeof(struct weir_list);
	switch (o->type) {
	case WEIR_BOOL:
		return sizeof(bool);
	case WEIR_INT:
	case WEIR_SIZE:
	case WEIR_TIME:
		return sizeof(uint64_t);
	case WEIR_STRING:
	case WEIR_PATH:
		return sizeof(char *);
	case WEIR_ENUM:
		return sizeof(int);
	case WEIR_ADDR:
		return sizeof(struct weir_addr);
	case WEIR_CIDR:
		return sizeof(struct weir_cidr);
	case WEIR_KEY:
		return 32;
	case WEIR_RANGE:
		return sizeof(struct weir_range);
	case WEIR_RECORD:
		return o->record->conf_size;
	}
	return 0;
}

static bool schema_check(const struct weir_schema *, int depth,
			 struct weir_error *);

static bool option_check(const struct weir_option *o, size_t conf_size,
			 int depth, struct weir_error *e)
{
	size_t size;

	if (!o->name || !*o->name || !o->help)
		return weir_error(e, NULL, "an option has no name or no help");
	if (o->type == WEIR_ENUM && (!o->choices || !o->choices[0]))
		return weir_error(e, NULL, "option \"%s\" has no choices",
				  o->name);
	if (o->type == WEIR_RECORD && !o->record)
		return weir_error(e, NULL, "option \"%s\" has no record",
				  o->name);
	if (o->type == WEIR_RECORD && !schema_check(o->record, depth + 1, e))
		return false;
	size = value_size(o);
	if (!size)
		return weir_error(e, NULL, "option \"%s\" has unknown type %u",
				  o->name, (unsigned)o->type);
	if (o->at > conf_size || size > conf_size - o->at)
		return weir_error(e, NULL,
				  "option \"%s\" lies outside its struct of "
				  "%zu bytes",
				  o->name, conf_size);
	return true;
}

static bool schema_check(const struct weir_schema *s, int depth,
			 struct weir_error *e)
{
	const char *at = (const char *)s->options;

	if (!WEIR_HAS(s, check))
		return weir_error(e, NULL,
				  "a schema's size is %u bytes, not "
				  "%zu or more",
				  s->size, sizeof *s);
	if (depth > SCHEMA_DEPTH)
		return weir_error(e, NULL, "its options nest too deep");
	if (s->option_count > SCHEMA_OPTIONS ||
	    s->option_size < sizeof(struct weir_option) ||
	    s->option_size % _Alignof(struct weir_option) ||
	    (s->option_count && !at))
		return weir_error(e, NULL,
				  "a schema's option table is "
				  "malformed");
	for (uint32_t i = 0; i < s->option_count; i++, at += s->option_size) {
		if (!option_check((const struct weir_option *)(const void *)at,
				  s->conf_size, depth, e))
			return false;
	}
	return true;
}

static bool outbound_check(const struct weir_component *c, struct weir_error *e)
{
	const struct weir_outbound_ops *ops = c->ops;

	if (!ops || !WEIR_HAS(ops, via) || !ops->open || !ops->abandon)
		return weir_error(e, NULL,
				  "outbound \"%s\" lacks open or abandon",
				  c->type);
	if (!ops->nets || (ops->nets & ~(unsigned)ALL_NETS))
		return weir_error(e, NULL,
				  "outbound \"%s\" names no networks, "
				  "or unknown ones",
				  c->type);
	return true;
}

static bool sniffer_check(const struct weir_component *c, struct weir_error *e)
{
	const struct weir_sniffer_ops *ops = c->ops;

	if (!ops || !WEIR_HAS(ops, look) || !ops->look || !ops->nets ||
	    !ops->max_bytes)
		return weir_error(e, NULL,
				  "sniffer \"%s\" lacks look, nets "
				  "or max_bytes",
				  c->type);
	return true;
}

static bool life_check(const struct weir_component *c, struct weir_error *e)
{
	if (!c->create || !c->start || !c->stop || !c->destroy)
		return weir_error(e, NULL,
				  "component \"%s\" lacks create, "
				  "start, stop or destroy",
				  c->type);
	return true;
}

bool component_check(const struct weir_component *c, struct weir_error *e)
{
	if (!WEIR_HAS(c, destroy))
		return weir_error(e, NULL,
				  "a component's size is %u bytes, "
				  "not %zu or more",
				  c->size, sizeof *c);
	if (c->size % sizeof(void *))
		return weir_error(e, NULL, "a component's size is %u bytes",
				  c->size);
	if ((unsigned)c->kind > WEIR_SERVICE)
		return weir_error(e, NULL, "a component's kind is unknown: %u",
				  (unsigned)c->kind);
	if (!type_check(c, e) || (c->schema && !schema_check(c->schema, 0, e)))
		return false;
	switch (c->kind) {
	case WEIR_SNIFFER:
		return sniffer_check(c, e);
	case WEIR_OUTBOUND:
		return outbound_check(c, e) && life_check(c, e);
	case WEIR_SERVICE:
		if (!c->ops)
			return weir_error(e, NULL,
					  "service \"%s\" has no "
					  "table of functions",
					  c->type);
		return life_check(c, e);
	case WEIR_INBOUND:
		return life_check(c, e);
	}
	return false;
}
