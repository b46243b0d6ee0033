/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sleep.h - notices that this machine has slept. */
#ifndef WIREGUARD_SLEEP_H
#define WIREGUARD_SLEEP_H

#include "tunnel.h"

struct sleep_watch;

/* From now on a tunnel's keys age while the machine sleeps. NULL: they do not,
 * for want of memory or a descriptor. */
struct sleep_watch *sleep_watch_new(struct tunnel *);
void sleep_watch_free(struct sleep_watch *); /* NULL is fine */

#endif
