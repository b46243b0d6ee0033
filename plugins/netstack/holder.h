/* SPDX-License-Identifier: GPL-2.0-or-later */
/* holder.h - whose the addresses of a link's clients are. */
#ifndef NETSTACK_HOLDER_H
#define NETSTACK_HOLDER_H

#include "stack.h"

#define ADDRESS_PASSED_ON "the client's address is no longer its own"

/* As the link's owner says; 0: nobody's, or it does not say. */
uint64_t holder_of(const struct weir_link *link,
		   const struct weir_addr *client);
/* End what began under another holder than there is now. */
void holder_recheck(struct weir_link *link);

#endif
