/* SPDX-License-Identifier: GPL-2.0-or-later */
/* input.h - packets that passed the gate, on to the rooms they belong to. */
#ifndef NETSTACK_INPUT_H
#define NETSTACK_INPUT_H

#include "packet.h"

struct weir_link;

/* A batch as the link has it: through the gate first. */
void link_input(struct weir_link *link, const struct weir_ingress *v, int n);

/* `n` packets, each in its buffer, which is taken. Few at a time: they are
 * looked up together. A packet without data is no packet. */
void input_packets(struct weir_link *link, struct packet *p,
		   struct weir_buffer *const *buffers, int n);

#endif
