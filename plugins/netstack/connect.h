/* SPDX-License-Identifier: GPL-2.0-or-later */
/* connect.h - TCP connections outward. */
#ifndef NETSTACK_CONNECT_H
#define NETSTACK_CONNECT_H

#include "stack.h"

/* Answers `end` later; what it returns is for connect_abandon. NULL: it was
 * answered already, with a failure. */
void *connect_open(struct weir_link *link, struct weir_end *end,
		   const struct weir_addr *target);
void connect_abandon(struct weir_link *link, void *pending);

#endif
