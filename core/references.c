/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: runs when every section was read, and asks of each name
 * that stands for something else whether that is there. The structs have the
 * names; the tree, item by item beside them, has their places. */
#include "loading.h"

#include "nearest.h"

static const struct config_component *find(const struct weir_list *list,
					   const char *tag)
{
	const struct config_component *all = list->items;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (all[i].tag && strcmp(all[i].tag, tag) == 0)
			return &all[i];
	}
	return NULL;
}

static void offer_tags(struct nearest *near, const struct weir_list *list)
{
	const struct config_component *all = list->items;
	size_t i;

	for (i = 0; i < list->count; i++) {
		if (all[i].tag)
			nearest_offer(near, all[i].tag);
	}
}

static void check_tag(struct loading *l, const struct weir_list *list,
		      const char *kind, const char *tag, const struct node *n,
		      const struct report_path *path)
{
	struct nearest near = {.wanted = tag};

	if (find(list, tag))
		return;
	offer_tags(&near, list);
	report_error(l->d.report, n->mark, path,
		     "%.64s is not the tag of an %s%s%s%s", tag, kind,
		     near.best ? "; did you mean " : "",
		     near.best ? near.best : "", near.best ? "?" : "");
}

static void check_rule(struct loading *l, const struct config_rule *rule,
		       const struct node *n, const struct report_path *path)
{
	struct report_path step = {path, "outbound", 0};
	const struct node *tags = node_get(n, "inbound");
	const char *const *inbound = rule->inbound.items;
	size_t i;

	if (rule->outbound)
		check_tag(l, &l->config->outbounds, "outbound", rule->outbound,
			  node_get(n, "outbound"), &step);
	step.name = "inbound";
	for (i = 0; i < rule->inbound.count; i++) {
		struct report_path item = {&step, NULL, i};
		bool list = tags->kind == NODE_SEQUENCE;

		if (inbound[i])
			check_tag(l, &l->config->inbounds, "inbound",
				  inbound[i], node_at(tags, i),
				  list ? &item : &step);
	}
}

static void check_rules(struct loading *l)
{
	const struct node *route = node_get(l->root, "route");
	const struct node *rules = node_get(route, "rules");
	const struct config_rule *all = l->config->rules.items;
	struct report_path top = {NULL, "route", 0};
	struct report_path list = {&top, "rules", 0};
	struct report_path fallback = {&top, "default", 0};
	size_t i;

	for (i = 0; i < l->config->rules.count; i++) {
		struct report_path step = {&list, NULL, i};

		check_rule(l, &all[i], node_at(rules, i), &step);
	}
	if (l->config->default_outbound && node_get(route, "default"))
		check_tag(l, &l->config->outbounds, "outbound",
			  l->config->default_outbound,
			  node_get(route, "default"), &fallback);
}

static bool takes_via(const struct weir_component *c)
{
	const struct weir_outbound_ops *ops = c->ops;

	return ops && WEIR_HAS(ops, via) && ops->via;
}

/* Whether following `via` from `from` leads back to it. */
static bool in_ring(const struct weir_list *outbounds,
		    const struct config_component *from)
{
	const struct config_component *at = from;
	size_t i;

	for (i = 0; i < outbounds->count && at && at->via; i++) {
		at = find(outbounds, at->via);
		if (at == from)
			return true;
	}
	return false;
}

static void check_via(struct loading *l)
{
	const struct weir_list *outbounds = &l->config->outbounds;
	const struct config_component *all = outbounds->items;
	const struct node *list = node_get(l->root, "outbounds");
	struct report_path top = {NULL, "outbounds", 0};
	size_t i;

	for (i = 0; i < outbounds->count; i++) {
		struct report_path item = {&top, NULL, i};
		struct report_path step = {&item, "via", 0};
		const struct node *n;

		if (!all[i].via)
			continue;
		n = node_get(node_at(list, i), "via");
		check_tag(l, outbounds, "outbound", all[i].via, n, &step);
		if (all[i].component && !takes_via(all[i].component))
			report_error(l->d.report, n->mark, &step,
				     "an outbound of type %s goes through no "
				     "other",
				     all[i].component->type);
		if (in_ring(outbounds, &all[i]))
			report_error(l->d.report, n->mark, &step,
				     "%s leads back to this outbound",
				     all[i].via);
	}
}

static bool level_known(const struct config *c, int64_t level)
{
	const struct config_level *all = c->levels.items;
	size_t i;

	for (i = 0; i < c->levels.count; i++) {
		if (all[i].level == level)
			return true;
	}
	return false;
}

static void check_level(struct loading *l, int64_t level, const struct node *n,
			const struct report_path *path)
{
	if (!level_known(l->config, level))
		report_error(l->d.report, n->mark, path,
			     "%lld is not a level of policy.levels",
			     (long long)level);
}

static void check_options(struct loading *, const struct node *,
			  const struct report_path *,
			  const struct weir_schema *, const char *conf);

