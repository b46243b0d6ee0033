/* SPDX-License-Identifier: GPL-2.0-or-later */
/* core.h - what the parts of a running core share.
 *
 * Made and freed by the daemon; nothing here is global. */
#ifndef WEIR_CORE_CORE_H
#define WEIR_CORE_CORE_H

#include "config.h"
#include "loop.h"
#include "resolve.h"
#include "turn.h"

struct session;
struct flow;

/* When reentry.c last looked, found a session of ours, and told of one; 0: not
 * yet. */
struct reentry {
	uint64_t looked_us, found_us, told_us;
};

struct core {
	struct loop *loop;
	struct turn turn;
	struct loop_owner owner; /* the core's own timers: of sessions */
	struct config *config;
	struct registry *registry;
	struct resolver *resolver;

	struct weir_instance **instances; /* services, outbounds, inbounds */
	size_t instance_count;

	struct session *sessions;
	struct flow *flows, *idle_flow; /* last used first; the last of them */
	void *shares;			/* share.c: of the streams */
	uint64_t session_count, refused_full, refused_share;
	uint64_t flow_count, flows_evicted;
	uint64_t fd_limit; /* of the process; 0: none is known */
	struct reentry reentry;
	bool draining; /* no new sessions */

	void (*lost)(struct core *); /* an inbound or service cannot go on */
};

#endif
