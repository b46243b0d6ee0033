/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cubic.h - what CUBIC keeps of a connection; congestion.h embeds it. */
#ifndef NETSTACK_CUBIC_H
#define NETSTACK_CUBIC_H

#include "hystart.h"
#include "prr.h"

#include <stdbool.h>
#include <stdint.h>

struct cubic {
	uint32_t ssthresh, undo_cwnd, undo_ssthresh; /* bytes */
	float w_max, undo_w_max;		     /* segments */
	/* When the curve of the present window began: the clock in ms, its low
	 * half; 0: it did not, and none does while the window is reduced. */
	uint32_t epoch_ms;
	union {
		struct {
			float k, w_est, origin; /* k: seconds, segments */
			uint32_t acked_ms;	/* the last ACK */
		};
		struct prr prr; /* while reducing: how, down to ssthresh */
	};
	struct hystart hystart;
	bool reducing;
};

#endif
