/* SPDX-License-Identifier: GPL-2.0-or-later */
/* packet.h - the gate: a packet from outside is taken apart here, and nothing
 * behind the gate reads a length that was not checked. */
#ifndef NETSTACK_PACKET_H
#define NETSTACK_PACKET_H

#include "table.h"

#include <weir/netstack.h>

#define IP4_HEADER 20u
#define IP6_HEADER 40u
#define IP6_FRAGMENT_HEADER 8u
#define TCP_HEADER 20u
#define UDP_HEADER 8u
#define IP_TOTAL_MOST 65535u /* IPv6 does not count its header */
#define ICMP_HEADER 4u	     /* type, code, checksum */
#define ICMP4_UNREACHABLE 3
#define ICMP6_UNREACHABLE 1

#define TCP_FLAGS_AT 13u
#define TCP_FLAG_FIN 0x01u
#define TCP_FLAG_SYN 0x02u
#define TCP_FLAG_RST 0x04u
#define TCP_FLAG_PSH 0x08u
#define TCP_FLAG_ACK 0x10u
#define TCP_FLAG_ECE 0x40u
#define TCP_FLAG_CWR 0x80u

enum drop {
	DROP_NONE,
	DROP_LENGTH,   /* a length that does not fit */
	DROP_VERSION,  /* neither IPv4 nor IPv6 */
	DROP_CHECKSUM, /* wrong, or missing where it must not be */
	DROP_ADDRESS,  /* multicast, unspecified or loopback */
	DROP_OPTION,   /* a broken option or extension header */
	DROP_PROTOCOL, /* nothing we carry */
	DROP_HEADER,   /* nonsense in a TCP, UDP or ICMP header */
	DROP_REASONS,
};

struct packet {
	uint8_t *data;	      /* the IP header */
	uint32_t len;	      /* up to the end of the IP packet */
	uint32_t l4, payload; /* offsets of transport header and payload */
	struct tuple key;     /* remote: source, local: destination */
	uint64_t hash;	      /* of the key, TCP only: filled in by input.c */
	uint32_t tcp_seq;
	uint16_t gso_size; /* payload bytes a segment, 0: one packet */
	uint8_t tcp_flags;

	/* ICMP says that a packet of ours did not arrive, and quotes it: its
	 * transport header lies at `payload`, of a segment tcp_seq is its own.
	 * It was too big: for the MTU it names; or there was no way. */
	uint32_t too_big;
	bool unreachable;
	uint8_t quoted; /* the protocol of the quoted packet */

	/* A fragment: nothing from l4 on was looked at. */
	bool fragment, more;
	uint16_t next_at;     /* IPv6: where the next header of l4 is named */
	uint32_t fragment_at; /* offset in the whole, bytes */
	uint32_t fragment_id;
};

/* Check everything. DROP_NONE fills in *p, which points into the packet. */
enum drop packet_parse(const struct weir_ingress *in, struct packet *p);

/* The same for bytes that came some other way (reassembled ones). */
enum drop packet_parse_bytes(uint8_t *data, uint32_t len, unsigned flags,
			     struct packet *p);

/* Of what an ICMP error quotes, as the stack keeps what it is of. */
void packet_quoted_key(const struct packet *p, struct tuple *key);

/* The endpoints as the SDK has them. */
struct weir_addr packet_source(const struct packet *p);
struct weir_addr packet_target(const struct packet *p);

#endif
