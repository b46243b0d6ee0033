/* SPDX-License-Identifier: GPL-2.0-or-later */
/* demux.c - which connection is a segment for?
 *
 * A hash table with a secret key answers that, at a cost that does not grow
 * with the number of connections. lwIP would walk its list of all; but its
 * lists are public, so between calls they are empty, and around each call they
 * hold the one pcb it is about. lwIP's own IP input is not used: the header
 * was read at the gate, the few facts tcp_input asks for are filled in, and
 * what it never checks is that the destination is an address of ours: every
 * destination is. */
#include "buffer.h"
#include "bytes.h"
#include "conn.h"
#include "reset.h"
#include "segment.h"

#include "lwip/ip.h"
#include "lwip/priv/tcp_priv.h"

#define SLOW_TICK_US 500000u

void lwip_expose(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;

	tcp_ticks = (u32_t)(stack_now_us(c->stack) / SLOW_TICK_US);
	pcb->next = NULL;
	if (pcb->state == TIME_WAIT)
		tcp_tw_pcbs = pcb;
	else
		tcp_active_pcbs = pcb;
}

void lwip_hide(void)
{
	tcp_active_pcbs = NULL;
	tcp_tw_pcbs = NULL;
	tcp_bound_pcbs = NULL;
	tcp_listen_pcbs.listen_pcbs = NULL;
}

void lwip_address(ip_addr_t *to, const uint8_t *ip, bool v6)
{
	ip_addr_set_zero(to);
	if (v6) {
		memcpy(ip_2_ip6(to)->addr, ip, 16);
		IP_SET_TYPE_VAL(*to, IPADDR_TYPE_V6);
	} else {
		memcpy(&ip_2_ip4(to)->addr, ip, 4);
		IP_SET_TYPE_VAL(*to, IPADDR_TYPE_V4);
	}
}

void lwip_feed(struct weir_link *link, const struct tuple *key, struct pbuf *p)
{
	ip_data.current_netif = link->netif;
	ip_data.current_input_netif = link->netif;
	ip_data.current_ip4_header = NULL;
	ip_data.current_ip6_header = NULL;
	ip_data.current_ip_header_tot_len = 0;
	lwip_address(&ip_data.current_iphdr_src, key->remote, key->v6);
	lwip_address(&ip_data.current_iphdr_dest, key->local, key->v6);
	tcp_input(p, link->netif);
}

#define CACHE_LINE 64
#define HELD_EXTRA 256u /* that comes on top of payload, at most */

static void fetch(const void *at, size_t len)
{
	for (size_t i = 0; i < len; i += CACHE_LINE)
		__builtin_prefetch((const char *)at + i, 1);
}

void demux_fetch_chain(struct weir_link *link, struct packet *p)
{
	p->hash = table_hash(&link->stack->key, &p->key);
	__builtin_prefetch(table_chain(&link->conns, p->hash));
}

void demux_fetch_node(struct weir_link *link, const struct packet *p)
{
	const struct node *n = *table_chain(&link->conns, p->hash);

	if (n)
		fetch(n, conn_size(link));
}

void demux_fetch_conn(struct weir_link *link, const struct packet *p)
{
	const struct node *n = *table_chain(&link->conns, p->hash);
	const struct conn *c = (const struct conn *)(const void *)n;

	if (n && n->hash != p->hash && n->next)
		fetch(n->next, conn_size(link));
	else if (n && c->pcb)
		fetch(c->pcb, sizeof *c->pcb);
}

static void keep_memory(struct pbuf *p)
{
	(void)p;
}

/* A segment that lwIP looks at but does not keep: no payload, nothing that
 * takes a place in the sequence. */
static void feed_borrowed(struct conn *c, void *segment, uint32_t len)
{
	struct pbuf_custom loan = {.custom_free_function = keep_memory};

	lwip_feed(c->link, &c->node.key,
		  pbuf_alloced_custom(PBUF_RAW, (u16_t)len, PBUF_REF, &loan,
				      segment, (u16_t)len));
}

/* Nobody we know. Takes no buffer. */
static void demux_stranger(struct weir_link *link, const struct packet *p)
{
	if ((p->tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) ==
	    TCP_FLAG_SYN) {
		accept_syn(link, p, NULL);
		return;
	}
	stack_add(link->stack, COUNT_NO_CONNECTION, 1);
	if ((p->tcp_flags & TCP_FLAG_RST) || !link_may_reply(link))
		return;
	reset_wrong(link, &p->key, get32(p->data + p->l4 + 8));
}

/* What is kept ahead of a hole must not take the memory that the hole's own
 * bytes need. The sender keeps what was reported only by SACK until it is
 * acknowledged (RFC 2018, 8): so it may be dropped. */
static void make_room(struct conn *c, uint32_t len)
{
	if (!c->reorder ||
	    buffer_admits(c->stack, c->rx_held, len + HELD_EXTRA, true))
		return;
	reorder_free(c);
	stack_add(c->stack, COUNT_RENEGED, 1);
}

static bool takes_payload(const struct tcp_pcb *pcb)
{
	return pcb->state >= ESTABLISHED && pcb->state < CLOSE_WAIT;
}

/* Does it begin beyond what is expected next? */
static bool is_ahead(const struct conn *c, const struct packet *p)
{
	const struct tcp_pcb *pcb = c->pcb;

	return (p->payload < p->len || p->tcp_flags & TCP_FLAG_FIN) &&
	       (p->tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) ==
		       TCP_FLAG_ACK &&
	       (pcb->state == SYN_RCVD || takes_payload(pcb)) &&
	       TCP_SEQ_GT(p->tcp_seq, pcb->rcv_nxt);
}

