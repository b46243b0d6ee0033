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
	float w_max, k, w_est, origin;		     /* segments, k: seconds */
	uint64_t epoch_us;
	struct hystart hystart;
	bool reducing; /* prr says how, down to ssthresh */
	struct prr prr;
};

#endif
