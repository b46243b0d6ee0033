/* SPDX-License-Identifier: GPL-2.0-or-later */
/* registry.h - the components of all loaded plugins, by kind and type.
 *
 * The registry borrows the descriptors: plugins are never unmapped. */
#ifndef WEIR_CORE_REGISTRY_H
#define WEIR_CORE_REGISTRY_H

#include <weir/plugin.h>

struct registry;

/* One component and the plugin that brought it. */
struct registry_entry {
	const struct weir_component *component;
	const struct weir_plugin *plugin;
	const char *path; /* of the shared object; owned by the registry */
};

struct registry *registry_new(void);
/* All components of a plugin; false where one is malformed or its kind and
 * type are taken: nothing of that plugin is kept then. */
bool registry_add(struct registry *, const struct weir_plugin *,
		  const char *path, struct weir_error *);
/* Forget a plugin whose needs are not met; its code stays mapped. */
void registry_drop(struct registry *, const struct weir_plugin *);
const struct registry_entry *registry_find(const struct registry *,
					   enum weir_kind, const char *type);
/* In order of loading; NULL after the last. */
const struct registry_entry *registry_at(const struct registry *, size_t i);
/* Whether every service that a plugin needs ("netstack/1") is here; the error
 * names the first that is not. A service's type may end in its major
 * ("netstack/2"); without one it is major 1. */
bool registry_serves(const struct registry *, const char *needs,
		     struct weir_error *);
void registry_free(struct registry *);

/* "inbound", "outbound", "sniffer" or "service". */
const char *kind_name(enum weir_kind);

#endif
