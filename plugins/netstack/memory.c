/* SPDX-License-Identifier: GPL-2.0-or-later */
/* memory.c - one budget for all that the stack holds for others.
 *
 * Counted at its true size is what waits: payload that the core has not read or
 * that is ahead of a hole, what a client has not acknowledged together with
 * what lwIP needs for its segments (block.c), fragments. A part of the budget
 * is set aside for the buffers that links read into, since without them no ACK
 * would come in and nothing be freed, and an eighth for queues that are nearly
 * empty.
 *
 * Of the rest each queue may have as much as half of what is free (dynamic
 * thresholds: Choudhury and Hahne, 1998). So one greedy connection gets a third
 * of it, n of them 1 / (n + 2) each, and something is always free for the next.
 * As the total nears the budget the greedy stop first, windows shrink down to 4
 * KB, and a small flow finds room. What comes in nevertheless is dropped and
 * counted; its sender repeats it. */
#include "memory.h"

#include "buffer.h"
#include "ram.h"

#define RAM_PART 4u /* of what there is: the preset */
#define READING_SLABS 64u
#define NEARLY_EMPTY_PART 8u
#define SHARE_PART 2u
#define SHARE_MOST (1u << 30)

void memory_init(struct netstack *s)
{
	s->memory = s->conf->memory;
	if (!s->memory)
		s->memory = ram_bytes("/proc/self/cgroup", "/sys/fs/cgroup") /
			    RAM_PART;
	if (s->memory < MEMORY_LEAST)
		s->memory = MEMORY_LEAST;
	s->slabs_max = (uint32_t)(s->memory / 2 / SLAB_ROOM);
	s->memory_most = s->memory - READING_SLABS * SLAB_ROOM;
	s->memory_common = s->memory_most - s->memory / NEARLY_EMPTY_PART;
}

void memory_take(struct netstack *s, uint32_t bytes)
{
	s->memory_used += bytes;
	stack_set(s, COUNT_MEMORY, s->memory_used);
	if (s->memory_used > *s->count[COUNT_MEMORY_PEAK])
		stack_set(s, COUNT_MEMORY_PEAK, s->memory_used);
}

void memory_give(struct netstack *s, uint32_t bytes)
{
	s->memory_used -= bytes;
	stack_set(s, COUNT_MEMORY, s->memory_used);
}

uint32_t memory_share(const struct netstack *s)
{
	uint64_t share;

	if (s->memory_used >= s->memory_common)
		return MEMORY_FLOOR;
	share = (s->memory_common - s->memory_used) / SHARE_PART;
	if (share > SHARE_MOST)
		return SHARE_MOST;
	return share < MEMORY_FLOOR ? MEMORY_FLOOR : (uint32_t)share;
}

bool memory_admits(const struct netstack *s, uint64_t held, uint64_t most,
		   uint32_t bytes)
{
	uint64_t used = s->memory_used + bytes;

	if (held + bytes <= MEMORY_FLOOR)
		return used <= s->memory_most;
	return held + bytes <= most && used <= s->memory_common;
}
