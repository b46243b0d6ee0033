/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cut.h - trains for links that take none. */
#ifndef NETSTACK_CUT_H
#define NETSTACK_CUT_H

#include "stack.h"

#define CUT_VIEWS 8 /* of the whole, at most */

/* Send the TCP packet `whole`, whose first view begins with all its headers, as
 * packets of at most `size` bytes of payload. */
void cut_output(struct weir_link *link, const struct weir_egress *whole,
		uint32_t size);

#endif
