/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inbound.h - what the files of this plugin share. */
#ifndef INBOUND_WIREGUARD_INBOUND_H
#define INBOUND_WIREGUARD_INBOUND_H

#include <weir/plugin.h>

#include "tunnel.h"

#define PORT_PRESET 51820 /* where users expect a server */

struct inbound_conf {
	struct wg_options wg;
	struct weir_addr listen; /* kind NONE: not given */
	bool allow_private;
};

/* ---- options.c */

extern const struct weir_schema inbound_schema;

/* ---- private.c: addresses that are not of the public internet */

bool address_is_private(bool v6, const uint8_t *ip);

#endif
