/* SPDX-License-Identifier: GPL-2.0-or-later */
/* icmp.h - echo sessions and errors. */
#ifndef NETSTACK_ICMP_H
#define NETSTACK_ICMP_H

#include "stack.h"

/* Answer a ping to the link itself. Borrows the packet. */
void icmp_answer(struct weir_link *link, const struct packet *p);

struct flow;

/* Remember this request as the flow's last: errors quote it. */
void icmp_asked(struct flow *f, const struct packet *p);

/* Tell the sender of the packet that begins with these bytes (IP header and at
 * least 8 more) that it could not be delivered. Errors without a counterpart
 * in ICMP say nothing. */
void icmp_unreachable(struct weir_link *link, const uint8_t *packet,
		      uint32_t len, int err);

extern const struct weir_flow_ops icmp_flow_ops;

#endif
