/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dial.h - chaining: an instance opens a stream or flow through an outbound.
 *
 * The dial stands where a session's other end would: what the outbound tells
 * is handed to whoever dialled. It lives until dial_hang_up, or until failed()
 * was told. */
#ifndef WEIR_CORE_DIAL_H
#define WEIR_CORE_DIAL_H

#include "instance.h"

struct weir_dial *dial_open(struct weir_instance *, const char *tag,
			    const struct weir_addr *target, enum weir_net,
			    const struct weir_dialer_ops *, void *arg);
/* What the outbound of its `via` says of its packets. */
uint32_t dial_via_mtu(struct weir_instance *);
void dial_hang_up(struct weir_dial *, int err);
/* End what this instance dialled; the handles stay until they are hung up. */
void dial_hush(struct weir_instance *dialler);
/* End every dial through this outbound, which stops, and tell who dialled. */
void dial_cut(struct weir_instance *outbound);

#endif
