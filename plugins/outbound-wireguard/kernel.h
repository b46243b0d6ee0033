/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.h - private to kernel*.c: a tunnel whose packets are the kernel's. */
#ifndef OUTBOUND_WIREGUARD_KERNEL_H
#define OUTBOUND_WIREGUARD_KERNEL_H

#include "freedom.h"
#include "guard.h"
#include "merge.h"
#include "outbound.h"
#include "tun.h"
#include "upkeep.h"

#define KERNEL_PACKET_MOST 65535u

struct kernel {
	struct outbound *outbound;
	struct tun_device device;
	uint32_t mtu_bytes;
	unsigned routed; /* the device's index, if rules are there to remove */
	struct upkeep *upkeep;
	struct weir_list addresses;
	struct freedom sockets;
	struct freedom_conf sockets_conf;
	struct weir_addr *sources; /* of the sockets, one a family */
	struct guard guard;

	/* The link, from attach to detach. */
	const struct weir_link_ops *link_ops;
	void *link;
	struct weir_watch *watch; /* NULL: the tunnel is full, or detached */
	bool gone;		  /* the device was removed */

	/* A packet to the tunnel; with `held` it waits for room there. */
	bool held;
	struct weir_egress out;
	struct iovec out_view;
	uint8_t out_room[KERNEL_PACKET_MOST];

	struct merge merge; /* packets to the device */
	uint64_t *refused, *dropped;
};

/* ---- kernel_out.c */

void kernel_pause(struct kernel *); /* no longer watch the device */
/* Watch the device; what is held goes first. */
bool kernel_resume(struct kernel *);

/* ---- kernel_in.c: as weir_netstack_ops has them */

uint8_t *kernel_room(struct weir_link *, uint32_t bytes);
void kernel_put(struct weir_link *, uint32_t len, unsigned flags);
void kernel_flush(struct weir_link *);

#endif
