/* SPDX-License-Identifier: GPL-2.0-or-later */
/* share.h - how many of the streams are whose. */
#ifndef WEIR_CORE_SHARE_H
#define WEIR_CORE_SHARE_H

#include <weir/host.h>

struct share;

/* One more for the client that `info` names, where `room` are left; NULL: it
 * has its share already. `shares`: of the core, NULL to begin with. */
struct share *share_take(void **shares, const struct weir_session_info *info,
			 uint64_t room);
void share_return(void **shares, struct share *);

#endif
