/* SPDX-License-Identifier: GPL-2.0-or-later */
/* narrow.h - far sides whose path takes less than the link does. */
#ifndef NETSTACK_NARROW_H
#define NETSTACK_NARROW_H

#include "stack.h"

/* A router was believed that what goes to `remote` may have `mtu` bytes. What
 * quotes a segment in flight is known of all that goes there, what quotes a
 * datagram, which is guessed more easily, not of segments. */
void narrow_learn(struct weir_link *link, const struct tuple *remote,
		  uint32_t mtu);

/* Bytes that a packet to it may have; the link's MTU where nothing is known. */
uint32_t narrow_mtu(const struct weir_link *link, const struct tuple *remote);

#endif
