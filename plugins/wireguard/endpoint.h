/* SPDX-License-Identifier: GPL-2.0-or-later */
/* endpoint.h - endpoints that are names: looked up when a handshake wants
 * one, and anew when it gets no answer. */
#ifndef WIREGUARD_ENDPOINT_H
#define WIREGUARD_ENDPOINT_H

#include "tunnel.h"

struct endpoints;

struct endpoints *endpoints_new(struct tunnel *); /* NULL: no memory */
void endpoints_free(struct endpoints *);	  /* NULL is fine */
/* Ask no more. */
void endpoints_forget(struct endpoints *);

/* A handshake with this peer begins, or is tried `again`. A peer whose endpoint
 * is an address, or that weir's user did not name, is left as it is. */
void endpoint_wanted(struct endpoints *, struct wg_peer *, bool again);
/* The network has changed: look whether the name still means where the peer is.
 * If not, a handshake begins: there, or, if the way to the peer `stays`, where
 * the peer is, and there when that gets no answer. */
void endpoint_refresh(struct endpoints *, struct wg_peer *, bool stays);
/* The peer goes. */
void endpoint_forget(struct endpoints *, struct wg_peer *);

#endif
