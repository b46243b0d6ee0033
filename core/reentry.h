/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reentry.h - what weir sends must not come back in.
 *
 * Where the routes lead what an outbound sends into a TUN of weir's own, each
 * session opens the next one, until there is no room for any. */
#ifndef WEIR_CORE_REENTRY_H
#define WEIR_CORE_REENTRY_H

#include "core.h"

/* Why a new session cannot go by its outbound; the log was told as well. NULL:
 * that outbound has not sent it, as far as was looked. */
const char *reentry_why(const struct weir_instance *outbound,
			const struct weir_session_info *);

#define REENTRY_ERRNO ENETUNREACH /* what its client is told */

#endif
