/* SPDX-License-Identifier: GPL-2.0-or-later */
/* client.h - packets as a client on the link would send and read them, made by
 * hand: every field is the test's to set. */
#ifndef SIM_CLIENT_H
#define SIM_CLIENT_H

#include "sim.h"

/* Where a test needs one link and no more: what it begins and ends with. */
extern struct sim_link tun;
void tun_begin(void);
void tun_end(void);

#define FIN 0x01
#define SYN 0x02
#define RST 0x04
#define PSH 0x08
#define ACK 0x10

#define PACKET_MOST 65700

/* An endpoint pair; 4 or 16 bytes of address. */
struct path {
	bool v6;
	uint8_t client[16], server[16];
	uint16_t client_port, server_port;
};

struct client {
	struct sim_link *link;
	struct path path;
	uint32_t seq, ack; /* next to send, next expected */
	uint16_t window;
	uint16_t mss; /* offered in the SYN */
	bool plain;   /* SYN without options */
};

/* What came from the stack, taken apart. */
struct seen {
	bool any, v6, tcp, checksum_ok, stamps;
	uint8_t protocol, flags, type, code, ttl;
	uint8_t scale; /* of windows, 0: not there */
	uint16_t source_port, target_port, window, mss;
	uint32_t seq, ack, stamp, len, payload_len, l4;
	uint16_t gso_size;
	uint8_t source[16];
	uint8_t payload[PACKET_MOST];
};

struct path path4(uint16_t client_port, const char *server, uint16_t port);
struct path path6(uint16_t client_port, const char *server, uint16_t port);

/* Build packets into `to`; the length is returned. */
uint32_t make_ip(uint8_t *to, const struct path *p, uint8_t protocol,
		 const void *l4, uint32_t len);
uint32_t make_tcp(uint8_t *to, const struct client *c, uint8_t flags,
		  const void *data, uint32_t len);
uint32_t make_udp(uint8_t *to, const struct path *p, const void *data,
		  uint32_t len);
uint32_t make_echo(uint8_t *to, const struct path *p, uint16_t id, uint16_t seq,
		   const void *data, uint32_t len);
/* ICMP's word that a segment of that number from the server was too big. */
uint32_t make_too_big(uint8_t *to, const struct path *p, uint32_t seq,
		      uint32_t mtu);
void fix_checksums(uint8_t *packet, uint32_t len);

struct client client_of(int v6); /* of the link `tun` */
void client_init(struct client *c, struct sim_link *l, struct path path);
void client_send(struct client *c, uint8_t flags, const void *data,
		 uint32_t len); /* moves seq */

/* One packet of a burst, into the room the stack lends; false: it has none. */
bool link_put(struct sim_link *l, const void *data, uint32_t len);

/* The next packet from the stack; seen.any is false if there is none. */
struct seen *look(struct sim_link *l);
/* The next one that is a TCP segment with payload or these flags. */
struct seen *client_expect(struct client *c, uint8_t flags);

/* fragments.c: bytes [at, at + size) of a packet's payload as a fragment; a
 * whole packet cut into fragments of `most` payload bytes. */
void send_fragment(struct sim_link *l, const uint8_t *whole, uint32_t at,
		   uint32_t size, bool more);
void send_fragments(struct sim_link *l, const uint8_t *whole, uint32_t len,
		    uint32_t most, bool backwards);
/* Put what the stack sent back together, at least the 8 bytes of a header;
 * returns the length behind that. */
uint32_t gather(struct sim_link *l, bool v6, uint8_t *to, uint32_t *fragments);

/* SYN, accept, SYN-ACK, ACK. Returns the core's end. */
struct weir_end *client_open(struct client *c);

#endif
