/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prr.h - how much goes out while the window shrinks; cubic.h embeds it. */
#ifndef NETSTACK_PRR_H
#define NETSTACK_PRR_H

#include <stdint.h>

struct prr {
	uint32_t flight;    /* bytes, when it began; 0: no ACK was seen since */
	uint32_t delivered; /* since then */
};

struct ack_sample;

/* The window for now, on its way to `goal`. `sent`: bytes since it began. */
uint32_t prr_window(struct prr *p, const struct ack_sample *s, uint32_t goal,
		    uint32_t sent, uint32_t mss);

#endif
