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

#include "burst.h"
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
	return c->pcb->rcv_nxt - c->acked_to < UNACKED_MOST &&
	       !reorder_urgent(c) && burst_waits(c);
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

void ack_flush(struct conn *c)
{
	if (!c->pcb || !wanted(c))
		return;
	ack_send(c);
	conn_arm(c);
}

void ack_sent(struct conn *c)
{
	c->acked_to = c->pcb->rcv_nxt;
	c->fin_came = false;
}
