/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn.c - the life of a connection between lwIP's pcb and the core's end.
 *
 * Either side may let go first. lwIP frees a pcb at many places, and says so
 * from all of them through hook_pcb_freed() only. Inside lwIP nothing is freed
 * or sent on: what it calls takes notes, and conn_settle(), called after every
 * call into lwIP, draws the conclusions. */
#include "conn.h"

#include "burst.h"
#include "flight.h"
#include "holder.h"
#include "icmp.h"
#include "narrow.h"
#include "port.h"

#include "lwip/hooks.h"
#include "lwip/priv/tcp_priv.h"

#include <errno.h>
#include <stdlib.h>

#define TRAIN_MOST 65400u /* payload: IP and TCP headers fit beside it */

struct conn *conn_new(struct weir_link *link, const struct tuple *key)
{
	struct conn *c = calloc(1, conn_size(link));

	if (!c)
		return NULL;
	c->stack = link->stack;
	c->link = link;
	c->timer.user = WHEEL_CONN;
	c->starved = true;
	c->hashed = true;
	table_insert(&link->conns, &link->stack->key, key, &c->node);
	stack_add(c->stack, COUNT_CONNECTIONS, 1);
	return c;
}

static void conn_unlink(struct conn *c)
{
	wheel_stop(&c->stack->wheel, &c->timer);
	burst_forget(c);
	accept_done(c);
	if (c->hashed)
		table_remove(&c->link->conns, &c->node);
	c->hashed = false;
	c->link = NULL;
}

void conn_free(struct conn *c)
{
	conn_unlink(c);
	receive_free(c);
	reorder_free(c);
	send_free(c);
	flight_free(&c->recovery);
	stack_add(c->stack, COUNT_CONNECTIONS, UINT64_MAX);
	free(c);
}

void hook_pcb_freed(const void *pcb)
{
	struct conn *c = conn_of(pcb);

	if (c)
		c->pcb = NULL;
}

/* Why the pcb goes. lwIP gives no reason for one whose handshake was never
 * completed; see conn_ended. */
static void note_error(struct conn *c, err_t err)
{
	if (err == ERR_RST)
		c->error = c->phase == CONN_OPENING ? ECONNREFUSED : ECONNRESET;
	else if (err == ERR_CLSD)
		c->error = 0;
	else if (!c->error)
		c->error = ECONNABORTED;
}

err_t lwip_tcp_event(void *arg, struct tcp_pcb *pcb, enum lwip_event event,
		     struct pbuf *p, u16_t size, err_t err)
{
	(void)pcb;
	switch (event) {
	case LWIP_EVENT_RECV:
		receive_pbuf(arg, p);
		return ERR_OK;
	case LWIP_EVENT_SENT:
		send_acked(arg, size);
		return ERR_OK;
	case LWIP_EVENT_ERR:
		if (arg) /* NULL: no memory to answer a SYN */
			note_error(arg, err);
		return ERR_OK;
	default: /* conn_settle finds out */
		return err;
	}
}

void conn_adopt(struct conn *c, struct tcp_pcb *pcb)
{
	c->pcb = pcb;
	tcp_arg(pcb, c);
	tcp_nagle_disable(pcb);
	if (c->link->keepalive)
		ip_set_option(pcb, SOF_KEEPALIVE);
}

/* The payload of a packet on the wire; lwIP's mss counts options in. */
static uint32_t wire_mss(const struct conn *c)
{
	uint32_t headers =
		(c->node.key.v6 ? IP6_HEADER : IP4_HEADER) + TCP_HEADER;
	uint32_t mss = narrow_mtu(c->link, &c->node.key) - headers;

	if (c->pcb->mss < mss)
		mss = c->pcb->mss;
	if (mss < WIRE_MSS_LEAST)
		mss = WIRE_MSS_LEAST;
	return mss - (c->pcb->flags & TF_TIMESTAMP ? TIMESTAMP_OPTION : 0);
}

