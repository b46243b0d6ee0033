/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netif.c - lwIP's packets on their way to a link.
 *
 * lwIP has one interface a link, without an address: a connection names its
 * interface, and source addresses are the destinations that clients chose. A
 * segment larger than a packet (tcp_out.c says so in link->gso_size) goes out
 * as a train for the link, or the kernel behind it, to cut, or is cut here.
 * Routers must not cut what leaves, but say that it is too big (pmtu.c). */
#include "netif.h"

#include "checksum.h"
#include "conn.h"
#include "cut.h"

#include <errno.h>
#include <stdlib.h>

#define TCP_CHECKSUM_AT 16u
#define FLAGS4_AT 6u
#define CHECKSUM4_AT 10u

static const uint8_t dont_fragment[2] = {0x40, 0};
static const uint8_t ece[2] = {0, TCP_FLAG_ECE};

/* Put the pseudo header's sum where the link completes the checksum. */
static void set_partial(struct weir_egress *v, uint8_t *ip, bool v6,
			uint32_t at, uint32_t len)
{
	uint16_t sum = checksum_fold(checksum_pseudo(
		ip + (v6 ? 8 : 12), ip + (v6 ? 24 : 16), v6, IPPROTO_TCP, len));

	memcpy(ip + at + TCP_CHECKSUM_AT, &sum, sizeof sum);
	v->flags = WEIR_CSUM_PARTIAL;
	v->csum_start = (uint16_t)at;
	v->csum_offset = TCP_CHECKSUM_AT;
}

/* Set bits of a word in a header that has its checksum. */
static void set_bits(uint8_t *word, const uint8_t bits[2], uint8_t *checksum)
{
	uint16_t sum;

	memcpy(&sum, checksum, 2);
	sum = (uint16_t)~checksum_fold(checksum_add((uint16_t)~sum, bits, 2));
	memcpy(checksum, &sum, 2);
	word[0] |= bits[0];
	word[1] |= bits[1];
}

static err_t output(struct netif *netif, struct pbuf *p, bool v6)
{
	struct weir_link *link = netif->state;
	struct iovec view[CUT_VIEWS];
	struct weir_egress v = {.view = view};
	uint8_t *ip = p->payload;
	uint32_t at = v6 ? IP6_HEADER : IP4_HEADER;

	for (const struct pbuf *q = p; q; q = q->next) {
		if (!q->len)
			continue;
		if (v.views == CUT_VIEWS)
			return ERR_BUF;
		view[v.views].iov_base = q->payload;
		view[v.views++].iov_len = q->len;
	}
	v.header_len = (uint16_t)(at + (ip[at + 12] >> 4) * 4u);
	if (!v6)
		set_bits(ip + FLAGS4_AT, dont_fragment, ip + CHECKSUM4_AT);
	if (link->add_ece)
		set_bits(ip + at + TCP_FLAGS_AT - 1, ece,
			 ip + at + TCP_CHECKSUM_AT);
	if (link->gso_size && !(link->offloads & WEIR_LINK_TSO)) {
		cut_output(link, &v, link->gso_size);
		return ERR_OK;
	}
	if (link->offloads & WEIR_LINK_CSUM)
		set_partial(&v, ip, v6, at, p->tot_len - at);
	if (link->gso_size) {
		v.gso = v6 ? WEIR_GSO_TCP6 : WEIR_GSO_TCP4;
		v.gso_size = link->gso_size;
	}
	link_output(link, &v, 1);
	return ERR_OK;
}

static err_t output4(struct netif *netif, struct pbuf *p,
		     const ip4_addr_t *target)
{
	(void)target;
	return output(netif, p, false);
}

static err_t output6(struct netif *netif, struct pbuf *p,
		     const ip6_addr_t *target)
{
	(void)target;
	return output(netif, p, true);
}

static err_t no_input(struct pbuf *p, struct netif *netif)
{
	(void)netif;
	pbuf_free(p);
	return ERR_OK;
}

static err_t setup(struct netif *netif)
{
	struct weir_link *link = netif->state;
	uint16_t make = NETIF_CHECKSUM_GEN_IP;

	netif->name[0] = 'w';
	netif->name[1] = 'r';
	netif->mtu = (u16_t)link->mtu;
	netif->output = output4;
	netif->output_ip6 = output6;
	netif->flags |= NETIF_FLAG_LINK_UP | NETIF_FLAG_UP;
	if (!(link->offloads & WEIR_LINK_CSUM))
		make |= NETIF_CHECKSUM_GEN_TCP;
	NETIF_SET_CHECKSUM_CTRL(netif, make);
	return ERR_OK;
}

bool netif_open(struct weir_link *link, struct weir_error *e)
{
	struct netif *netif = calloc(1, sizeof *netif);

	if (!netif)
		return weir_error(e, NULL, "out of memory");
	if (!netif_add(netif, NULL, NULL, NULL, link, setup, no_input)) {
		free(netif);
		return weir_error(e, NULL, "too many links");
	}
	link->netif = netif;
	return accept_init(link, e);
}

void netif_close(struct weir_link *link)
{
	struct node *n;

	if (!link->netif)
		return;
	while ((n = table_any(&link->conns)))
		conn_drop((struct conn *)(void *)n, ENETDOWN, true);
	accept_fini(link);
	netif_remove(link->netif);
	free(link->netif);
	link->netif = NULL;
}
