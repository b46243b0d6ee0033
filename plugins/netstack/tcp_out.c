/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp_out.c - lwIP's TCP output with our own tcp_output().
 *
 * This unit includes lwIP's source file with its tcp_output renamed, so that
 * the function that builds a segment, static there, is in reach, while every
 * caller in lwIP gets the one below. It differs from lwIP's in five ways: the
 * end of the list of unacknowledged segments is known instead of walked to,
 * retransmission goes by what recovery.c marked as lost, and how much may be in
 * flight the congestion control says. An ACK tells of what reorder.c keeps; one
 * that lwIP wants while it works on a segment goes out when that is done. Nor
 * may lwIP take a segment back from that list to send it once more, as it does
 * with a SYN: the scoreboard holds it. lwIP's own probes lack the timestamps
 * that were agreed on, and a peer may drop what comes without them (RFC 7323,
 * 3.2). Timestamps are all that it asks sys_now() for. */
#include "port.h"

#define tcp_output tcp_output_stock
#define tcp_send_empty_ack tcp_send_empty_ack_stock
#define tcp_rexmit tcp_rexmit_stock
#define tcp_keepalive tcp_keepalive_stock
#define tcp_zero_window_probe tcp_zero_window_probe_stock
#define sys_now port_stamp_now
#include "core/tcp_out.c"
#undef sys_now
#undef tcp_output
#undef tcp_send_empty_ack
#undef tcp_rexmit
#undef tcp_keepalive
#undef tcp_zero_window_probe

#include "ack.h"
#include "burst.h"
#include "scoreboard.h"

err_t tcp_output(struct tcp_pcb *pcb);
err_t tcp_rexmit(struct tcp_pcb *pcb);
err_t tcp_send_empty_ack(struct tcp_pcb *pcb);
err_t tcp_keepalive(struct tcp_pcb *pcb);
err_t tcp_zero_window_probe(struct tcp_pcb *pcb);

err_t tcp_send_empty_ack(struct tcp_pcb *pcb)
{
	struct conn *c = conn_of(pcb);
	err_t err;

	if (!c)
		return tcp_send_empty_ack_stock(pcb);
	if (tcp_input_pcb == pcb) {
		tcp_ack_now(pcb);
		return ERR_OK;
	}
	reorder_tell(c);
	c->link->add_ece = c->ecn.echo;
	err = tcp_send_empty_ack_stock(pcb);
	c->link->add_ece = false;
	reorder_told(c);
	ack_sent(c);
	return err;
}

static bool segment_send(struct conn *c, struct tcp_seg *seg,
			 struct netif *netif)
{
	struct tcp_pcb *pcb = c->pcb;
	err_t err;

	if (pcb->state != SYN_SENT)
		TCPH_SET_FLAG(seg->tcphdr, TCP_ACK);
	if (tcp_output_segment_busy(seg))
		return false;
	c->link->gso_size =
		seg->len > c->recovery.mss ? (uint16_t)c->recovery.mss : 0;
	if (c->ecn.on && pcb->state > SYN_RCVD)
		ecn_mark(c, seg);
	err = tcp_output_segment(seg, pcb, netif);
	c->link->gso_size = 0;
	pcb->tos = ECN_NONE;
	if (err != ERR_OK)
		return false;
	if (c->ecn.tell)
		ecn_marked(c, seg);
	recovery_sent(c, seg);
	ack_sent(c);
	if (pcb->state != SYN_SENT)
		tcp_clear_flags(pcb, TF_ACK_DELAY | TF_ACK_NOW);
	return true;
}

/* Is it too early for the next one? Then a timer comes back for it. */
static bool pace_blocks(struct conn *c)
{
	const struct recovery *r = &c->recovery;

	if (!r->cc.pacing_rate)
		return false;
	c->pace_at =
		pace_wait(&r->pace, r->cc.pacing_rate, stack_now_us(c->stack));
	return c->pace_at;
}

/* Send again what is lost, as far as the window for it goes. `force` lets one
 * through whatever the window says: the first of an episode. */
static bool send_lost(struct conn *c, struct netif *netif)
{
	struct recovery *r = &c->recovery;
	struct tcp_seg *s = scoreboard_first_waiting(r);
	bool sent = false;

	for (; s && r->lost; s = scoreboard_next_waiting(r, s)) {
		uint32_t pipe = recovery_pipe(c);

		if (!r->force &&
		    ((pipe && pipe + s->len > r->cc.cwnd) || pace_blocks(c)))
			break;
		r->force = false;
		if (!segment_send(c, s, netif))
			break;
		scoreboard_resent(r, s);
		r->resent += s->len;
		if (!r->after_timeout) {
			r->resent_end = c->pcb->snd_nxt;
			r->in_doubt = true;
		}
		if (s->len > r->mss) /* most of it will come twice */
			r->dsack_round = c->pcb->snd_nxt;
		sent = true;
		stack_add(c->stack, COUNT_RETRANSMITS, 1);
	}
	return sent;
}

/* May the first unsent segment go? A window too small for it starts lwIP's
 * persist timer, or nothing would ever ask whether it has opened. One that is
 * large enough stops it: lwIP would cut the segment to the window's low 16
 * bits. Of a probe's byte nothing is known to be in flight. */
