/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: libyaml's events are turned into a tree by a recursive
 * descent. Every bound (depth, nodes, anchors) acts while events are read, so
 * that a hostile text is refused before libyaml spends time on the rest of it.
 * An alias shares the node it names; its weight is counted as if it had been
 * written out, hence whoever walks the tree visits a bounded number of nodes.
 * An anchor is known once its node is complete: nothing can contain itself.
 *
 * What makes the rest of the text unreadable is fatal: one error, no tree.
 * Duplicate keys, tags and the like are reported and reading goes on. */
#include "tree.h"

#include "utf8.h"
#include "util.h"

#include <malloc.h>
#include <stdlib.h>
#include <yaml.h>

#define NODE_ITEMS_FIRST 8u

struct anchor {
	struct anchor *next;
	const char *name;
	const struct node *node;
};

struct builder {
	yaml_parser_t parser;
	struct arena *arena;
	struct report *report;
	struct anchor *anchors;
	size_t anchor_count, nodes;
	unsigned depth;
};

static const struct node *build(struct builder *, yaml_event_t *,
				const struct report_path *);

/* ---- libyaml's memory
 *
 * What it reads may be a key, of which it leaves copies behind wherever a text
 * outgrew its room. It allocates by functions that it exports and calls by
 * name, so these stand in for them: nothing is given back unwiped. */

#define TAKES_OVER __attribute__((visibility("default")))

TAKES_OVER void yaml_free(void *p);
TAKES_OVER void *yaml_realloc(void *p, size_t size);

void yaml_free(void *p)
{
	if (p)
		explicit_bzero(p, malloc_usable_size(p));
	free(p);
}

void *yaml_realloc(void *p, size_t size)
{
	size_t held = p ? malloc_usable_size(p) : 0;
	void *to = malloc(size ? size : 1);

	if (!to)
		return NULL;
	if (p)
		memcpy(to, p, held < size ? held : size);
	yaml_free(p);
	return to;
}

/* ---- from events to a tree */

static struct config_mark mark_of(yaml_mark_t m)
{
	return (struct config_mark){(unsigned)m.line + 1,
				    (unsigned)m.column + 1};
}

static void syntax_error(struct builder *b)
{
	const yaml_parser_t *p = &b->parser;
	const char *problem = p->problem ? p->problem : "out of memory";
	bool reader = p->error == YAML_READER_ERROR;
	struct config_mark at = mark_of(reader ? p->mark : p->problem_mark);

	if (!p->context || reader)
		report_error(b->report, at, NULL, "not YAML: %s", problem);
	else
		report_error(b->report, at, NULL,
			     "not YAML: %s, %s that begins in line %u", problem,
			     p->context, mark_of(p->context_mark).line);
}

static bool pull(struct builder *b, yaml_event_t *e)
{
	if (yaml_parser_parse(&b->parser, e))
		return true;
	syntax_error(b);
	return false;
}

/* Nodes are counted against the bound before they are made. */
static bool pay(struct builder *b, struct config_mark at,
		const struct report_path *path, size_t weight)
{
	if (weight <= YAML_NODES_MAX - b->nodes) {
		b->nodes += weight;
		return true;
	}
	report_error(b->report, at, path,
		     "too much: a configuration holds at most %u values, "
		     "aliases counted as what they stand for",
		     YAML_NODES_MAX);
	return false;
}

static bool anchor_add(struct builder *b, const char *name,
		       const struct node *node, const struct report_path *path)
{
	struct anchor *a;

	if (b->anchor_count++ == YAML_ANCHORS_MAX) {
		report_error(b->report, node->mark, path,
			     "&%.40s is one anchor too many; at most %u are "
			     "taken",
			     name, YAML_ANCHORS_MAX);
		return false;
	}
	a = arena_alloc(b->arena, sizeof *a);
	a->name = name;
	a->node = node;
	a->next = b->anchors;
	b->anchors = a;
	return true;
}

static const struct node *build_alias(struct builder *b, yaml_event_t *e,
				      const struct report_path *path)
{
	const char *name = (const char *)e->data.alias.anchor;
	struct config_mark at = mark_of(e->start_mark);
	const struct anchor *a = b->anchors;

	while (a && strcmp(a->name, name) != 0)
		a = a->next;
	if (!a) {
		report_error(b->report, at, path,
			     "*%.40s stands for nothing: no finished value "
			     "before it has the anchor &%.40s",
			     name, name);
		return NULL;
	}
	return pay(b, at, path, a->node->weight) ? a->node : NULL;
}

static void refuse_tag(struct builder *b, struct config_mark at,
		       const struct report_path *path, const yaml_char_t *tag)
{
	if (tag)
		report_error(b->report, at, path,
			     "%.60s is a tag; weir takes none, the option says "
			     "what the value is",
			     (const char *)tag);
}

