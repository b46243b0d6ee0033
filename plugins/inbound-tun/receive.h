/* SPDX-License-Identifier: GPL-2.0-or-later */
/* receive.h - an inbound's state, and its packets on their way in. */
#ifndef INBOUND_TUN_RECEIVE_H
#define INBOUND_TUN_RECEIVE_H

#include <weir/plugin.h>

#include "options.h"
#include "tun.h"
#include "upkeep.h"

#define PAUSE_LEAST_US 1000 /* without a buffer; doubled up to the most */

struct tun {
	struct weir_instance *instance;
	const struct weir_host *host;
	const struct tun_conf *conf;
	struct tun_device device;
	struct upkeep *upkeep; /* NULL: it was handed in */

	const struct weir_netstack_ops *stack;
	void *stack_self;
	struct weir_link *link;
	struct weir_buffer *spare; /* got, but there was no packet for it */
	uint32_t room; /* bytes a packet may have, and one; 0: not looked at */

	struct weir_watch *watch;
	struct weir_timer *later; /* end of a pause, or the device is gone */
	uint64_t pause_us;
	bool gone, down, down_told;
	struct weir_timer *telling; /* that the link is down */

	uint64_t *packets_in, *bytes_in, *packets_out, *bytes_out;
	uint64_t *dropped_in, *dropped_out;
};

/* plugin.c: the device was deleted. */
void tun_gone(struct tun *t);

/* The watch's callback. */
void tun_ready(void *arg, unsigned events);

#endif
