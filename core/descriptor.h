/* SPDX-License-Identifier: GPL-2.0-or-later */
/* descriptor.h - the entry symbol of a loaded plugin, safe to read. */
#ifndef WEIR_CORE_DESCRIPTOR_H
#define WEIR_CORE_DESCRIPTOR_H

#include <weir/plugin.h>

/* What the dlopen() handle exports, where it says the same as the plugin's
 * note and every pointer of it stays inside the plugin. NULL with the error. */
const struct weir_plugin *
descriptor_get(void *handle, const struct weir_identity *, struct weir_error *);

#endif
