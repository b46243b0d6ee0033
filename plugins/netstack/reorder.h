/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reorder.h - payload that came ahead of a hole, and what the sender is told
 * of it. A connection that misses nothing has no struct reorder. */
#ifndef NETSTACK_REORDER_H
#define NETSTACK_REORDER_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct pbuf;
struct tcp_pcb;

/* A segment that begins at `seq`, beyond what is expected next. Takes `p`, one
 * pbuf, its payload (NULL: it has none). */
void reorder_keep(struct conn *c, uint32_t seq, struct pbuf *p, bool fin);

/* rcv_nxt moved: what follows it now is added to what was received. */
void reorder_join(struct conn *c);

/* Is a FIN that came early the next thing expected? Once lwIP has taken it
 * nothing is kept any more. */
bool reorder_fin_due(const struct conn *c);

/* These bytes came once more (RFC 2883). */
void reorder_repeated(struct conn *c, uint32_t left, uint32_t right);

/* Is there something the sender was not told? Put it where the next ACK takes
 * its SACK blocks from; told: it went out. */
bool reorder_untold(const struct conn *c);
bool reorder_urgent(const struct conn *c); /* and not to wait for long */
void reorder_tell(struct conn *c);
void reorder_told(struct conn *c);

void reorder_free(struct conn *c); /* forget it all */

#endif
