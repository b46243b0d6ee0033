/* SPDX-License-Identifier: GPL-2.0-or-later */
/* session.h - one stream from an inbound to an outbound.
 *
 * The core owns a session from session_accept until its own turn ends it:
 * then both ends are closed, one line is logged, the memory is gone. */
#ifndef WEIR_CORE_SESSION_H
#define WEIR_CORE_SESSION_H

#include "core.h"

/* The inbound's handle, or NULL where a bound is reached or weir drains. */
struct weir_end *session_accept(struct weir_instance *inbound,
				const struct weir_session_info *,
				const struct weir_stream_ops *, void *s);
/* End every session, as weir stops. */
void session_end_all(struct core *);

#endif
