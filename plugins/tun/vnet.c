/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The header in front of each packet of a TUN with IFF_VNET_HDR.
 *
 * Theory of operation: the kernel hands over trains (gso_type, gso_size) and
 * packets whose transport checksum is still to be completed (NEEDS_CSUM), and
 * takes the same. A TUN that was handed in may be fed by anyone, so a header
 * that contradicts its packet is refused here; the packet itself is checked by
 * the netstack's gate. Fields are in the machine's byte order, which is what
 * a TUN speaks unless told otherwise. */
#include "vnet.h"

/* Linux 6.2; the headers of older distributions lack it. */
#ifndef VIRTIO_NET_HDR_GSO_UDP_L4
#define VIRTIO_NET_HDR_GSO_UDP_L4 5
#endif

#define IP4_HEADER_LEAST 20 /* bytes: no transport header begins earlier */
#define CHECKSUM_BYTES 2
#define UDP_HEADER_BYTES 8
#define TCP_HEADER_LEAST 20
#define TCP_LENGTH_AT 12 /* of the header, in its upper four bits, in words */
#define TCP_FLAGS_AT 13
#define TCP_FLAG_CWR 0x80

static bool gso_read(const struct virtio_net_hdr *h, struct weir_ingress *p)
{
	/* That only its first segment carries CWR its header says, too. */
	switch (h->gso_type & ~VIRTIO_NET_HDR_GSO_ECN) {
	case VIRTIO_NET_HDR_GSO_NONE:
		return true;
	case VIRTIO_NET_HDR_GSO_TCPV4:
		p->gso = WEIR_GSO_TCP4;
		break;
	case VIRTIO_NET_HDR_GSO_TCPV6:
		p->gso = WEIR_GSO_TCP6;
		break;
	case VIRTIO_NET_HDR_GSO_UDP_L4:
		p->gso = WEIR_GSO_UDP;
		break;
	default:
		return false;
	}
	p->gso_size = h->gso_size;
	return h->gso_size != 0;
}

bool vnet_read(const struct virtio_net_hdr *h, struct weir_ingress *p)
{
	p->gso = WEIR_GSO_NONE;
	p->gso_size = 0;
	p->flags = 0;
	if (h->flags & VIRTIO_NET_HDR_F_NEEDS_CSUM) {
		uint32_t end = (uint32_t)h->csum_start + h->csum_offset +
			       CHECKSUM_BYTES;

		if (h->csum_start < IP4_HEADER_LEAST || end > p->len)
			return false;
		p->flags = WEIR_CSUM_PARTIAL;
	} else if (h->flags & VIRTIO_NET_HDR_F_DATA_VALID) {
		p->flags = WEIR_CSUM_VALID;
	}
	return gso_read(h, p);
}

/* Of the headers of a train; what the kernel writes there is a hint. */
static bool header_len(const uint8_t *packet, uint32_t len,
		       struct weir_egress *e)
{
	bool udp = e->gso == WEIR_GSO_UDP;
	uint32_t transport = udp ? UDP_HEADER_BYTES : TCP_HEADER_LEAST;

	if (!(e->flags & WEIR_CSUM_PARTIAL) || e->csum_start + transport > len)
		return false;
	if (!udp)
		transport = packet[e->csum_start + TCP_LENGTH_AT] >> 4 << 2;
	e->header_len = (uint16_t)(e->csum_start + transport);
	return e->csum_start + transport < len;
}

bool vnet_forward(const struct virtio_net_hdr *h, const uint8_t *packet,
		  uint32_t len, struct weir_egress *e)
{
	struct weir_ingress p = {.len = len};

	if (!vnet_read(h, &p))
		return false;
	e->gso = p.gso;
	e->gso_size = p.gso_size;
	e->flags = p.flags;
	e->csum_start = h->csum_start;
	e->csum_offset = h->csum_offset;
	e->header_len = 0;
	return e->gso == WEIR_GSO_NONE || header_len(packet, len, e);
}

static uint8_t gso_type(uint8_t gso)
{
	switch (gso) {
	case WEIR_GSO_TCP4:
		return VIRTIO_NET_HDR_GSO_TCPV4;
	case WEIR_GSO_TCP6:
		return VIRTIO_NET_HDR_GSO_TCPV6;
	case WEIR_GSO_UDP:
		return VIRTIO_NET_HDR_GSO_UDP_L4;
	default:
		return VIRTIO_NET_HDR_GSO_NONE;
	}
}

/* With CWR in its headers a train needs GSO_ECN: then a card that cuts it sets
 * CWR on the first segment only. */
static bool train_has_cwr(const struct weir_egress *p)
{
	const struct iovec *headers = p->view;
	size_t at = (size_t)p->csum_start + TCP_FLAGS_AT;

	return p->gso != WEIR_GSO_UDP && p->views && at < headers->iov_len &&
	       ((const uint8_t *)headers->iov_base)[at] & TCP_FLAG_CWR;
}

void vnet_write(struct virtio_net_hdr *h, const struct weir_egress *p)
{
	*h = (struct virtio_net_hdr){.gso_type = gso_type(p->gso)};
	if (p->flags & WEIR_CSUM_PARTIAL) {
		h->flags = VIRTIO_NET_HDR_F_NEEDS_CSUM;
		h->csum_start = p->csum_start;
		h->csum_offset = p->csum_offset;
	}
	if (p->gso != WEIR_GSO_NONE) {
		h->hdr_len = p->header_len;
		h->gso_size = p->gso_size;
		if (train_has_cwr(p))
			h->gso_type |= VIRTIO_NET_HDR_GSO_ECN;
	}
}
