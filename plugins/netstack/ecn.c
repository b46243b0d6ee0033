/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ecn.c - explicit congestion notification (RFC 3168).
 *
 * A client asks for it in its SYN (we never do), and the SYN-ACK agrees. Then
 * a router that would drop a packet of ours marks it CE instead, the client
 * says ECE in all it sends, the window shrinks as after a loss, and CWR in the
 * next new data tells the client that it did. In the other direction we say
 * ECE from the first CE on until CWR comes.
 *
 * Only new data is sent as ECT, so that a router may mark it; ACKs and what is
 * sent again are not. Nor is a mark believed on a segment without payload, or
 * with payload that is old: it may be forged. A congestion control that has no
 * answer to marks (BBR: its model goes by loss) sends without ECT; marks that
 * come in are echoed all the same.
 *
 * lwIP knows nothing of this. It hands on the flags of a segment's header as
 * they are and puts pcb->tos into its packets; for ACKs of its own making
 * netif.c adds ECE. */
#include "ecn.h"

#include "conn.h"

#include "lwip/priv/tcp_priv.h"

#define MARK_CE 1u /* beside the flags */

/* A SYN that is marked itself comes from a path that writes what it likes. */
bool ecn_asked(const struct packet *p)
{
	uint8_t flags = p->data[p->l4 + TCP_FLAGS_AT];

	return (flags & TCP_ECE) && (flags & TCP_CWR) &&
	       ecn_field(p->data, p->key.v6) == ECN_NONE;
}

uint8_t ecn_see(const struct packet *p)
{
	uint8_t marks =
		p->data[p->l4 + TCP_FLAGS_AT] & (uint8_t)(TCP_ECE | TCP_CWR);

	if (ecn_field(p->data, p->key.v6) == ECN_CE)
		marks |= MARK_CE;
	return marks;
}

/* An ACK leaves at once where CE first comes, and where CWR does: a peer that
 * has just reduced its window sends little more to acknowledge. */
bool ecn_take(struct conn *c, uint32_t seq, uint32_t payload)
{
	const struct tcp_pcb *pcb = c->pcb;
	uint8_t marks = c->stack->ecn_marks;

	c->stack->ecn_marks = 0;
	if (payload && TCP_SEQ_GT(seq + payload, pcb->rcv_nxt) &&
	    TCP_SEQ_LT(seq, pcb->rcv_nxt + pcb->rcv_wnd)) {
		bool ce = marks & MARK_CE;

		if (marks & TCP_CWR || (ce && !c->ecn.echo))
			tcp_ack_now(c->pcb);
		c->ecn.echo = ce || (c->ecn.echo && !(marks & TCP_CWR));
	}
	return marks & TCP_ECE;
}

bool ecn_is_heeded(const struct conn *c)
{
	return c->ecn.on && c->recovery.cc.ops->on_mark;
}

static bool is_new(const struct conn *c, const struct tcp_seg *seg)
{
	return seg->len &&
	       !TCP_SEQ_LT(lwip_ntohl(seg->tcphdr->seqno), c->pcb->snd_nxt);
}

void ecn_mark(struct conn *c, struct tcp_seg *seg)
{
	struct tcp_hdr *tcp = seg->tcphdr;
	bool heeded = ecn_is_heeded(c) && is_new(c, seg);

	TCPH_UNSET_FLAG(tcp, TCP_ECE | TCP_CWR);
	if (c->ecn.echo)
		TCPH_SET_FLAG(tcp, TCP_ECE);
	if (heeded && c->ecn.tell)
		TCPH_SET_FLAG(tcp, TCP_CWR);
	c->pcb->tos = heeded ? ECN_ECT0 : ECN_NONE;
}

void ecn_marked(struct conn *c, const struct tcp_seg *seg)
{
	c->ecn.tell &= !(seg->tcphdr->_hdrlen_rsvd_flags & PP_HTONS(TCP_CWR));
}
