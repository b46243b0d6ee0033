/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hystart.h - when the first slow start is over; cubic.h embeds it. */
#ifndef NETSTACK_HYSTART_H
#define NETSTACK_HYSTART_H

#include <stdbool.h>
#include <stdint.h>

struct hystart {
	uint32_t round_end;		    /* sequence number */
	uint32_t round_min_us, last_min_us; /* least RTT: this round, before */
	uint32_t recent_us;		    /* least of the last samples */
	uint32_t baseline_us; /* where the queue began; none: did not */
	uint8_t samples;      /* in recent_us */
	uint8_t careful_rounds;
	bool fills_on; /* since it began */
};

void hystart_init(struct hystart *h, uint32_t next_seq);
void hystart_rtt(struct hystart *h, uint32_t rtt_us); /* a sample */
/* The window was filled and `acked` bytes arrived: grow it by how much? */
uint32_t hystart_grow(struct hystart *h, uint32_t acked);
/* Each ACK ends here. True: slow start is over. */
bool hystart_over(struct hystart *h, uint32_t ack, uint32_t next_seq);

#endif
