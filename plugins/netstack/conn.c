/* SPDX-License-Identifier: GPL-2.0-or-later */
/* conn.c - the life of a connection between lwIP's pcb and the core's end.
 *
 * Either side may let go first. lwIP frees a pcb at many places; the destroy
 * callback of an extension argument is called at each of them and is the only
 * one to be relied on. Inside lwIP nothing is freed or sent on: callbacks take
 * notes, and conn_settle(), called after every call into lwIP, draws the
 * conclusions. */
#include "conn.h"

#include "burst.h"
#include "icmp.h"
#include "port.h"

#include "lwip/priv/tcp_priv.h"

#include <errno.h>
#include <stdlib.h>

#define TIMESTAMP_OPTION 12u
#define WIRE_MSS_LEAST 88u
#define TRAIN_MOST 65400u /* payload: IP and TCP headers fit beside it */
#define KEEP_IDLE_MS 60000u
#define KEEP_INTERVAL_MS 15000u
#define KEEP_COUNT 4u

struct conn *conn_new(struct weir_link *link, const struct tuple *key)
{
	struct conn *c = calloc(1, sizeof *c);

	if (!c)
		return NULL;
	c->stack = link->stack;
	c->link = link;
	c->timer.fire = tcp_timer_fire;
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
	stack_add(c->stack, COUNT_CONNECTIONS, UINT64_MAX);
	free(c);
}

static void on_destroyed(u8_t id, void *data)
{
	struct conn *c = data;

	(void)id;
	if (c)
		c->pcb = NULL;
}

static void on_error(void *arg, err_t err)
{
	struct conn *c = arg;

	if (err == ERR_RST)
		c->error = c->phase == CONN_OPENING ? ECONNREFUSED : ECONNRESET;
	else if (err == ERR_CLSD)
		c->error = 0;
	else if (!c->error)
		c->error = ECONNABORTED;
}

static const struct tcp_ext_arg_callbacks pcb_callbacks = {
	.destroy = on_destroyed,
};

void conn_adopt(struct conn *c, struct tcp_pcb *pcb)
{
	c->pcb = pcb;
	tcp_ext_arg_set_callbacks(pcb, 0, &pcb_callbacks);
	tcp_ext_arg_set(pcb, 0, c);
	tcp_arg(pcb, c);
	tcp_recv(pcb, receive_pbuf);
	tcp_sent(pcb, send_acked);
	tcp_err(pcb, on_error);
	tcp_nagle_disable(pcb);
	if (c->link->keepalive) {
		ip_set_option(pcb, SOF_KEEPALIVE);
		pcb->keep_idle = KEEP_IDLE_MS;
		pcb->keep_intvl = KEEP_INTERVAL_MS;
		pcb->keep_cnt = KEEP_COUNT;
	}
}

/* The payload of a packet on the wire; lwIP's mss counts options in. */
static uint32_t wire_mss(const struct conn *c)
{
	uint32_t headers =
		(c->node.key.v6 ? IP6_HEADER : IP4_HEADER) + TCP_HEADER;
	uint32_t mss = c->link->mtu - headers;

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

void conn_established(struct conn *c)
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

static const char *error_text(int err)
{
	switch (err) {
	case ECONNRESET:
		return "reset by the client";
	case ETIMEDOUT:
		return "the client does not answer";
	case ENETDOWN:
		return "the link is gone";
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
	if (opening && !c->error)
		c->error = ECONNABORTED;
	if (c->error)
		conn_fail(c, c->error, error_text(c->error));
	if (c->closed || opening)
		conn_free(c);
}

void conn_settle(struct conn *c)
{
	if (c->pcb && !c->established && c->pcb->state >= ESTABLISHED)
		conn_established(c);
	if (c->pcb && !burst_waits(c)) {
		send_wake(c);
		send_pump(c);
	}
	if (!c->pcb)
		conn_ended(c);
}

void conn_abort(struct conn *c)
{
	lwip_expose(c);
	tcp_abort(c->pcb);
	lwip_hide();
}

void conn_release(struct conn *c)
{
	receive_free(c);
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
	conn_fail(c, err, error_text(err));
}

void conn_detach(struct conn *c)
{
	if (c->pcb) {
		c->error = ENETDOWN;
		if (c->pcb->state == TIME_WAIT)
			tcp_free(c->pcb);
		else
			conn_abort(c);
		conn_ended(c);
	} else if (c->phase == CONN_MUTED) {
		conn_free(c);
	} else {
		conn_cancel(c, ENETDOWN);
	}
}
