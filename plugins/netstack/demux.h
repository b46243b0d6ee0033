/* SPDX-License-Identifier: GPL-2.0-or-later */
/* demux.h - the way in for TCP segments, for those who need not know lwIP. */
#ifndef NETSTACK_DEMUX_H
#define NETSTACK_DEMUX_H

#include "stack.h"

/* Ask the cache for what demux_input will look at, one step after the other. */
void demux_fetch_chain(struct weir_link *link, struct packet *p);
void demux_fetch_node(struct weir_link *link, const struct packet *p);
void demux_fetch_conn(struct weir_link *link, const struct packet *p);

/* A segment that passed the gate and has its hash. Takes the buffer. */
void demux_input(struct weir_link *link, struct packet *p,
		 struct weir_buffer *b);

#endif
