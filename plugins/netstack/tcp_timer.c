/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp_timer.c - one wheel timer a connection, for whichever is due first:
 * retransmission, the end of a reorder window, the next paced segment, a
 * delayed ACK, or the slow work that is left to lwIP's tcp_slowtmr: persist
 * probes and keepalives. A connection that the core has closed gets a minute
 * from its last progress on to end by itself.
 *
 * tcp_slowtmr walks lists; it gets a list of one. What of it we do ourselves
 * is switched off around the call: its retransmission counter is pinned, and
 * of a closed connection it hears that there was progress just now. It skips a
 * pcb that carries the number of its present round, which nobody but lwIP
 * knows: where 0 turns out to be that number it is called again. */
#include "ack.h"
#include "conn.h"

#include "lwip/priv/tcp_priv.h"

#include <errno.h>

#define SLOW_US 500000u
#define KEEPALIVE_US 15000000u
#define ORPHAN_US 60000000u
#define TIME_WAIT_US 4000000u
#define TIME_WAIT_CROWDED_US 500000u

/* Of what lwIP has not sent, the byte that a probe carried and the peer took.
 * lwIP cuts a piece for a small window there, and must not cut at its end. */
static uint32_t taken_by_probe(const struct tcp_pcb *pcb)
{
	if (!pcb->unsent || !pcb->snd_wnd || !pcb->persist_backoff)
		return 0;
	return lwip_ntohl(pcb->unsent->tcphdr->seqno) + 1 == pcb->lastack;
}

static void slow_work(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;
	uint32_t taken = taken_by_probe(pcb);

	c->slow_at = 0;
	lwip_expose(c);
	tcp_ticks--;   /* tcp_slowtmr counts one more */
	if (c->closed) /* orphan_at is the deadline */
		pcb->tmr = tcp_ticks;
	pcb->last_timer = 0;
	pcb->rto = 0x7fff;
	pcb->nrtx = 0;
	if (pcb->rtime > 0)
		pcb->rtime = 0;
	pcb->polltmr = 0;
	c->error = ETIMEDOUT; /* if it gives up */
	pcb->snd_wnd += taken;
	tcp_slowtmr();
	if (c->pcb && pcb->last_timer == 0)
		tcp_slowtmr();
	lwip_hide();
	if (!c->pcb)
		return;
	pcb->snd_wnd -= taken;
	c->error = 0;
}

/* Which deadlines of the slow kind does this state ask for? */
static void arm_slow(struct conn *c, uint64_t now_us)
{
	/* The one byte of a probe may have been all there was. */
	if (!c->pcb->unsent || c->pcb->unacked)
		c->pcb->persist_backoff = 0;
	if (c->pcb->persist_backoff) {
		if (!c->slow_at || !conn_is_due(c->slow_at, now_us + SLOW_US))
			c->slow_at = conn_deadline(now_us + SLOW_US);
	} else if (c->link->keepalive && c->established) {
		if (!c->slow_at)
			c->slow_at = conn_deadline(now_us + KEEPALIVE_US);
	} else {
		c->slow_at = 0;
	}
	if (c->closed && !c->orphan_at)
		c->orphan_at = conn_deadline(now_us + ORPHAN_US);
}

/* The client may reopen the port sooner than that (demux.c); where very many
 * wait at once they make way for others. */
static void arm_time_wait(struct conn *c)
{
	struct netstack *s = c->stack;
	uint64_t wait_us = TIME_WAIT_US, at_us;

	if (c->time_wait)
		return;
	if (*s->count[COUNT_CONNECTIONS] >
	    (uint64_t)s->conf->max_connections / 2)
		wait_us = TIME_WAIT_CROWDED_US;
	c->time_wait = true;
	at_us = stack_now_us(s) + wait_us;
	c->orphan_at = conn_deadline(at_us);
	wheel_stop(&s->wheel, &c->timer);
	wheel_set(&s->wheel, &c->timer, at_us);
}

static void sooner(uint64_t *at_us, uint64_t other_us)
{
	if (other_us && (!*at_us || other_us < *at_us))
		*at_us = other_us;
}

static void sooner_still(uint64_t *at_us, uint32_t deadline, uint64_t now_us)
{
	if (deadline)
		sooner(at_us, conn_deadline_us(deadline, now_us));
}

void conn_arm(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;
	struct wheel *wheel = &c->stack->wheel;
	uint64_t at_us = 0, now_us;

	if (pcb->state == TIME_WAIT) {
		arm_time_wait(c);
		return;
	}
	now_us = stack_now_us(c->stack);
	if (!(pcb->flags & TF_ACK_DELAY))
		c->ack_at = 0;
	else if (!c->ack_at)
		c->ack_at = conn_deadline(now_us + ack_delay_us(c));
	arm_slow(c, now_us);
	sooner(&at_us, c->recovery.reorder_at_us);
	sooner(&at_us, c->pace_at);
	sooner_still(&at_us, c->retransmit_at, now_us);
	sooner_still(&at_us, c->ack_at, now_us);
	sooner_still(&at_us, c->slow_at, now_us);
	sooner_still(&at_us, c->orphan_at, now_us);
	if (at_us)
		wheel_set(wheel, &c->timer, at_us);
	else
		wheel_stop(wheel, &c->timer);
}

static void open_fire(struct conn *c, uint64_t now_us)
{
	struct tcp_pcb *pcb = c->pcb;

	if (conn_is_due(c->orphan_at, now_us)) {
		if (pcb->state == TIME_WAIT)
			tcp_free(pcb);
		else
			conn_abort(c);
		conn_settle(c);
		return;
	}
	if (conn_is_due(c->ack_at, now_us)) {
		c->ack_at = 0;
		if (pcb->flags & TF_ACK_DELAY) {
			tcp_clear_flags(pcb, TF_ACK_DELAY);
			tcp_ack_now(pcb);
			tcp_output(pcb);
		}
	}
	if (conn_is_due(c->retransmit_at, now_us))
		recovery_timeout(c);
	if (c->pcb && c->recovery.reorder_at_us &&
	    now_us >= c->recovery.reorder_at_us)
		recovery_late(c);
	if (c->pcb && conn_is_due(c->slow_at, now_us))
		slow_work(c);
	conn_settle(c);
}

static void fire(struct wheel_timer *t, uint64_t now_us)
{
	struct conn *c = (struct conn *)(void *)((char *)t -
						 offsetof(struct conn, timer));

	if (c->phase == CONN_MUTED)
		conn_free(c);
	else if (c->phase == CONN_HELD)
		conn_fail(c, ETIMEDOUT, "no answer while opening");
	else if (c->pcb)
		open_fire(c, now_us);
}

void tcp_timer_init(struct netstack *s)
{
	s->wheel.fire[WHEEL_CONN] = fire;
}