uint32_t conn_train(const struct conn *c, uint32_t mss)
{
	if (mss < TRAIN_MOST && c->link->offloads & WEIR_LINK_TSO)
		return TRAIN_MOST / mss * mss;
	return mss;
}

/* The handshake is complete. */
static void conn_established(struct conn *c)
{
	uint32_t mss = wire_mss(c), train = conn_train(c, mss);

	accept_done(c);
	c->established = true;
	c->options_len = c->pcb->flags & TF_TIMESTAMP ? TIMESTAMP_OPTION : 0;
	c->pcb->mss = (u16_t)(train + c->options_len);
	recovery_init(c, mss, train);
	stack_add(c->stack, COUNT_CONNECTIONS_TOTAL, 1);
	if (c->phase == CONN_OPENING)
		connect_ready(c);
}

static const char *error_text(const struct conn *c, int err)
{
	switch (err) {
	case ECONNREFUSED:
		return "refused by the far side";
	case ECONNRESET:
		return c->outward ? "reset by the far side"
				  : "reset by the client";
	case ETIMEDOUT:
		return c->outward ? "the far side does not answer"
				  : "the client does not answer";
	case ENETDOWN:
		return "the link is gone";
	case EADDRNOTAVAIL:
		return ADDRESS_PASSED_ON;
	default:
		return "connection aborted";
	}
}

void conn_fail(struct conn *c, int err, const char *why)
{
	if (c->told || c->closed)
		return;
	c->told = true;
	c->stack->host->fail(c->end, err, why);
}

/* The pcb is gone. What was received can still be read. */
static void conn_ended(struct conn *c)
{
	bool opening = c->phase == CONN_OPENING;

	c->phase = CONN_OPEN;
	conn_unlink(c);
	reorder_free(c);
	send_free(c);
	flight_free(&c->recovery);
	if (!c->established && !c->error)
		c->error = opening ? ECONNABORTED : ECONNRESET;
	if (c->error)
		conn_fail(c, c->error, error_text(c, c->error));
	if (c->closed || opening)
		conn_free(c);
}

/* A reset waits until the peer has all that came before it, or has no room for
 * it. */
static bool reset_is_due(const struct conn *c)
{
	return c->resets && c->pcb && (!c->tx || c->pcb->persist_backoff);
}

void conn_settle(struct conn *c)
{
	if (c->pcb && !c->established && c->pcb->state >= ESTABLISHED)
		conn_established(c);
	if (c->pcb && !burst_waits(c)) {
		send_wake(c);
		send_pump(c);
	}
	if (reset_is_due(c))
		conn_abort(c);
	if (!c->pcb)
		conn_ended(c);
}

/* lwIP frees what is in flight; a delayed ACK must not be sent after that. */
static void pcb_abandon(struct conn *c, bool say)
{
	tcp_clear_flags(c->pcb, TF_ACK_DELAY);
	lwip_expose(c);
	tcp_abandon(c->pcb, say);
	lwip_hide();
}

void conn_abort(struct conn *c)
{
	pcb_abandon(c, true);
}

void conn_release(struct conn *c)
{
	receive_discard(c);
	if (!c->pcb) {
		conn_free(c);
		return;
	}
	if (c->pcb->state == TIME_WAIT)
		return;
	c->finishing = true;
	conn_settle(c);
}

void conn_cancel(struct conn *c, int err)
{
	conn_unlink(c);
	c->phase = CONN_OPEN;
	conn_fail(c, err, error_text(c, err));
}

void conn_drop(struct conn *c, int err, bool say)
{
	if (c->pcb) {
		c->error = (uint8_t)err;
		if (c->pcb->state == TIME_WAIT)
			tcp_free(c->pcb);
		else
			pcb_abandon(c, say);
		conn_ended(c);
	} else if (c->phase == CONN_MUTED) {
		conn_free(c);
	} else {
		conn_cancel(c, err);
	}
}
