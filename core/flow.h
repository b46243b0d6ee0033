/* SPDX-License-Identifier: GPL-2.0-or-later */
/* flow.h - datagrams of one client endpoint, to any number of peers.
 *
 * Each destination is routed on its own; a flow has one leg an outbound that
 * was chosen. The core owns a flow until its turn ends it. */
#ifndef WEIR_CORE_FLOW_H
#define WEIR_CORE_FLOW_H

#include "core.h"

/* The inbound's handle, or NULL where a bound is reached or weir drains. */
struct weir_end *flow_accept(struct weir_instance *inbound,
			     const struct weir_session_info *,
			     const struct weir_flow_ops *, void *f);
/* End the flow that was idle longest, with this turn; false: there is none. */
bool flow_evict(struct core *);
void flow_end_all(struct core *);

#endif
