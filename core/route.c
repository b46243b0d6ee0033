/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Routing.
 *
 * Theory of operation: rules are tried in the order of the file. Within a rule
 * each field that is given must match; a field that is a list matches where
 * one of its items does. `invert` turns the verdict of the whole rule. */
#include "route.h"

#include "addr.h"

static bool has_text(const struct weir_list *list, const char *text)
{
	const char *const *items = list->items;

	for (size_t i = 0; i < list->count; i++)
		if (text && strcmp(items[i], text) == 0)
			return true;
	return !list->count;
}

static bool has_address(const struct weir_list *list, const struct weir_addr *a)
{
	const struct weir_cidr *items = list->items;

	for (size_t i = 0; i < list->count; i++)
		if (addr_in_cidr(a, &items[i]))
			return true;
	return !list->count;
}

static bool has_port(const struct weir_list *list, uint16_t port)
{
	const struct weir_range *items = list->items;

	for (size_t i = 0; i < list->count; i++)
		if (port >= items[i].first && port <= items[i].last)
			return true;
	return !list->count;
}

static bool is_suffix(const char *name, size_t len, const char *suffix)
{
	size_t tail = strlen(suffix);

	return len >= tail && strcasecmp(name + len - tail, suffix) == 0 &&
	       (len == tail || name[len - tail - 1] == '.');
}

static bool has_domain(const struct weir_list *list, const struct weir_addr *a)
{
	const struct config_domain *items = list->items;
	size_t len;

	if (!list->count)
		return true;
	if (a->kind != WEIR_ADDR_NAME)
		return false;
	len = strlen(a->name);
	for (size_t i = 0; i < list->count; i++) {
		const char *text = items[i].text;

		if ((items[i].match == CONFIG_FULL &&
		     strcasecmp(a->name, text) == 0) ||
		    (items[i].match == CONFIG_SUFFIX &&
		     is_suffix(a->name, len, text)) ||
		    (items[i].match == CONFIG_KEYWORD &&
		     strcasestr(a->name, text)))
			return true;
	}
	return false;
}

static bool rule_matches(const struct config_rule *r,
			 const struct route_facts *f)
{
	bool match = (!r->networks || r->networks & f->net) &&
		     has_text(&r->inbound, f->inbound) &&
		     has_text(&r->user, f->user) &&
		     has_port(&r->port, f->target->port) &&
		     has_port(&r->source_port, f->source->port) &&
		     has_address(&r->ip, f->target) &&
		     has_address(&r->source, f->source) &&
		     has_domain(&r->domain, f->target);

	return match != r->invert;
}

const char *route_decide(const struct config *c, const struct route_facts *f)
{
	const struct config_rule *rules = c->rules.items;

	for (size_t i = 0; i < c->rules.count; i++)
		if (rule_matches(&rules[i], f))
			return rules[i].outbound;
	return c->default_outbound;
}
