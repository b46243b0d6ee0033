/* SPDX-License-Identifier: GPL-2.0-or-later */
/* burst.h - what waits for the end of a burst of packets from a link. */
#ifndef NETSTACK_BURST_H
#define NETSTACK_BURST_H

#include <stdbool.h>

struct conn;
struct netstack;

/* May what the connection has to send wait for the end of the burst that comes
 * in? Then it is sent there. False: there is none, or no room in the list. */
bool burst_waits(struct conn *c);
void burst_done(struct netstack *s);
void burst_forget(struct conn *c); /* it goes away */

#endif
