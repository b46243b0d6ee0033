/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dispatch.h - where a session goes, and the words about it. */
#ifndef WEIR_CORE_DISPATCH_H
#define WEIR_CORE_DISPATCH_H

#include "core.h"

/* Whether there is room for one more session; where there is none that is
 * counted. */
bool dispatch_admits(struct core *);
/* How many streams there is room for: flows make way where descriptors are
 * few. */
uint64_t dispatch_room(const struct core *);
/* The bound on flows: half of the sessions and of the descriptors are left to
 * streams. */
uint64_t dispatch_flows_most(const struct core *);

/* A private copy of what an inbound said of a session, its user and the
 * target's name included. */
struct dispatch_info {
	struct weir_session_info info;
};

void dispatch_info_init(struct dispatch_info *, const struct weir_instance *,
			const struct weir_session_info *);
void dispatch_info_fini(struct dispatch_info *);

/* The outbound for this session towards `target`; NULL: the one that was
 * chosen does not carry this network. */
struct weir_instance *dispatch_outbound(struct weir_instance *inbound,
					const struct weir_session_info *,
					const struct weir_addr *target);

/* The one line of an ended session. */
struct dispatch_end {
	const struct weir_session_info *info;
	const char *inbound, *outbound, *why;
	uint64_t up_bytes, down_bytes, started_us;
};
void dispatch_log(const struct dispatch_end *);

#endif
