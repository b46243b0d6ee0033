/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pmtu.h - how large a packet a path takes. */
#ifndef NETSTACK_PMTU_H
#define NETSTACK_PMTU_H

#include "conn.h"

/* A router's word that a packet of ours was too big. Borrows the packet. */
void pmtu_input(struct weir_link *link, const struct packet *p);

/* The retransmission timer is about to count all in flight as lost. */
void pmtu_timeout(struct conn *c);

void pmtu_progress(struct conn *c);

/* An ACK acknowledged something. */
static inline void pmtu_acked(struct conn *c)
{
	if (c->pmtu.timeouts || c->pmtu.before || c->pmtu.gave_up)
		pmtu_progress(c);
}

#endif