static void check_record(struct loading *l, const struct weir_option *o,
			 const struct node *n, const struct report_path *path,
			 const char *at)
{
	struct weir_list one = {.count = 1};
	const struct weir_list *list =
		o->flags & WEIR_LIST ? (const struct weir_list *)at : &one;
	const char *items = list == &one ? at : list->items;
	size_t i;

	if (n->kind == NODE_SEQUENCE && list == &one)
		return; /* was reported: it must be a mapping */
	for (i = 0; i < list->count; i++) {
		struct report_path item = {path, NULL, i};

		check_options(l, node_at(n, i),
			      n->kind == NODE_SEQUENCE ? &item : path,
			      o->record, items + i * o->record->conf_size);
	}
}

/* The levels among what was given for a component, and in its records. */
static void check_options(struct loading *l, const struct node *n,
			  const struct report_path *path,
			  const struct weir_schema *schema, const char *conf)
{
	size_t i;

	for (i = 0; i < schema->option_count; i++) {
		struct weir_option o = decode_option(schema, i);
		const struct node *given = node_get(n, o.name);
		struct report_path step = {path, o.name, 0};

		if (given && o.type == WEIR_RECORD)
			check_record(l, &o, given, &step, conf + o.at);
		else if (given && o.type == WEIR_INT && (o.flags & WEIR_LEVEL))
			check_level(l, *(const int64_t *)(conf + o.at), given,
				    &step);
	}
}

static void check_levels(struct loading *l, const char *section,
			 const struct weir_list *of)
{
	const struct config_component *all = of->items;
	const struct node *list = node_get(l->root, section);
	struct report_path top = {NULL, section, 0};
	size_t i;

	/* Behind those that were listed are services that were needed. */
	for (i = 0; i < of->count && i < node_count(list); i++) {
		struct report_path item = {&top, NULL, i};
		struct report_path step = {&item, "level", 0};
		const struct node *n = node_at(list, i);

		check_level(l, all[i].inbound.level, node_get(n, "level"),
			    &step);
		if (all[i].conf)
			check_options(l, n, &item, all[i].component->schema,
				      all[i].conf);
	}
}

/* The tags of log lines that belong to no instance. */
static const char *const log_parts[] = {"session", "weir"};

#define LOG_PARTS (sizeof log_parts / sizeof log_parts[0])

static bool logs(const struct config *c, const char *tag)
{
	size_t i;

	for (i = 0; i < LOG_PARTS; i++) {
		if (strcmp(log_parts[i], tag) == 0)
			return true;
	}
	return find(&c->services, tag) || find(&c->outbounds, tag) ||
	       find(&c->inbounds, tag);
}

static void check_log_tag(struct loading *l, const char *tag,
			  const struct node *n, const struct report_path *path)
{
	struct nearest near = {.wanted = tag};
	size_t i;

	if (!tag || logs(l->config, tag))
		return;
	for (i = 0; i < LOG_PARTS; i++)
		nearest_offer(&near, log_parts[i]);
	offer_tags(&near, &l->config->services);
	offer_tags(&near, &l->config->outbounds);
	offer_tags(&near, &l->config->inbounds);
	report_error(
		l->d.report, n->mark, path,
		"%.64s is neither a tag nor the word session or weir%s%s%s",
		tag, near.best ? "; did you mean " : "",
		near.best ? near.best : "", near.best ? "?" : "");
}

/* Two levels of one tag: the first would win. */
static void refuse_same_log_tag(struct loading *l, const struct node *list,
				size_t i, const struct node *n,
				const struct report_path *path)
{
	const struct config_log_tag *all = l->config->log_tags.items;
	size_t k;

	for (k = 0; k < i && all[i].tag; k++) {
		if (!all[k].tag || strcmp(all[k].tag, all[i].tag) != 0)
			continue;
		report_error(
			l->d.report, n->mark, path,
			"%.64s was given a level in line %u; give it one only",
			all[i].tag, node_at(list, k)->mark.line);
		return;
	}
}

static void check_log_tags(struct loading *l)
{
	const struct node *list = node_get(node_get(l->root, "log"), "tags");
	const struct config_log_tag *all = l->config->log_tags.items;
	struct report_path log = {NULL, "log", 0};
	struct report_path tags = {&log, "tags", 0};
	size_t i;

	for (i = 0; i < l->config->log_tags.count; i++) {
		bool many = list->kind == NODE_SEQUENCE;
		struct report_path item = {&tags, NULL, i};
		struct report_path step = {many ? &item : &tags, "tag", 0};
		const struct node *n = node_at(list, i);
		const struct node *at = node_get(n, "tag");

		check_log_tag(l, all[i].tag, at ? at : n, &step);
		refuse_same_log_tag(l, list, i, at ? at : n, &step);
	}
}

void references_check(struct loading *l)
{
	check_log_tags(l);
	check_rules(l);
	check_via(l);
	check_levels(l, "services", &l->config->services);
	check_levels(l, "outbounds", &l->config->outbounds);
	check_levels(l, "inbounds", &l->config->inbounds);
}
