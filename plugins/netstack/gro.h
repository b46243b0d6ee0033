/* SPDX-License-Identifier: GPL-2.0-or-later */
/* gro.h - packets that come small become trains where they are received. Part
 * of a link; between bursts it holds nothing. */
#ifndef NETSTACK_GRO_H
#define NETSTACK_GRO_H

#include "packet.h"

#define GRO_GROUP 16
#define GRO_HEADERS_MOST 100u /* IPv6, TCP with all its options */

struct gro {
	struct weir_buffer *slab; /* of the train, or of what was lent */
	struct packet train;	  /* data is NULL while none is being built */
	uint32_t unit;		  /* payload bytes of its segments */
	uint8_t *room;		  /* what was lent last */
	uint8_t saved[GRO_HEADERS_MOST]; /* of the train, where room begins */

	/* Complete, to be looked up together. */
	int n;
	struct packet ready[GRO_GROUP];
	struct weir_buffer *buffers[GRO_GROUP];
};

struct weir_link;

uint8_t *gro_room(struct weir_link *link, uint32_t bytes);
void gro_put(struct weir_link *link, uint32_t len, unsigned flags);
void gro_flush(struct weir_link *link);
void gro_detach(struct weir_link *link); /* forget what came */

#endif
