/* SPDX-License-Identifier: GPL-2.0-or-later */
/* vnet.h - virtio_net_hdr, the words in front of a packet of a TUN with
 * offloads, to and from the terms of <weir/netstack.h>. */
#ifndef INBOUND_TUN_VNET_H
#define INBOUND_TUN_VNET_H

#include <linux/virtio_net.h>
#include <weir/netstack.h>

/* Fill in gso, gso_size and flags of `p`, whose len is set. False: the header
 * does not fit the packet, which is to be dropped. */
bool vnet_read(const struct virtio_net_hdr *h, struct weir_ingress *p);

void vnet_write(struct virtio_net_hdr *h, const struct weir_egress *p);

#endif
