/* SPDX-License-Identifier: GPL-2.0-or-later */
/* cut.h - a packet or train from a link, piece by piece, each with its own
 * header and checksum. */
#ifndef WIREGUARD_CUT_H
#define WIREGUARD_CUT_H

#include <weir/netstack.h>

#define ECN_MASK 3u
#define ECN_NONE 0u
#define ECN_ECT1 1u
#define ECN_ECT0 2u
#define ECN_CE 3u

/* IPv4 and TCP with all their options, or IPv6 with some. */
#define CUT_HEADER_MAX 160u

struct cut {
	const struct weir_egress *e;
	/* The first bytes of the packet: of a train its IP and transport
	 * headers, else what there is. */
	uint8_t header[CUT_HEADER_MAX];
	uint32_t header_len;
	uint32_t len;	 /* of the whole */
	uint32_t at;	 /* bytes of payload that are done */
	uint32_t left;	 /* and those that are not */
	uint16_t pieces; /* done */
	bool done;
	/* Where in the views the next byte lies. */
	const struct iovec *view;
	size_t offset;
};

/* False: no IP packet, or a train that cannot be cut. `e` is borrowed. */
bool cut_begin(struct cut *c, const struct weir_egress *e);
static inline bool cut_more(const struct cut *c)
{
	return !c->done;
}
/* The length of the next piece; write it, or leave it out. */
uint32_t cut_len(const struct cut *c);
void cut_write(struct cut *c, uint8_t *to);
void cut_skip(struct cut *c);

/* The ECN field of an IP packet, whose first two bytes are there. */
static inline uint8_t packet_ecn(const uint8_t *packet)
{
	return (packet[0] >> 4 == 6 ? packet[1] >> 4 : packet[1]) & ECN_MASK;
}

#endif
