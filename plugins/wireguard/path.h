/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path.h - the kernel's way to an endpoint, asked for; nothing is sent. */
#ifndef WIREGUARD_PATH_H
#define WIREGUARD_PATH_H

#include "tunnel.h"

/* Is there a route to `to`? Where `to` names an address of ours, from that one,
 * and by the interface that the peer was heard on. */
bool path_leads(struct tunnel *, const struct wg_endpoint *to);

#endif
