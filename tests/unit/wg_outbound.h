/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wg_outbound.h - an outbound-wireguard on the fake host without its tunnel:
 * for tests of the parts that look names up and dial. */
#ifndef TESTS_UNIT_WG_OUTBOUND_H
#define TESTS_UNIT_WG_OUTBOUND_H

#include <weir/fakehost.h>

#include "plugins/outbound-wireguard/outbound.h"

struct wg_outbound {
	struct fakehost *host;
	struct weir_instance *instance;
	struct outbound outbound;
	struct outbound_conf conf;
	struct wg_settings settings;
	struct weir_cidr own[2];
	uint64_t unresolved, failures; /* counters */
};

/* `own`: families of the tunnel's addresses, "4", "6" or "46". `servers`
 * (struct weir_addr): asked for names; none: the fake host is. */
void wg_outbound_begin(struct wg_outbound *, const struct weir_component *,
		       enum strategy, const char *own,
		       const struct weir_list *servers);
void wg_outbound_end(struct wg_outbound *);

#endif