static struct node *node_new(struct builder *b, enum node_kind kind,
			     struct config_mark at,
			     const struct report_path *path)
{
	struct node *n;

	if (!pay(b, at, path, 1))
		return NULL;
	n = arena_alloc(b->arena, sizeof *n);
	n->kind = kind;
	n->mark = at;
	n->weight = 1;
	return n;
}

static struct node *build_scalar(struct builder *b, yaml_event_t *e,
				 const struct report_path *path)
{
	size_t len = e->data.scalar.length;
	struct node *n = node_new(b, NODE_SCALAR, mark_of(e->start_mark), path);
	char *text;

	if (!n)
		return NULL;
	if (memchr(e->data.scalar.value, '\0', len))
		report_error(b->report, n->mark, path,
			     "a NUL character stands in the text");
	text = arena_secret(b->arena, len + 1);
	memcpy(text, e->data.scalar.value, len);
	n->text = text;
	n->plain = e->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	refuse_tag(b, n->mark, path, e->data.scalar.tag);
	return n;
}

static void append(struct builder *b, struct node *n, const struct node *key,
		   const struct node *value)
{
	/* Items double in number whenever they fill a power of two. */
	if (n->count == 0 ||
	    (n->count >= NODE_ITEMS_FIRST && !(n->count & (n->count - 1)))) {
		size_t room = n->count ? n->count * 2 : NODE_ITEMS_FIRST;
		struct node_item *items =
			arena_alloc(b->arena, room * sizeof *items);

		if (n->count)
			memcpy(items, n->items, n->count * sizeof *items);
		n->items = items;
	}
	n->items[n->count++] = (struct node_item){key, value};
	n->weight += value->weight + (key ? key->weight : 0);
}

static bool fill_sequence(struct builder *b, struct node *n,
			  const struct report_path *path)
{
	yaml_event_t e;

	for (;;) {
		struct report_path step = {path, NULL, n->count};
		const struct node *value;

		if (!pull(b, &e))
			return false;
		if (e.type == YAML_SEQUENCE_END_EVENT)
			break;
		value = build(b, &e, &step);
		if (!value)
			return false;
		append(b, n, NULL, value);
	}
	yaml_event_delete(&e);
	return true;
}

static bool fill_mapping(struct builder *b, struct node *n,
			 const struct report_path *path)
{
	yaml_event_t e;

	for (;;) {
		struct report_path step = {path, "?", 0};
		const struct node *key, *value;

		if (!pull(b, &e))
			return false;
		if (e.type == YAML_MAPPING_END_EVENT)
			break;
		key = build(b, &e, path);
		if (!key)
			return false;
		if (key->kind != NODE_SCALAR || !*key->text)
			report_error(b->report, key->mark, path,
				     "a key must be a word");
		else
			step.name = key->text;
		if (!pull(b, &e))
			return false;
		value = build(b, &e, &step);
		if (!value)
			return false;
		if (key->kind == NODE_SCALAR)
			append(b, n, key, value);
	}
	yaml_event_delete(&e);
	return true;
}

static int by_key(const void *a, const void *b)
{
	const struct node_item *x = *(const struct node_item *const *)a;
	const struct node_item *y = *(const struct node_item *const *)b;
	int order = strcmp(x->key->text, y->key->text);

	if (order)
		return order;
	return x < y ? -1 : 1; /* as they stand in the file */
}

/* Report each key that was there before, and take it out. Sorted, because
 * comparing every two keys of a large mapping takes too long. */
static void refuse_duplicates(struct builder *b, struct node *n,
			      const struct report_path *path)
{
	const struct node_item *first = NULL, **sorted;
	size_t i, kept = 0;

	sorted = arena_alloc(b->arena, n->count * sizeof *sorted);
	for (i = 0; i < n->count; i++)
		sorted[i] = &n->items[i];
	qsort(sorted, n->count, sizeof *sorted, by_key);
	for (i = 0; i < n->count; i++) {
		struct node_item *item = &n->items[sorted[i] - n->items];
		struct report_path step = {path, item->key->text, 0};

		if (!first || strcmp(first->key->text, step.name) != 0) {
			first = item;
			continue;
		}
		report_error(b->report, item->key->mark, &step,
			     "is given twice; the first is in line %u",
			     first->key->mark.line);
		item->value = NULL;
	}
	for (i = 0; i < n->count; i++) {
		if (n->items[i].value)
			n->items[kept++] = n->items[i];
	}
	n->count = kept;
}

static bool fill(struct builder *b, struct node *n,
		 const struct report_path *path)
{
	bool ok;

	if (b->depth == YAML_DEPTH_MAX) {
		report_error(b->report, n->mark, path,
			     "too deep: values nest at most %u times",
			     YAML_DEPTH_MAX);
		return false;
	}
	b->depth++;
	if (n->kind == NODE_SEQUENCE) {
		ok = fill_sequence(b, n, path);
	} else {
		ok = fill_mapping(b, n, path);
		if (ok && n->count > 1)
			refuse_duplicates(b, n, path);
	}
	b->depth--;
	return ok;
}

