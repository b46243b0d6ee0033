/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tree.h - a YAML text as a tree whose nodes know where they stand.
 *
 * Nodes live on the arena they were read into, their texts in its secret
 * part. A node that an alias names is shared, not copied. */
#ifndef WEIR_CORE_TREE_H
#define WEIR_CORE_TREE_H

#include "report.h"

#define YAML_BYTES_MAX (1024u * 1024u)
#define YAML_DEPTH_MAX 32u
#define YAML_NODES_MAX 100000u /* aliases counted as what they stand for */
#define YAML_ANCHORS_MAX 64u

enum node_kind { NODE_SCALAR, NODE_SEQUENCE, NODE_MAPPING };

struct node;

struct node_item {
	const struct node *key; /* a scalar; NULL in a sequence */
	const struct node *value;
};

struct node {
	enum node_kind kind;
	struct config_mark mark;
	bool plain;	  /* SCALAR: without quotes, on its line */
	const char *text; /* SCALAR: without NUL bytes inside */
	struct node_item *items;
	size_t count;  /* of items; keys are unique */
	size_t weight; /* nodes in this tree, shared ones each time */
};

/* NULL where the text is no YAML, or not of the kind that weir takes; the
 * report says why. Duplicate keys and the like are reported and left out. */
const struct node *yaml_read(struct arena *, struct report *, const char *text,
			     size_t len);

/* The value of a key, or NULL; a mapping's only. */
const struct node *node_get(const struct node *, const char *key);

/* A value that may be a list: how many there are, and the i-th. One bare
 * value is a list of one. */
size_t node_count(const struct node *);
const struct node *node_at(const struct node *, size_t i);

#endif
