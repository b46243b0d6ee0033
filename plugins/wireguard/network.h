/* SPDX-License-Identifier: GPL-2.0-or-later */
/* network.h - notices that this machine's way to the peers has changed. */
#ifndef WIREGUARD_NETWORK_H
#define WIREGUARD_NETWORK_H

#include "tunnel.h"

struct network;

struct network *network_new(struct tunnel *); /* NULL: no memory */
void network_free(struct network *);	      /* NULL is fine */

/* Watch from now on, or as soon as it can be; calls tunnel_refresh, at most
 * every few seconds. */
void network_watch(struct network *);
void network_unwatch(struct network *); /* NULL is fine */

/* Sending failed for a reason that a new socket mends. */
void network_trouble(struct network *);

#endif
