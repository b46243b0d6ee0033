/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ack.c - acknowledgements that carry nothing else.
 *
 * Each is a packet for the link, and work for the client's kernel: it wakes the
 * sender, which costs as much as two trains take to read. All that came in one
 * burst is acknowledged by one ACK at its end, as it would be had it come as a
 * train; but a long burst lets the sender go on meanwhile, a new hole is told
 * of at once, and to a peer without SACK each segment beyond a hole is an ACK
 * to count.
 *
 * One that says no more than that a few first bytes or a FIN came waits a
 * little longer: nearly always there is an answer, or a FIN of ours, that takes
 * it along. The time is short because a sender may hold back what is less than
 * a packet until this is acknowledged (RFC 896). */
#include "ack.h"

#include "conn.h"

#include "lwip/priv/tcp_priv.h"

#define DELAYED_US 40000u
#define ANSWER_US 5000u
#define UNACKED_MOST (1u << 20)

uint32_t ack_delay_us(const struct conn *c)
{
	return ack_is_early(c) || c->rx_eof ? ANSWER_US : DELAYED_US;
}

bool ack_is_early(const struct conn *c)
{
	return c->rx_consumed < EARLY_SEGMENTS * c->recovery.mss;
}

static bool wanted(const struct conn *c)
{
	return c->pcb->flags & TF_ACK_NOW || reorder_untold(c);
}

bool ack_waits(struct conn *c)
{
	struct netstack *s = c->stack;

	if (!s->batch_us || !c->established ||
	    c->pcb->rcv_nxt - c->acked_to >= UNACKED_MOST || reorder_urgent(c))
		return false;
	if (c->ack_place)
		return true;
	if (s->acks_waiting == ACKS_WAITING_MOST)
		return false;
	s->acks[s->acks_waiting++] = c;
	c->ack_place = s->acks_waiting;
	return true;
}

static void ack_send(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;

	if (c->fin_came && pcb->state == CLOSE_WAIT && !reorder_untold(c)) {
		c->fin_came = false;
		tcp_clear_flags(pcb, TF_ACK_NOW);
		tcp_set_flags(pcb, TF_ACK_DELAY);
	} else {
		tcp_send_empty_ack(pcb);
	}
}

void ack_flush(struct netstack *s)
{
	for (uint8_t i = 0; i < s->acks_waiting; i++) {
		struct conn *c = s->acks[i];

		if (!c)
			continue;
		c->ack_place = 0;
		if (c->pcb && wanted(c)) {
			ack_send(c);
			conn_arm(c);
		}
	}
	s->acks_waiting = 0;
}

void ack_sent(struct conn *c)
{
	c->acked_to = c->pcb->rcv_nxt;
	c->fin_came = false;
}

void ack_forget(struct conn *c)
{
	if (c->ack_place)
		c->stack->acks[c->ack_place - 1] = NULL;
	c->ack_place = 0;
}
