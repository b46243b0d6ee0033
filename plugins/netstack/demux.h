/* SPDX-License-Identifier: GPL-2.0-or-later */
/* demux.h - the way in for TCP segments, for those who need not know lwIP. */
#ifndef NETSTACK_DEMUX_H
#define NETSTACK_DEMUX_H

#include "stack.h"

/* A segment that passed the gate. Takes the buffer. */
void demux_input(struct weir_link *link, struct packet *p,
		 struct weir_buffer *b);

#endif
