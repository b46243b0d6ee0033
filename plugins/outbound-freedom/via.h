/* SPDX-License-Identifier: GPL-2.0-or-later */
/* via.h - through another outbound, where `via` is set. */
#ifndef OUTBOUND_FREEDOM_VIA_H
#define OUTBOUND_FREEDOM_VIA_H

#include "freedom.h"

/* False: no via. Otherwise the open is under way, or failed. */
bool via_open(struct freedom *, struct weir_end *,
	      const struct weir_addr *target, enum weir_net,
	      struct pending **pending);

#endif