static bool may_send(struct conn *c, const struct tcp_seg *seg)
{
	struct tcp_pcb *pcb = c->pcb;
	uint32_t begin = lwip_ntohl(seg->tcphdr->seqno);
	const struct recovery *r = &c->recovery;

	if (begin - pcb->lastack + seg->len > pcb->snd_wnd) {
		if (!pcb->unacked && !pcb->persist_backoff) {
			pcb->persist_cnt = 0;
			pcb->persist_backoff = 1;
			pcb->persist_probe = 0;
		}
		return false;
	}
	pcb->persist_backoff = 0;
	if (!seg->len)
		return true;
	if (pcb->unacked && recovery_pipe(c) + seg->len > r->cc.cwnd + r->mss)
		return false;
	return !pace_blocks(c);
}

static bool send_new(struct conn *c, struct netif *netif)
{
	struct recovery *r = &c->recovery;
	struct tcp_pcb *pcb = c->pcb;
	struct tcp_seg *seg;
	bool sent = false;

	while ((seg = pcb->unsent) && may_send(c, seg)) {
		uint32_t end = lwip_ntohl(seg->tcphdr->seqno) + TCP_TCPLEN(seg);

		if ((c->established && !flight_admits(r)) ||
		    !segment_send(c, seg, netif))
			break;
		sent = true;
		pcb->unsent = seg->next;
		if (TCP_SEQ_LT(pcb->snd_nxt, end))
			pcb->snd_nxt = end;
		if (!TCP_TCPLEN(seg)) {
			tcp_seg_free(seg);
			continue;
		}
		seg->next = NULL;
		if (pcb->unacked)
			r->flight->tail->next = seg;
		else
			pcb->unacked = seg;
		if (c->established)
			flight_append(r, seg);
	}
	return sent;
}

err_t tcp_output(struct tcp_pcb *pcb)
{
	struct conn *c = conn_of(pcb);
	struct netif *netif;
	bool sent = false;

	if (!c)
		return tcp_output_stock(pcb);
	if (tcp_input_pcb == pcb)
		return ERR_OK; /* it comes back when it is done */
	netif = tcp_route(pcb, &pcb->local_ip, &pcb->remote_ip);
	if (!netif)
		return ERR_RTE;
	if (!burst_waits(c)) {
		c->pace_at = 0;
		sent = send_lost(c, netif);
		sent |= send_new(c, netif);
	}
	if ((pcb->flags & TF_ACK_NOW || reorder_untold(c)) && !ack_waits(c))
		tcp_send_empty_ack(pcb);
	if (sent)
		recovery_arm(c);
	tcp_clear_flags(pcb, TF_NAGLEMEMERR);
	return ERR_OK;
}

bool tcp_resend(struct tcp_pcb *pcb, struct tcp_seg *seg)
{
	struct netif *netif = tcp_route(pcb, &pcb->local_ip, &pcb->remote_ip);

	if (!netif || !segment_send(conn_of(pcb), seg, netif))
		return false;
	stack_add(conn_of(pcb)->stack, COUNT_RETRANSMITS, 1);
	return true;
}

/* The SYN or SYN-ACK, to a peer that repeats its SYN or answers from an old
 * connection. */
err_t tcp_rexmit(struct tcp_pcb *pcb)
{
	if (!conn_of(pcb))
		return tcp_rexmit_stock(pcb);
	if (!pcb->unacked || !tcp_resend(pcb, pcb->unacked))
		return ERR_VAL;
	pcb->unacked->flags |= SEGMENT_REPEATED;
	return ERR_OK;
}

static struct pbuf *probe_new(struct tcp_pcb *pcb, uint32_t seq, u16_t len)
{
	u8_t options = pcb->flags & TF_TIMESTAMP ? TF_SEG_OPTS_TS : 0;
	struct pbuf *p = tcp_output_alloc_header(
		pcb, LWIP_TCP_OPT_LENGTH(options), len, lwip_htonl(seq));

	if (!p)
		return NULL;
	tcp_output_fill_options(pcb, p, options, 0);
	pcb->ts_lastacksent = pcb->rcv_nxt;
	return p;
}

static err_t probe_send(struct tcp_pcb *pcb, struct pbuf *p)
{
	return tcp_output_control_segment(pcb, p, &pcb->local_ip,
					  &pcb->remote_ip);
}

/* Asks for an ACK by a byte that was acknowledged before. */
err_t tcp_keepalive(struct tcp_pcb *pcb)
{
	struct pbuf *p = probe_new(pcb, pcb->snd_nxt - 1, 0);

	return p ? probe_send(pcb, p) : ERR_MEM;
}

/* The first byte that waits; the peer may take it and acknowledge it. A FIN
 * alone does not wait for the window. */
err_t tcp_zero_window_probe(struct tcp_pcb *pcb)
{
	struct tcp_seg *seg = pcb->unsent;
	uint32_t begin = lwip_ntohl(seg->tcphdr->seqno);
	struct pbuf *p = probe_new(pcb, begin, 1);

	pcb->persist_probe += pcb->persist_probe < UINT8_MAX;
	if (!p)
		return ERR_MEM;
	pbuf_copy_partial(seg->p, (u8_t *)p->payload + p->len - 1, 1,
			  (u16_t)(seg->p->tot_len - seg->len));
	if (TCP_SEQ_LT(pcb->snd_nxt, begin + 1))
		pcb->snd_nxt = begin + 1;
	return probe_send(pcb, p);
}
