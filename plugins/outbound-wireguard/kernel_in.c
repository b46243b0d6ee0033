/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel_in.c - opened packets on their way to the kernel.
 *
 * What a burst brings is merged into trains; the burst's end sends the last. */
#include "kernel.h"

/* A TUN never waits: what it refuses is lost, as on any wire. */
static void send_train(struct kernel *k)
{
	struct weir_egress e;

	if (merge_take(&k->merge, &e) && tun_write(&k->device, &e))
		++*k->dropped;
}

uint8_t *kernel_room(struct weir_link *link, uint32_t bytes)
{
	struct kernel *k = (struct kernel *)link;
	uint8_t *room = merge_room(&k->merge, bytes);

	if (room)
		return room;
	send_train(k);
	return merge_room(&k->merge, bytes);
}

void kernel_put(struct weir_link *link, uint32_t len, unsigned flags)
{
	struct kernel *k = (struct kernel *)link;
	uint8_t *packet = k->merge.room + k->merge.at;

	(void)flags;
	if (!len)
		return;
	if (!guard_enters(&k->guard, packet, len)) {
		++*k->refused;
		return;
	}
	if (merge_add(&k->merge, len))
		return;
	send_train(k);
	memmove(k->merge.room, packet, len);
	merge_room(&k->merge, len);
	merge_add(&k->merge, len);
}

void kernel_flush(struct weir_link *link)
{
	send_train((struct kernel *)link);
}
