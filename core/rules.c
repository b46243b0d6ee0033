/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: the routes as they were decoded, brought into the form
 * in which route.c asks them: networks as bits, names in lower case and with
 * their way of matching told apart. A rule that would hold for everything is
 * refused: it is nearly always one whose condition got lost. */
#include "loading.h"

#include "sections.h"

#include <ctype.h>

#define LABEL_BYTES_MAX 253

static const struct {
	const char *prefix;
	enum config_match match;
} matches[] = {
	{"suffix:", CONFIG_SUFFIX},
	{"full:", CONFIG_FULL},
	{"keyword:", CONFIG_KEYWORD},
};

/* What a name in a rule may hold; a keyword is a part of a name. */
static bool name_ok(const char *text, size_t len)
{
	size_t i;

	for (i = 0; i < len; i++) {
		unsigned char c = (unsigned char)text[i];

		if (!isalnum(c) && c != '-' && c != '_' && c != '.')
			return false;
	}
	return len > 0 && len <= LABEL_BYTES_MAX;
}

static void domain_read(struct loading *l, const char *text,
			const struct node *n, const struct report_path *path,
			struct config_domain *out)
{
	size_t i, len;
	char *copy;

	for (i = 0; i < sizeof matches / sizeof matches[0]; i++) {
		len = strlen(matches[i].prefix);
		if (strncmp(text, matches[i].prefix, len) == 0)
			break;
	}
	if (i == sizeof matches / sizeof matches[0]) {
		report_error(l->d.report, n->mark, path,
			     "%.60s does not say how it matches; write "
			     "suffix:, full: or keyword: before it",
			     text);
		return;
	}
	out->match = matches[i].match;
	text += len;
	len = strlen(text);
	if (out->match != CONFIG_KEYWORD && len && text[len - 1] == '.')
		len--;
	if (out->match == CONFIG_SUFFIX && *text == '.')
		text++, len--;
	if (!name_ok(text, len)) {
		report_error(
			l->d.report, n->mark, path,
			"\"%.60s\" is not a name: letters, digits, '-', '_' "
			"and dots (of others, write the xn-- form)",
			text);
		return;
	}
	copy = arena_strndup(l->d.arena, text, len);
	for (i = 0; i < len; i++)
		copy[i] = (char)tolower((unsigned char)copy[i]);
	out->text = copy;
}

static void domains_read(struct loading *l, const struct weir_list *from,
			 const struct node *n, const struct report_path *path,
			 struct weir_list *out)
{
	struct report_path domain = {path, "domain", 0};
	const char *const *texts = from->items;
	struct config_domain *all =
		arena_alloc(l->d.arena, from->count * sizeof *all);
	size_t i;

	out->items = all;
	out->count = from->count;
	for (i = 0; i < from->count; i++) {
		struct report_path step = {&domain, NULL, i};

		if (texts[i])
			domain_read(l, texts[i], node_at(n, i),
				    n->kind == NODE_SEQUENCE ? &step : &domain,
				    &all[i]);
	}
}

static uint32_t networks_read(const struct weir_list *from)
{
	const int *nets = from->items;
	uint32_t bits = 0;
	size_t i;

	for (i = 0; i < from->count; i++)
		bits |= 1u << nets[i]; /* in the order of enum weir_net */
	return bits;
}

/* A condition with an empty list would hold for everything. */
static void refuse_void(struct loading *l, const struct node *n,
			const struct report_path *path)
{
	size_t i, conditions = 0;

	if (n->kind != NODE_MAPPING)
		return;
	for (i = 0; i < n->count; i++) {
		const char *key = n->items[i].key->text;
		const struct node *value = n->items[i].value;
		struct report_path step = {path, key, 0};

		if (strcmp(key, "outbound") == 0 || strcmp(key, "invert") == 0)
			continue;
		conditions++;
		if (!node_count(value))
			report_error(l->d.report, value->mark, &step,
				     "is empty; leave it out or give it a "
				     "value");
	}
	if (!conditions)
		report_error(l->d.report, n->mark, path,
			     "has no condition; what no rule takes goes to "
			     "route.default");
}

static void rule_read(struct loading *l, const struct rule_section *s,
		      const struct node *n, const struct report_path *path,
		      struct config_rule *out)
{
	refuse_void(l, n, path);
	out->mark = n->mark;
	out->inbound = s->inbound;
	out->networks = networks_read(&s->network);
	out->ip = s->ip;
	out->source = s->source;
	out->port = s->port;
	out->source_port = s->source_port;
	out->user = s->user;
	domains_read(l, &s->domain, node_get(n, "domain"), path, &out->domain);
	out->invert = s->invert;
	out->outbound = s->outbound;
}

static const char *first_outbound(const struct config *c)
{
	const struct config_component *all = c->outbounds.items;

	return c->outbounds.count ? all[0].tag : NULL;
}

void rules_read(struct loading *l, const struct route_section *s)
{
	const struct node *list = node_get(node_get(l->root, "route"), "rules");
	const struct rule_section *from = s->rules.items;
	struct report_path route = {NULL, "route", 0};
	struct report_path rules = {&route, "rules", 0};
	struct config_rule *all =
		arena_alloc(l->d.arena, s->rules.count * sizeof *all);
	size_t i;

	l->config->rules = (struct weir_list){all, s->rules.count};
	for (i = 0; i < s->rules.count; i++) {
		struct report_path step = {&rules, NULL, i};

		rule_read(l, &from[i], node_at(list, i), &step, &all[i]);
	}
	l->config->default_outbound =
		s->fallback ? s->fallback : first_outbound(l->config);
}
