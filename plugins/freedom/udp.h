/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp.h - one UDP leg: up to one unconnected socket a family, so that every
 * peer sees one endpoint of ours and any peer may answer it.
 *
 * datagram.c owns the leg and receives, send.c sends, alias.c knows which peers
 * go by another address than the core's. */
#ifndef FREEDOM_UDP_H
#define FREEDOM_UDP_H

#include "freedom.h"

/* Bytes that all flows of an instance may hold for names that are looked up. */
#define HELD_TOTAL_MAX (4 << 20)
/* Peers of all flows of an instance whose names may be looked up at a time. */
#define NAMINGS_MAX 4096

struct udp_socket {
	struct udp *udp;
	struct udp_socket *next; /* in freedom.unread */
	struct weir_watch *watch;
	int fd;		/* -1: not needed so far, or lost */
	bool no_trains; /* its device cannot send them */
	bool queued;	/* is in freedom.unread */
};

struct alias;

struct udp {
	struct freedom *freedom;
	struct weir_end *end;
	struct udp_socket socket[FAMILIES];
	struct alias *aliases; /* the last used first; mostly none */
	unsigned alias_count;
};

/* ---- datagram.c */

/* The socket that reaches `to`, made at the first use; NULL with errno. */
struct udp_socket *udp_socket_get(struct udp *, const struct weir_addr *to);
/* Whether the socket for `to` was lost with its interface, and is gone now. */
bool udp_socket_drop_lost(struct udp *, const struct weir_addr *to);
/* Pass on the errors that the socket has queued. */
void udp_errors(struct udp_socket *);
/* `peer` (a real address) is not reachable: say so in the core's terms. */
void udp_unreachable(struct udp *, const struct weir_addr *peer, int err);

/* ---- send.c: weir_flow_ops.send */

int udp_send(void *self, const struct weir_datagram *v, int n);

/* ---- alias.c */

/* Where a datagram for `d->peer` really goes; NULL: it was taken care of (held
 * until the name is known, or dropped). Valid until the next call. */
const struct weir_addr *alias_route(struct udp *,
				    const struct weir_datagram *d);
/* The peer as the core knows it. */
const struct weir_addr *alias_shown(const struct udp *,
				    const struct weir_addr *real);
/* The same for a peer that something came from. */
const struct weir_addr *alias_heard(struct udp *, const struct weir_addr *real);
void alias_free_all(struct udp *);

#endif
