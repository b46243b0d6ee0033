/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vnet.h - virtio_net_hdr, the words in front of a packet of a TUN with
 * offloads, to and from the terms of <weir/netstack.h>. */
#ifndef TUN_VNET_H
#define TUN_VNET_H

#include <linux/virtio_net.h>
#include <weir/netstack.h>

/* Fill in gso, gso_size and flags of `p`, whose len is set. False: the header
 * does not fit the packet, which is to be dropped. */
bool vnet_read(const struct virtio_net_hdr *h, struct weir_ingress *p);

/* The same for a packet that goes on as it is: all of `e` but its views, of the
 * `len` bytes at `packet`. */
bool vnet_forward(const struct virtio_net_hdr *h, const uint8_t *packet,
		  uint32_t len, struct weir_egress *e);

void vnet_write(struct virtio_net_hdr *h, const struct weir_egress *p);

#endif
