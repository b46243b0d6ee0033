/* SPDX-License-Identifier: GPL-2.0-or-later */
/* policy.h - levels and their limits. */
#ifndef WEIR_CORE_POLICY_H
#define WEIR_CORE_POLICY_H

#include "config.h"

/* The policy of a level; level 0's where it is not configured. Lives as long
 * as the configuration. */
const struct weir_policy *policy_of(const struct config *, uint32_t level);

/* The idle time of a flow to this port: echoes, and protocols of one question
 * and one answer, are not kept for the general time. Never more than the
 * policy's. */
uint32_t policy_flow_idle_ms(const struct weir_policy *, enum weir_net,
			     uint16_t port);

#endif
