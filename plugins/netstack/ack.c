/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ack.c - acknowledgements that carry nothing else.
 *
 * Each is a packet for the link, and work for the client's kernel. While a
 * batch from a link is worked on they are only noted: at its end there is one
 * for each connection, whatever number of segments it got. One that says no
 * more than that a few first bytes or a FIN came waits a little longer: nearly
 * always there is an answer, or a FIN of ours, that takes it along. The
 * time is short because a sender may hold back what is less than a packet until
 * this is acknowledged (RFC 896). */
#include "ack.h"

#include "conn.h"

#include "lwip/priv/tcp_priv.h"

#define DELAYED_US 40000u
#define ANSWER_US 5000u

uint32_t ack_delay_us(const struct conn *c)
{
	return ack_is_early(c) || c->rx_eof ? ANSWER_US : DELAYED_US;
}

bool ack_is_early(const struct conn *c)
{
	return c->rx_consumed < EARLY_SEGMENTS * c->recovery.mss;
}

void ack_later(struct conn *c)
{
	struct netstack *s = c->stack;

	if (c->ack_noted)
		return;
	if (s->acks_noted == ACKS_NOTED)
		ack_flush(s);
	s->acks[s->acks_noted++] = c;
	c->ack_noted = true;
}

void ack_forget(struct conn *c)
{
	struct netstack *s = c->stack;
	uint32_t i = 0;

	if (!c->ack_noted)
		return;
	while (s->acks[i] != c)
		i++;
	s->acks[i] = s->acks[--s->acks_noted];
	c->ack_noted = false;
}

static void ack_send(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;

	if (c->fin_came && pcb->state == CLOSE_WAIT) {
		tcp_clear_flags(pcb, TF_ACK_NOW);
		tcp_set_flags(pcb, TF_ACK_DELAY);
	} else {
		tcp_send_empty_ack(pcb);
	}
}

void ack_flush(struct netstack *s)
{
	while (s->acks_noted) {
		struct conn *c = s->acks[--s->acks_noted];

		c->ack_noted = false;
		if (c->pcb && c->pcb->flags & TF_ACK_NOW) {
			ack_send(c);
			conn_arm(c);
		}
		c->fin_came = false;
	}
}
