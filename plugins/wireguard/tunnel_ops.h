/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tunnel_ops.h - private to tunnel*.c: what the engine, the sockets and wg ask
 * of a tunnel. */
#ifndef WIREGUARD_TUNNEL_OPS_H
#define WIREGUARD_TUNNEL_OPS_H

#include "tunnel.h"
#include "uapi.h"

extern const struct wg_ops tunnel_engine_ops;
extern const struct wg_udp_ops tunnel_udp_ops;
extern const struct uapi_ops tunnel_uapi_ops;

/* The name under which a reason to drop is counted. */
const char *tunnel_drop_counter(int drop);
void tunnel_count(struct tunnel *);

int tunnel_wire_open(struct tunnel *); /* 0 or an errno */
void tunnel_wire_close(struct tunnel *);

#endif
