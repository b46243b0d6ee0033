/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pace.h - when the next segment may leave. */
#ifndef NETSTACK_PACE_H
#define NETSTACK_PACE_H

#include <stdbool.h>
#include <stdint.h>

struct pace {
	uint64_t next_us : 63; /* when all sent has left, at the rate */
	bool waits : 1;	       /* it is what holds the next segment back */
};

void pace_sent(struct pace *p, uint64_t rate, uint32_t bytes, uint64_t now_us);
/* Bytes that may leave in one piece. */
uint32_t pace_piece(uint64_t rate, uint32_t mss);
/* 0: now. Else when to ask again. */
uint64_t pace_wait(const struct pace *p, uint64_t rate, uint64_t now_us);

#endif
