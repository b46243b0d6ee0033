/* SPDX-License-Identifier: GPL-2.0-or-later */
/* spin.h - whether the loop looks for news for a moment before it sleeps. */
#ifndef WEIR_CORE_SPIN_H
#define WEIR_CORE_SPIN_H

#include <stdbool.h>
#include <stdint.h>

struct spin {
	uint32_t wait, work; /* of a turn, in the mean; 256ths of 1 us */
	bool alone;	     /* there is one processor only */
};

void spin_init(struct spin *);
/* A turn waited and worked for so long. */
void spin_note(struct spin *, uint64_t wait_us, uint64_t work_us);
/* For how long to look before the next sleep; 0: not at all. */
uint32_t spin_us(const struct spin *);

#endif
