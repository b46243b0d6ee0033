/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freedom_preset.h - freedom as it is where the configuration says nothing. */
#ifndef WEIR_FREEDOM_PRESET_H
#define WEIR_FREEDOM_PRESET_H

#include "../../plugins/freedom/freedom.h"

extern const struct weir_plugin weir_plugin_1;

#define FREEDOM (weir_plugin_1.components[0])

static inline struct freedom_conf conf_preset(void)
{
	return (struct freedom_conf){.dial_timeout_ms = 16000,
				     .keepalive_ms = 45000};
}

#endif
