/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netif.h - a link as lwIP sees it. */
#ifndef NETSTACK_NETIF_H
#define NETSTACK_NETIF_H

#include "stack.h"

bool netif_open(struct weir_link *link, struct weir_error *e);
void netif_close(struct weir_link *link); /* resets its connections */

#endif
