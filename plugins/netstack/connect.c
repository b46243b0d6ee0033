/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connect.c - connections outward: the stack as a client, for an outbound
 * whose far side is a tunnel. The source is the link's own address; ports are
 * ours to choose, because lwIP looks for free ones in lists that are empty.
 *
 * While a SYN is out lwIP sees only what acknowledges it, since it would take
 * the options of any segment for the answer's. An ACK of something else is
 * answered with a reset: where it comes from an old connection of the far side,
 * that is gone then, and a second SYN finds nothing in its way (RFC 9293,
 * 3.5.2). So the SYN goes again at once; but only one time, as such an ACK may
 * be forged. */
#include "conn.h"

#include "reset.h"

#include "lwip/priv/tcp_priv.h"

#include <errno.h>

static int make_key(struct weir_link *link, const struct weir_addr *target,
		    struct tuple *key)
{
	bool v6 = target->kind == WEIR_ADDR_IP6;
	const struct weir_cidr *own = link_address(link, v6);

	if (target->kind != WEIR_ADDR_IP4 && !v6)
		return EINVAL;
	if (!own)
		return ENETUNREACH;
	memset(key, 0, sizeof *key);
	key->v6 = v6;
	key->protocol = IPPROTO_TCP;
	key->remote_port = target->port;
	memcpy(key->remote, target->ip, v6 ? 16 : 4);
	memcpy(key->local, own->base.ip, v6 ? 16 : 4);
	return table_choose_port(&link->conns, &link->stack->key, key)
		       ? 0
		       : EADDRNOTAVAIL;
}

static bool start_connect(struct conn *c)
{
	const struct tuple *key = &c->node.key;
	struct tcp_pcb *pcb =
		tcp_new_ip_type(key->v6 ? IPADDR_TYPE_V6 : IPADDR_TYPE_V4);
	ip_addr_t remote;
	bool ok;

	if (!pcb)
		return false;
	conn_adopt(c, pcb);
	recovery_init(c, pcb->mss, pcb->mss);
	lwip_address(&remote, key->remote, key->v6);
	lwip_address(&pcb->local_ip, key->local, key->v6);
	pcb->local_port = key->local_port;
	pcb->netif_idx = netif_get_index(c->link->netif);
	ok = tcp_connect(pcb, &remote, key->remote_port, NULL) == ERR_OK;
	lwip_hide();
	if (!ok)
		tcp_free(pcb);
	return ok;
}

void *connect_open(struct weir_link *link, struct weir_end *end,
		   const struct weir_addr *target)
{
	struct netstack *s = link->stack;
	struct tuple key;
	struct conn *c = NULL;
	int err = make_key(link, target, &key);

	if (!err &&
	    *s->count[COUNT_CONNECTIONS] >= (uint64_t)s->conf->max_connections)
		err = ENOBUFS;
	if (!err && !(c = conn_new(link, &key)))
		err = ENOMEM;
	if (c) {
		c->phase = CONN_OPENING;
		c->outward = true;
		c->end = end;
		if (!start_connect(c)) {
			conn_free(c);
			err = ENOMEM;
		}
	}
	if (err) {
		s->host->fail(end, err, "cannot connect through the link");
		return NULL;
	}
	recovery_arm(c);
	conn_arm(c);
	return c;
}

bool connect_answered(struct conn *c, const struct tcp_hdr *tcp)
{
	struct tcp_pcb *pcb = c->pcb;
	u8_t flags = TCPH_FLAGS(tcp);

	if (!(flags & TCP_ACK))
		return false;
	if (tcp->ackno == pcb->lastack + 1)
		return flags & (TCP_SYN | TCP_RST);
	if (flags & TCP_RST || !link_may_reply(c->link))
		return false;
	reset_wrong(c->link, &c->node.key, tcp->ackno);
	if (pcb->unacked && !(pcb->unacked->flags & SEGMENT_REPEATED))
		tcp_rexmit(pcb);
	return false;
}

void connect_ready(struct conn *c)
{
	c->phase = CONN_OPEN;
	receive_init(c);
	c->stack->host->stream_ready(c->end, &tcp_stream_ops, c);
}

void connect_abandon(struct weir_link *link, void *pending)
{
	struct conn *c = pending;

	(void)link;
	c->closed = true;
	c->told = true;
	conn_abort(c);
	conn_settle(c);
}
