/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow.h - flows of datagrams: one client endpoint, any number of peers. A
 * flow lives until the core closes it; a link's table knows it at most as
 * long. */
#ifndef NETSTACK_FLOW_H
#define NETSTACK_FLOW_H

#include "stack.h"

struct flow {
	struct node node; /* first; in link->flows while `link` is set */
	struct netstack *stack;
	struct weir_link *link; /* NULL: evicted or detached */
	struct weir_end *end;
	struct flow *newer, *older;
	uint64_t holder; /* of its client's address as it began */
	bool outward; /* opened by an outbound: the client is the link itself */
	uint8_t sequence[2]; /* of pings: of the last request */
	uint32_t mtu; /* of the narrowest path that was heard of (pmtu.c) */
};

/* A datagram or echo request that passed the gate. Takes the buffer. */
void flow_input(struct weir_link *link, const struct packet *p,
		struct weir_buffer *b);
/* The answer to an echo request of ours; any other is dropped. Takes the
 * buffer. */
void flow_echo_reply(struct weir_link *link, struct packet *p,
		     struct weir_buffer *b);
/* Whose packet does an ICMP error quote? NULL: nobody's. */
struct flow *flow_quoted(struct weir_link *link, const struct packet *p);
/* Client role: the core learns that the quoted packet did not arrive. */
void flow_lost(struct flow *f, const struct packet *p, int err);
/* Hand on what the batch has gathered. */
void flow_flush(struct weir_link *link);
/* A datagram goes back: the flow is in use. */
void flow_touch(struct flow *f);
void flow_close(void *f, int err);
void flow_evict(struct flow *f, int err, const char *why);
void flow_detach_all(struct weir_link *link);

/* Client role: a flow with a port, or an echo identifier, of the link's own
 * address. */
void flow_open(struct weir_link *link, struct weir_end *end,
	       const struct weir_addr *target, enum weir_net net);

/* The client's endpoint. */
struct weir_addr flow_client(const struct flow *f);

/* udp.c */
extern const struct weir_flow_ops udp_flow_ops;

#endif
