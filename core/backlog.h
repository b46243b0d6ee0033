/* SPDX-License-Identifier: GPL-2.0-or-later */
/* backlog.h - copies of datagrams that have to wait for a moment: for an
 * outbound that opens, or for the end of the turn. Bounded; what does not fit
 * is the caller's to count. */
#ifndef WEIR_CORE_BACKLOG_H
#define WEIR_CORE_BACKLOG_H

#include <weir/stream.h>

#define BACKLOG_DATAGRAMS 64
#define BACKLOG_BYTES (256u << 10)

struct backlog_item;

struct backlog {
	struct backlog_item *first, *last;
	unsigned count;
	size_t bytes;
};

bool backlog_put(struct backlog *, const struct weir_datagram *);
/* Hand every item to `give`, oldest first, and forget it. What is put
 * meanwhile stays for the next call. */
void backlog_drain(struct backlog *,
		   void (*give)(void *arg, const struct weir_datagram *),
		   void *arg);
void backlog_clear(struct backlog *);

#endif
