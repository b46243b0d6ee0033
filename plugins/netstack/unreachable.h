/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unreachable.h - the word of others that a packet of ours did not arrive. */
#ifndef NETSTACK_UNREACHABLE_H
#define NETSTACK_UNREACHABLE_H

#include "stack.h"

/* An ICMP error that passed the gate. Borrows the packet. */
void unreachable_input(struct weir_link *link, const struct packet *p);

#endif
