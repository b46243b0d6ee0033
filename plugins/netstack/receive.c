/* SPDX-License-Identifier: GPL-2.0-or-later */
/* receive.c - bytes from the client, and the window that invites more.
 *
 * Payload stays in the buffers it came in until the core has consumed it; then
 * the window reopens by as much. It begins at 256 KB and grows up to 16 MB by
 * what is consumed in a round trip: twice that where the rate is steady, and up
 * to six times where it doubles each round trip as in slow start, because what
 * is announced now is what the sender may have on its way one and a half round
 * trips from now. As memory gets short a window is no more than the
 * connection's share of it, down to 4 KB; what was announced stays valid. An
 * update is sent once a quarter of the window can be added to what the client
 * knows of, so one always comes before it runs dry; of a short window once it
 * is a segment, or half the window if that is less (RFC 9293, 3.8.6.2.2). */
#include "ack.h"
#include "buffer.h"
#include "conn.h"
#include "memory.h"

#include "lwip/priv/tcp_priv.h"

#define WINDOW_FIRST (256u * 1024)
#define WINDOW_MOST TCP_WND
#define UPDATE_MOST (256u * 1024)
#define STEADY_FACTOR 2u
#define GROWTH_FACTOR 4u /* more, where the rate doubled */

/* The window by the rate of the sender, and by what memory is left. */
static uint32_t window_due(const struct conn *c)
{
	uint32_t share = memory_share(c->stack);

	return c->rx_window < share ? c->rx_window : share;
}

void receive_init(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;

	c->rx_window = pcb->flags & TF_WND_SCALE ? WINDOW_FIRST : UINT16_MAX;
	/* lwIP books an edge of 16 MB, but no SYN carries more than 16 bits. */
	pcb->rcv_wnd = pcb->rcv_ann_wnd = window_due(c);
	pcb->rcv_ann_right_edge =
		pcb->rcv_nxt +
		(pcb->rcv_wnd < UINT16_MAX ? pcb->rcv_wnd : UINT16_MAX);
	c->acked_to = pcb->rcv_nxt;
}

void receive_free(struct conn *c)
{
	while (c->rx) {
		struct pbuf *p = c->rx;

		c->rx = p->next;
		p->next = NULL;
		p->tot_len = p->len;
		pbuf_free(p);
	}
	c->rx_tail = NULL;
	c->rx_unread = 0;
}

static void tell_readable(struct conn *c)
{
	if (!c->starved || c->closed)
		return;
	c->starved = false;
	c->stack->host->notify(c->end, WEIR_READABLE);
}

/* Has a round trip passed since the mark? Where its time is not known a whole
 * window tells: the sender has heard of it. */
static bool round_is_over(const struct conn *c, uint64_t now_us)
{
	uint32_t rtt_us = c->rx_rtt_us ? c->rx_rtt_us : c->recovery.srtt_us;

	if (!rtt_us)
		return c->rx_consumed - c->rx_mark >= c->rx_window;
	return (uint32_t)now_us - c->rx_mark_us >= rtt_us;
}

/* The window for a sender of whom `got` bytes were consumed in a round trip
 * and `before` in the one before. */
static uint32_t window_for_rate(uint32_t got, uint32_t before, uint32_t most)
{
	uint64_t window = (uint64_t)STEADY_FACTOR * got;

	if (before && got > before) {
		uint32_t more = got - before < before ? got - before : before;

		window += (uint64_t)GROWTH_FACTOR * got * more / before;
	}
	return window < most ? (uint32_t)window : most;
}

/* Grow the window where the reader keeps up with it. */
static void window_grow(struct conn *c)
{
	uint64_t now_us = stack_now_us(c->stack);
	uint32_t grown, got = c->rx_consumed - c->rx_mark;

	if (!round_is_over(c, now_us))
		return;
	grown = window_for_rate(got, c->rx_round,
				c->pcb->flags & TF_WND_SCALE ? WINDOW_MOST
							     : UINT16_MAX);
	c->rx_mark_us = (uint32_t)now_us;
	c->rx_mark = c->rx_consumed;
	c->rx_round = got;
	if (grown > c->rx_window)
		c->rx_window = grown;
}

