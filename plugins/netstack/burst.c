/* SPDX-License-Identifier: GPL-2.0-or-later */
/* burst.c - what waits for the end of a burst of packets from a link.
 *
 * A burst may bring a connection many ACKs. Only when the last one was looked
 * at is it known what has arrived and what is lost, and how much may go out:
 * sent at once for all of them, it goes in longer trains. And what is sent in
 * the middle of a burst is measured wrongly: the rest of the burst, delivered
 * long before, would count as delivered after it, so that the path looks faster
 * than it is. The list is bounded; who finds it full does not wait. */
#include "burst.h"

#include "ack.h"
#include "conn.h"

bool burst_waits(struct conn *c)
{
	struct netstack *s = c->stack;

	if (!s->batch_us || s->burst_ends || !c->established)
		return false;
	if (c->burst_place)
		return true;
	if (s->burst_waiting == BURST_WAITING_MOST)
		return false;
	s->burst[s->burst_waiting++] = c;
	c->burst_place = s->burst_waiting;
	return true;
}

/* Data goes first: it takes the ACK along. */
void burst_done(struct netstack *s)
{
	s->burst_ends = true;
	for (uint8_t i = 0; i < s->burst_waiting; i++) {
		if (s->burst[i])
			conn_settle(s->burst[i]);
		if (s->burst[i])
			ack_flush(s->burst[i]);
		if (s->burst[i])
			burst_forget(s->burst[i]);
	}
	s->burst_waiting = 0;
	s->burst_ends = false;
}

void burst_forget(struct conn *c)
{
	if (c->burst_place)
		c->stack->burst[c->burst_place - 1] = NULL;
	c->burst_place = 0;
}
