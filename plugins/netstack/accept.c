/* SPDX-License-Identifier: GPL-2.0-or-later */
/* accept.c - the held handshake.
 *
 * A SYN is not answered. Its headers are kept, the core is told of a new
 * stream, and its word decides: accept replays the SYN to lwIP with a listener
 * in place, so that the client sees its connection complete when the outbound
 * has connected; a refusal is answered with RST, or an ICMP error says what
 * stood in the way, or nothing is said and further SYNs are ignored for a
 * while. Repeated SYNs while we wait change nothing.
 *
 * Half-open entries are bounded, and no established connection is touched by
 * them. When half of the bound is taken and SYNs go on coming at a flood's
 * rate, only those that are repeated get one of the rest (sieve.c). When it is
 * full the oldest makes way without a word: a new client that is in earnest
 * completes its handshake long before a flood has come round to it. */
#include "bytes.h"
#include "conn.h"
#include "holder.h"
#include "icmp.h"
#include "port.h"
#include "reset.h"

#include "lwip/priv/tcp_priv.h"

#include <errno.h>
#include <stdlib.h>

#define HELD_US (90 * SECOND_US) /* the core's own limit comes first */
#define MUTED_US (30 * SECOND_US)
#define SYN_KEPT 256u /* headers are never longer in earnest */

bool accept_init(struct weir_link *link, struct weir_error *e)
{
	struct tcp_pcb *pcb = tcp_new_ip_type(IPADDR_TYPE_ANY), *listener;

	if (!pcb)
		return weir_error(e, NULL, "out of memory");
	if (tcp_bind(pcb, IP_ANY_TYPE, 1) != ERR_OK) {
		tcp_close(pcb);
		return weir_error(e, NULL, "lwIP refuses to bind");
	}
	listener = tcp_listen(pcb);
	if (!listener) {
		tcp_close(pcb);
		lwip_hide();
		return weir_error(e, NULL, "out of memory");
	}
	link->listener = (struct tcp_pcb_listen *)listener;
	link->listener->netif_idx = netif_get_index(link->netif);
	lwip_hide();
	return true;
}

void accept_fini(struct weir_link *link)
{
	if (!link->listener)
		return;
	tcp_listen_pcbs.listen_pcbs = link->listener;
	link->listener->next = NULL;
	tcp_close((struct tcp_pcb *)link->listener);
	link->listener = NULL;
	lwip_hide();
}

static struct held_syn *syn_copy(const struct packet *p, const uint32_t *used)
{
	struct held_syn *syn;

	if (p->payload > SYN_KEPT)
		return NULL;
	syn = malloc(sizeof *syn + p->payload);
	if (!syn)
		return NULL;
	syn->reopens = used;
	syn->ecn = ecn_asked(p);
	syn->isn_above = used ? *used : 0;
	syn->len = (uint16_t)p->payload;
	syn->l4 = (uint16_t)p->l4;
	memcpy(syn->bytes, p->data, p->payload);
	return syn;
}

static void syn_link(struct netstack *s, struct conn *c)
{
	struct held_syn *syn = c->syn;

	syn->conn = c;
	syn->newer = NULL;
	syn->older = s->newest_syn;
	*(syn->older ? &syn->older->newer : &s->oldest_syn) = syn;
	s->newest_syn = syn;
}

static void syn_free(struct conn *c)
{
	struct netstack *s = c->stack;
	struct held_syn *syn = c->syn;

	if (!syn)
		return;
	*(syn->older ? &syn->older->newer : &s->oldest_syn) = syn->newer;
	*(syn->newer ? &syn->newer->older : &s->newest_syn) = syn->older;
	free(syn);
	c->syn = NULL;
}

static void evict(struct conn *c)
{
	stack_add(c->stack, COUNT_HALF_OPEN_EVICTED, 1);
	conn_drop(c, ECONNABORTED, false);
}

/* Half of all there may be at most, or a flood would have them all and the
 * oldest never make way. */
static uint64_t half_open_most(const struct netstack *s)
{
	int64_t half = (s->conf->max_connections + 1) / 2;

	return (uint64_t)(half < s->conf->max_half_open
				  ? half
				  : s->conf->max_half_open);
}

static bool room_for_one(struct netstack *s)
{
	if (*s->count[COUNT_HALF_OPEN] >= half_open_most(s) && s->oldest_syn)
		evict(s->oldest_syn->conn);
	return *s->count[COUNT_CONNECTIONS] <
		       (uint64_t)s->conf->max_connections &&
	       *s->count[COUNT_HALF_OPEN] < half_open_most(s);
}

/* Should the client have to ask again? An honest one does so by itself. */
static bool put_off(struct netstack *s, const struct packet *p)
{
	uint64_t now_us = stack_now_us(s);

	if (!sieve_flooded(&s->sieve, now_us) ||
	    *s->count[COUNT_HALF_OPEN] * 2 < half_open_most(s) ||
	    sieve_repeated(&s->sieve, &s->key, &p->key, p->tcp_seq, now_us))
		return false;
	stack_add(s, COUNT_SYN_PUT_OFF, 1);
	return true;
}