static uint32_t least_update(const struct conn *c, uint32_t due)
{
	uint32_t mss = c->recovery.mss;
	uint32_t least = mss < due / 2 ? mss : due / 2;
	uint32_t quarter = due / 4 < UPDATE_MOST ? due / 4 : UPDATE_MOST;

	return quarter > least ? quarter : least;
}

/* `n` bytes are done with: open the window, tell the client in time. */
static void window_open(struct conn *c, uint32_t n)
{
	struct tcp_pcb *pcb = c->pcb;
	uint32_t due, gain;

	c->rx_consumed += n;
	window_grow(c);
	due = window_due(c);
	if (due > c->rx_unread && due - c->rx_unread > pcb->rcv_wnd)
		pcb->rcv_wnd = due - c->rx_unread;
	gain = pcb->rcv_nxt + pcb->rcv_wnd - pcb->rcv_ann_right_edge;
	if ((int32_t)gain <= 0 || gain < least_update(c, due))
		return;
	pcb->rcv_ann_wnd = pcb->rcv_wnd;
	if (pcb->flags & TF_ACK_DELAY && ack_is_early(c))
		return; /* soon enough for what the SYN-ACK let it send */
	tcp_ack_now(pcb);
	tcp_output(pcb);
}

static bool window_matters(const struct conn *c)
{
	return c->pcb && c->pcb->state != TIME_WAIT && !c->rx_eof;
}

void receive_chain(struct conn *c, struct pbuf *first, struct pbuf *last,
		   uint32_t len)
{
	if (c->rx)
		c->rx_tail->next = first;
	else
		c->rx = first;
	c->rx_tail = last;
	c->rx_unread += len;
	if (!c->closed) {
		tell_readable(c);
		return;
	}
	receive_free(c);
	window_open(c, len);
}

void receive_pbuf(struct conn *c, struct pbuf *p)
{
	if (!p) {
		/* One that fills a hole is acknowledged at once. */
		c->fin_came = !c->reorder;
		c->rx_eof = true;
		reorder_free(c);
		tell_readable(c);
		return;
	}
	receive_chain(c, p, p, p->tot_len);
	if (c->reorder && c->pcb->state < CLOSE_WAIT)
		reorder_join(c);
}

int receive_peek(struct conn *c, struct iovec *view, struct weir_loan **loan,
		 int max)
{
	int n = 0;

	for (struct pbuf *p = c->rx; p && n < max; p = p->next) {
		if (!p->len)
			continue;
		view[n].iov_base = p->payload;
		view[n].iov_len = p->len;
		if (loan)
			loan[n] = buffer_loan(p);
		n++;
	}
	if (n || !max)
		return n;
	if (c->rx_eof)
		return WEIR_PEEK_EOF;
	c->starved = true;
	return 0;
}

void receive_consume(struct conn *c, size_t n)
{
	size_t left = n;

	c->rx_unread -= (uint32_t)n;
	while (c->rx && left >= c->rx->len) {
		struct pbuf *p = c->rx;

		left -= p->len;
		c->rx = p->next;
		p->next = NULL;
		p->tot_len = p->len;
		pbuf_free(p);
	}
	if (!c->rx)
		c->rx_tail = NULL;
	else if (left) {
		c->rx->payload = (char *)c->rx->payload + left;
		c->rx->len = (u16_t)(c->rx->len - left);
	}
	if (window_matters(c))
		window_open(c, (uint32_t)n);
}

/* A client whose window is closed cannot send, and so would not learn of the
 * close until it times out. Open the window: what it then sends is answered
 * with a reset. */
void receive_discard(struct conn *c)
{
	const struct tcp_pcb *pcb = c->pcb;

	if (pcb && pcb->rcv_ann_right_edge - pcb->rcv_nxt < c->link->mtu)
		receive_consume(c, c->rx_unread);
	else
		receive_free(c);
}
