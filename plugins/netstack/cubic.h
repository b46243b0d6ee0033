/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cubic.h - what CUBIC keeps of a connection; congestion.h embeds it. */
#ifndef NETSTACK_CUBIC_H
#define NETSTACK_CUBIC_H

#include <stdint.h>

struct cubic {
	uint32_t ssthresh, undo_cwnd, undo_ssthresh; /* bytes */
	float w_max, k, w_est, origin;		     /* segments, k: seconds */
	uint64_t epoch_us;
	/* HyStart++: the least RTT of this round and of the one before */
	uint32_t round_end, round_min_us, last_min_us;
	uint8_t round_samples;
};

#endif