static void keep_ahead(struct conn *c, const struct packet *p,
		       struct weir_buffer *b, uint32_t len, bool fin)
{
	struct pbuf *payload = NULL;

	if (len)
		payload = buffer_pbuf(c->stack, b, p->data + p->payload, len,
				      &c->rx_held, false);
	else
		buffer_put(c->stack, b);
	if (payload || !len)
		reorder_keep(c, p->tcp_seq, payload, fin);
	tcp_ack_now(c->pcb);
	tcp_output(c->pcb);
}

/* lwIP reads the header as it would that of an ACK; where it was acceptable the
 * rest is kept until its turn comes. */
static void demux_ahead(struct conn *c, const struct packet *p,
			struct weir_buffer *b)
{
	uint32_t len = p->len - p->payload;
	bool fin = p->tcp_flags & TCP_FLAG_FIN;

	p->data[p->l4 + TCP_FLAGS_AT] = TCP_FLAG_ACK;
	c->stack->ahead = len + fin;
	lwip_expose(c);
	feed_borrowed(c, p->data + p->l4, p->payload - p->l4);
	lwip_hide();
	/* The window that it told must not count as newer than that of the
	 * segments before it, which are still to come. */
	if (c->pcb && TCP_SEQ_GT(c->pcb->snd_wl1, c->pcb->rcv_nxt))
		c->pcb->snd_wl1 = c->pcb->rcv_nxt;
	if (c->stack->ahead && c->pcb && takes_payload(c->pcb) &&
	    p->tcp_seq - c->pcb->rcv_nxt < c->pcb->rcv_wnd)
		keep_ahead(c, p, b, len, fin);
	else
		buffer_put(c->stack, b);
	c->stack->ahead = 0;
	conn_settle(c);
}

/* The FIN of a segment that came early, in its place. */
static void feed_fin(struct conn *c)
{
	struct tcp_pcb *pcb = c->pcb;
	struct tcp_hdr fin = {
		.src = lwip_htons(pcb->remote_port),
		.dest = lwip_htons(pcb->local_port),
		.seqno = lwip_htonl(pcb->rcv_nxt),
		.ackno = lwip_htonl(pcb->lastack),
		.wnd = lwip_htons((u16_t)(pcb->snd_wnd >> pcb->snd_scale)),
	};

	TCPH_HDRLEN_FLAGS_SET(&fin, sizeof fin / 4, TCP_FIN | TCP_ACK);
	feed_borrowed(c, &fin, sizeof fin);
}

static void demux_known(struct conn *c, const struct packet *p,
			struct weir_buffer *b)
{
	struct netstack *s = c->stack;
	struct pbuf *whole = NULL;
	bool in_order = p->tcp_seq == c->pcb->rcv_nxt;
	bool keeps = p->payload < p->len ||
		     (p->tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_FIN));

	s->ecn_marks = c->ecn.on ? ecn_see(p) : 0;
	if (is_ahead(c, p)) {
		demux_ahead(c, p, b);
		return;
	}
	if (keeps && in_order)
		make_room(c, p->len);
	if (keeps) {
		whole = buffer_pbuf(s, b, p->data + p->l4, p->len - p->l4,
				    &c->rx_held, in_order);
		if (!whole)
			return;
	}
	lwip_expose(c);
	if (keeps)
		lwip_feed(c->link, &c->node.key, whole);
	else
		feed_borrowed(c, p->data + p->l4, p->len - p->l4);
	segment_done(c);
	if (c->pcb && reorder_fin_due(c))
		feed_fin(c);
	lwip_hide();
	if (!keeps)
		buffer_put(s, b);
	conn_settle(c);
}

/* A client opens anew where the old connection still waits out its time: the
 * newer timestamp (RFC 6191), or where either side has none the newer sequence
 * number (RFC 9293, 3.6.1), proves it. */
static bool reopens(const struct conn *c, const struct packet *p)
{
	const uint8_t *options = p->data + p->l4 + TCP_HEADER;
	const struct tcp_pcb *pcb = c->pcb;
	uint32_t stamp;

	if (!pcb || pcb->state != TIME_WAIT ||
	    (p->tcp_flags & (TCP_FLAG_SYN | TCP_FLAG_ACK | TCP_FLAG_RST)) !=
		    TCP_FLAG_SYN)
		return false;
	if ((pcb->flags & TF_TIMESTAMP) &&
	    segment_stamp(options, p->payload - p->l4 - TCP_HEADER, &stamp) &&
	    stamp != pcb->ts_recent)
		return (int32_t)(stamp - pcb->ts_recent) > 0;
	return TCP_SEQ_GT(p->tcp_seq, pcb->rcv_nxt);
}

static void reopen(struct conn *c, const struct packet *p)
{
	struct weir_link *link = c->link;
	uint32_t used = c->pcb->snd_nxt;

	tcp_free(c->pcb);
	conn_settle(c);
	accept_syn(link, p, &used);
}

void demux_input(struct weir_link *link, struct packet *p,
		 struct weir_buffer *b)
{
	struct netstack *s = link->stack;
	struct conn *c = (struct conn *)(void *)table_find_hash(
		&link->conns, p->hash, &p->key);

	if (c && reopens(c, p)) {
		reopen(c, p);
	} else if (c && c->pcb) {
		demux_known(c, p, b);
		return;
	} else if (c && c->phase == CONN_HELD) {
		if (p->tcp_flags & TCP_FLAG_RST)
			accept_reset(c, p->tcp_seq);
		else if (p->tcp_flags & TCP_FLAG_SYN)
			accept_again(c, p);
	} else if (!c) {
		demux_stranger(link, p);
	}
	buffer_put(s, b);
}
