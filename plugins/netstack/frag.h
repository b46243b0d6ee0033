/* SPDX-License-Identifier: GPL-2.0-or-later */
/* frag.h - reassembly of IPv4 and IPv6 fragments. */
#ifndef NETSTACK_FRAG_H
#define NETSTACK_FRAG_H

#include "stack.h"

bool frag_init(struct netstack *s);
/* Once no link is left. */
void frag_fini(struct netstack *s);

/* A fragment; the caller keeps its memory. Returns a buffer with the whole
 * packet, its length in *len, once the last piece has come. */
struct weir_buffer *frag_input(struct weir_link *link, const struct packet *p,
			       uint32_t *len);
/* The link goes: forget what came from it. */
void frag_detach(struct weir_link *link);

#endif
