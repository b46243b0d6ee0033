/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.h - one budget for all that the stack holds for others. */
#ifndef NETSTACK_MEMORY_H
#define NETSTACK_MEMORY_H

#include "stack.h"

#define MEMORY_LEAST (16u << 20) /* of the budget */
#define MEMORY_FLOOR 4096u /* a queue may always be that long, if not fuller */

void memory_init(struct netstack *s);

void memory_take(struct netstack *s, uint32_t bytes);
void memory_give(struct netstack *s, uint32_t bytes);

/* How long a queue of one connection may get now, in bytes. */
uint32_t memory_share(const struct netstack *s);

/* May a queue that holds `held` bytes, of which `most` are its due, take
 * `bytes` more? */
bool memory_admits(const struct netstack *s, uint64_t held, uint64_t most,
		   uint32_t bytes);

#endif
