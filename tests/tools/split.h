/* SPDX-License-Identifier: GPL-2.0-or-later */
/* split.h - the two halves of the split limit: split.c has the device and the
 * loop, split_conn.c the little of TCP that there is. */
#ifndef TESTS_TOOLS_SPLIT_H
#define TESTS_TOOLS_SPLIT_H

#include <stdbool.h>
#include <stdint.h>

struct split {
	int tun, poll;
	bool vnet;	 /* a virtio_net_hdr precedes each packet */
	bool trains;	 /* the device takes and gives them */
	uint32_t unit;	 /* payload bytes of a packet on the wire */
	uint64_t stalls; /* the device or a socket had no room */
};
extern struct split split;

#define SPLIT_HEADERS 40u /* IPv4 and TCP without options, bytes */
#define SPLIT_TRAIN 65000u

/* One packet or train from the device, IP header first. */
void conn_input(const uint8_t *ip, uint32_t len);
void conn_event(void *conn, uint32_t events);
/* What the events left to do; false: there is more. */
bool conn_run(void);

/* Headers at `head`, `len` bytes of payload; the lengths and checksums are
 * filled in here. */
void split_send(uint8_t *head, const uint8_t *payload, uint32_t len);

#endif
