/* SPDX-License-Identifier: GPL-2.0-or-later */
/* route.h - rules to an outbound tag. */
#ifndef WEIR_CORE_ROUTE_H
#define WEIR_CORE_ROUTE_H

#include "config.h"

/* What a rule can ask about. */
struct route_facts {
	const char *inbound;
	const char *user; /* NULL: none */
	enum weir_net net;
	const struct weir_addr *source, *target;
};

/* The tag of the first rule that matches, else of the default. */
const char *route_decide(const struct config *, const struct route_facts *);

#endif