void accept_syn(struct weir_link *link, const struct packet *p,
		const uint32_t *used)
{
	struct netstack *s = link->stack;
	struct weir_session_info info = {
		.size = sizeof info,
		.net = WEIR_NET_TCP,
		.source = packet_source(p),
		.target = packet_target(p),
	};
	struct conn *c;

	if (!used && put_off(s, p))
		return;
	c = room_for_one(s) ? conn_new(link, &p->key) : NULL;
	if (!c) {
		stack_add(s, COUNT_SYN_DROPPED, 1);
		return;
	}
	c->phase = CONN_HELD;
	c->half_open = true;
	c->holder = holder_of(link, &info.source);
	stack_add(s, COUNT_HALF_OPEN, 1);
	c->syn = syn_copy(p, used);
	if (c->syn)
		syn_link(s, c);
	if (c->syn)
		c->end = link->ops->accept_stream(link->owner, &info,
						  &tcp_stream_ops, c);
	if (!c->end) {
		if (info.refusal) {
			c->closed = true;
			accept_refuse(c, info.refusal);
			return;
		}
		stack_add(s, COUNT_SYN_DROPPED, 1);
		conn_free(c);
		return;
	}
	wheel_set(&s->wheel, &c->timer, stack_now_us(s) + HELD_US);
}

void accept_done(struct conn *c)
{
	if (c->half_open)
		stack_add(c->stack, COUNT_HALF_OPEN, UINT64_MAX);
	c->half_open = false;
	syn_free(c);
}

/* Give lwIP the SYN as if it came now. */
static bool syn_replay(struct conn *c)
{
	const struct held_syn *syn = c->syn;
	u16_t len = (u16_t)(syn->len - syn->l4);
	struct pbuf *p = pbuf_alloc(PBUF_RAW, len, PBUF_RAM);

	if (!p)
		return false;
	memcpy(p->payload, syn->bytes + syn->l4, len);
	lwip_feed(c->link, &c->node.key, p);
	return true;
}

int accept_complete(struct conn *c)
{
	struct tcp_pcb_listen *listener = c->link->listener;
	struct tcp_pcb *pcb;
	uint32_t mss;

	listener->local_port = c->node.key.local_port;
	listener->next = NULL;
	tcp_listen_pcbs.listen_pcbs = listener;
	port_isn_above(c->syn->reopens ? &c->syn->isn_above : NULL);
	c->link->add_ece = c->ecn.on = c->syn->ecn;
	syn_replay(c);
	c->link->add_ece = false;
	port_isn_above(NULL);
	pcb = tcp_active_pcbs;
	lwip_hide();
	if (!pcb)
		return ENOMEM;
	c->phase = CONN_OPEN;
	wheel_stop(&c->stack->wheel, &c->timer);
	conn_adopt(c, pcb);
	receive_init(c);
	mss = pcb->mss < WIRE_MSS_LEAST ? WIRE_MSS_LEAST : pcb->mss;
	recovery_init(c, mss, mss);
	if (pcb->unacked)
		recovery_sent(c, pcb->unacked);
	recovery_arm(c);
	conn_arm(c);
	return 0;
}

/* A client that has waited long may believe that its SYN was lost because it
 * asked for ECN, and repeat it without: then there is no ECN. */
void accept_again(struct conn *c, const struct packet *p)
{
	c->syn->ecn &= ecn_asked(p);
}

/* The client gives up: so does the outbound that is connecting for it. There
 * is no sequence number of ours yet to know, so only the exact one counts. */
void accept_reset(struct conn *c, uint32_t seq)
{
	const uint8_t *tcp = c->syn->bytes + c->syn->l4;
	uint32_t isn = get32(tcp + 4);

	if (seq == isn + 1)
		conn_cancel(c, ECONNRESET);
}

static void mute(struct conn *c)
{
	c->phase = CONN_MUTED;
	wheel_stop(&c->stack->wheel, &c->timer);
	wheel_set(&c->stack->wheel, &c->timer,
		  stack_now_us(c->stack) + MUTED_US);
}

void accept_refuse(struct conn *c, int err)
{
	switch (err) {
	case WEIR_ESILENT:
	case ETIMEDOUT:
		mute(c);
		return;
	case ENETUNREACH:
	case EHOSTUNREACH:
	case EACCES:
	case EPERM:
	case ENETDOWN:
	case EHOSTDOWN:
	case EADDRNOTAVAIL:
		icmp_unreachable(c->link, c->syn->bytes, c->syn->len, err);
		break;
	default:
		reset_syn(c->link, &c->node.key, c->syn->bytes + c->syn->l4);
	}
	conn_free(c);
}
