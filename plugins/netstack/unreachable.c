/* SPDX-License-Identifier: GPL-2.0-or-later */
/* unreachable.c - the word of others that a packet of ours did not arrive.
 *
 * It matters where the stack is the client, on an outbound's link: whoever
 * waits for a connection, sent a datagram or a ping, then learns at once, and
 * as the far side said it, that there will be no answer. Anybody can claim
 * that, so a SYN must be quoted with its own number (RFC 5927). A connection
 * that stands is not touched: such trouble may pass (RFC 1122, 4.2.3.9). */
#include "unreachable.h"

#include "conn.h"
#include "flow.h"

#include <errno.h>

/* What ICMP says, RFC 792 and 1122. */
static int errno4(const uint8_t *icmp)
{
	if (icmp[0] != ICMP4_UNREACHABLE)
		return EHOSTUNREACH; /* its hops were used up */
	switch (icmp[1]) {
	case 0:	 /* network */
	case 6:	 /* network unknown */
	case 11: /* network, for this type of service */
		return ENETUNREACH;
	case 2: /* protocol */
	case 3: /* port */
		return ECONNREFUSED;
	case 9:	 /* network prohibited */
	case 10: /* host prohibited */
	case 13: /* prohibited by a filter */
		return EACCES;
	default:
		return EHOSTUNREACH;
	}
}

/* What ICMPv6 says, RFC 4443. */
static int errno6(const uint8_t *icmp)
{
	if (icmp[0] != ICMP6_UNREACHABLE)
		return EHOSTUNREACH;
	switch (icmp[1]) {
	case 0: /* no route */
		return ENETUNREACH;
	case 1: /* prohibited by a filter */
	case 5: /* for this source */
	case 6: /* route to be refused */
		return EACCES;
	case 4: /* port */
		return ECONNREFUSED;
	default:
		return EHOSTUNREACH;
	}
}

static const char *text_of(int err)
{
	switch (err) {
	case ECONNREFUSED:
		return "refused by the far side";
	case EACCES:
		return "prohibited on the way";
	default:
		return "unreachable on the way";
	}
}

/* A SYN of ours: the connection ends before it began. */
static bool end_conn(struct weir_link *link, const struct packet *p, int err)
{
	struct conn *c;
	struct tuple key;

	packet_quoted_key(p, &key);
	c = (struct conn *)(void *)table_find(&link->conns, &link->stack->key,
					      &key);
	if (!c || c->phase != CONN_OPENING || !c->pcb || c->established ||
	    p->tcp_seq != c->pcb->lastack) /* the SYN's own, so far */
		return false;
	conn_fail(c, err, text_of(err));
	conn_drop(c, err, false);
	return true;
}

static bool tell_flow(struct weir_link *link, const struct packet *p, int err)
{
	struct flow *f = flow_quoted(link, p);

	if (!f || !f->outward)
		return false;
	flow_lost(f, p, err);
	return true;
}

void unreachable_input(struct weir_link *link, const struct packet *p)
{
	const uint8_t *icmp = p->data + p->l4;
	int err = p->key.v6 ? errno6(icmp) : errno4(icmp);
	bool told;

	if (p->quoted == IPPROTO_TCP)
		told = end_conn(link, p, err);
	else
		told = tell_flow(link, p, err);
	if (!told)
		stack_add(link->stack, COUNT_DROP + DROP_PROTOCOL, 1);
}