/* An event's texts are its own and die here; an anchor's name is kept. */
static const struct node *build(struct builder *b, yaml_event_t *e,
				const struct report_path *path)
{
	const yaml_char_t *anchor = NULL;
	const char *name = NULL;
	struct node *n = NULL;

	if (e->type == YAML_ALIAS_EVENT) {
		const struct node *shared = build_alias(b, e, path);

		yaml_event_delete(e);
		return shared;
	}
	if (e->type == YAML_SCALAR_EVENT) {
		anchor = e->data.scalar.anchor;
		n = build_scalar(b, e, path);
	} else if (e->type == YAML_SEQUENCE_START_EVENT) {
		anchor = e->data.sequence_start.anchor;
		n = node_new(b, NODE_SEQUENCE, mark_of(e->start_mark), path);
		if (n)
			refuse_tag(b, n->mark, path,
				   e->data.sequence_start.tag);
	} else {
		anchor = e->data.mapping_start.anchor;
		n = node_new(b, NODE_MAPPING, mark_of(e->start_mark), path);
		if (n)
			refuse_tag(b, n->mark, path, e->data.mapping_start.tag);
	}
	if (n && anchor)
		name = arena_strndup(b->arena, (const char *)anchor,
				     strlen((const char *)anchor));
	yaml_event_delete(e);
	if (!n || (n->kind != NODE_SCALAR && !fill(b, n, path)))
		return NULL;
	return !name || anchor_add(b, name, n, path) ? n : NULL;
}

static bool skip(struct builder *b)
{
	yaml_event_t e;

	if (!pull(b, &e))
		return false;
	yaml_event_delete(&e);
	return true;
}

/* The stream's start, the document's start unless there is none. */
static bool enter(struct builder *b)
{
	yaml_event_t e;
	bool found;

	if (!skip(b) || !pull(b, &e))
		return false;
	found = e.type == YAML_DOCUMENT_START_EVENT;
	yaml_event_delete(&e);
	if (found)
		return true;
	report_error(b->report, (struct config_mark){1, 1}, NULL,
		     "the file says nothing");
	return false;
}

/* The document's end, and nothing after it. */
static bool leave(struct builder *b)
{
	struct config_mark at;
	yaml_event_t e;
	bool end;

	if (!skip(b) || !pull(b, &e))
		return false;
	at = mark_of(e.start_mark);
	end = e.type == YAML_STREAM_END_EVENT;
	yaml_event_delete(&e);
	if (end)
		return true;
	report_error(b->report, at, NULL,
		     "a second document begins; one file holds one");
	return false;
}

static const struct node *build_document(struct builder *b)
{
	const struct node *root;
	yaml_event_t e;

	if (!enter(b) || !pull(b, &e))
		return NULL;
	root = build(b, &e, NULL);
	return root && leave(b) ? root : NULL;
}

/* Bytes of a byte order mark: libyaml would count it as a column, and find
 * the first line indented. */
static size_t mark_bytes(const char *text, size_t len)
{
	static const char mark[] = {'\xef', '\xbb', '\xbf'};
	bool there = len >= sizeof mark && !memcmp(text, mark, sizeof mark);

	return there ? sizeof mark : 0;
}

const struct node *yaml_read(struct arena *arena, struct report *report,
			     const char *text, size_t len)
{
	struct builder b = {.arena = arena, .report = report};
	struct config_mark bad;
	const struct node *root;
	size_t skipped;

	if (len > YAML_BYTES_MAX) {
		report_error(report, (struct config_mark){0, 0}, NULL,
			     "is too long; the most is %u bytes",
			     YAML_BYTES_MAX);
		return NULL;
	}
	skipped = mark_bytes(text, len);
	text += skipped;
	len -= skipped;
	if (!utf8_valid(text, len, &bad.line, &bad.column)) {
		report_error(report, bad, NULL, "not UTF-8 text");
		return NULL;
	}
	if (!yaml_parser_initialize(&b.parser))
		out_of_memory();
	yaml_parser_set_encoding(&b.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&b.parser, (const unsigned char *)text,
				     len);
	root = build_document(&b);
	yaml_parser_delete(&b.parser);
	return root;
}

const struct node *node_get(const struct node *n, const char *key)
{
	size_t i;

	if (!n || n->kind != NODE_MAPPING)
		return NULL;
	for (i = 0; i < n->count; i++) {
		if (strcmp(n->items[i].key->text, key) == 0)
			return n->items[i].value;
	}
	return NULL;
}

size_t node_count(const struct node *n)
{
	if (!n)
		return 0;
	return n->kind == NODE_SEQUENCE ? n->count : 1;
}

const struct node *node_at(const struct node *n, size_t i)
{
	return n->kind == NODE_SEQUENCE ? n->items[i].value : n;
}
