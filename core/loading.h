/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loading.h - a configuration while it is being read; private to config.c
 * and its parts. */
#ifndef WEIR_CORE_LOADING_H
#define WEIR_CORE_LOADING_H

#include "config.h"
#include "decode.h"
#include "sections.h"

struct loading {
	struct decode d;
	struct config *config;
	const struct registry *registry;
	const struct node *root;
};

/* items.c: one of the lists of components; then the services that were
 * not listed, but are needed; then their order. */
void components_read(struct loading *, enum weir_kind, const char *section,
		     const struct node *list, struct weir_list *out);
void components_add_services(struct loading *);
void components_order_services(struct loading *);

/* rules.c: the routes. */
void rules_read(struct loading *, const struct route_section *);

/* references.c: every tag that is named is there, and no chain bites its own
 * tail. */
void references_check(struct loading *);

#endif
