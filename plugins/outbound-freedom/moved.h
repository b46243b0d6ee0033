/* SPDX-License-Identifier: GPL-2.0-or-later */
/* moved.h - peers of a flow that `redirect` moved, each beside the address that
 * its datagrams go to. */
#ifndef OUTBOUND_FREEDOM_MOVED_H
#define OUTBOUND_FREEDOM_MOVED_H

#include <weir/plugin.h>

#include <stdbool.h>

struct moved; /* a list; NULL: nobody was moved */

/* What is for `shown` goes to `real`. False: no memory. */
bool moved_note(struct moved **, const struct weir_addr *shown,
		const struct weir_addr *real);
/* Whose answer it is: the peer last spoken to there; else `real` itself. */
const struct weir_addr *moved_shown(const struct moved *,
				    const struct weir_addr *real);
void moved_free(struct moved **);

#endif
