/* SPDX-License-Identifier: GPL-2.0-or-later */
/* merge.h - opened packets of one TCP connection become a train where they
 * lie. */
#ifndef OUTBOUND_WIREGUARD_MERGE_H
#define OUTBOUND_WIREGUARD_MERGE_H

#include <weir/netstack.h>

#define MERGE_ROOM_BYTES (256u * 1024)
#define MERGE_VIEWS 128u

struct merge {
	bool trains;  /* the reader takes any */
	uint32_t at;  /* where the next packet goes */
	uint32_t len; /* of the train, headers once */
	uint16_t views;
	uint16_t header_len, segment; /* bytes */
	uint16_t transport_at;
	bool mergeable, closed; /* may begin a train; may not grow */
	uint32_t next_seq;
	uint8_t *first; /* its headers */
	struct iovec view[MERGE_VIEWS];
	uint8_t room[MERGE_ROOM_BYTES];
};

/* Where the next packet of at most `bytes` goes; NULL: take what there is
 * (merge_take) first. */
uint8_t *merge_room(struct merge *, uint32_t bytes);
/* The packet of `len` bytes that is there joins the train or, where there is
 * none, begins one. False: take the train first. */
bool merge_add(struct merge *, uint32_t len);
/* The train, complete, or the lone packet; false: there is none. It lies there
 * until the next merge_room. */
bool merge_take(struct merge *, struct weir_egress *);

#endif
