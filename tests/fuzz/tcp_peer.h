/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp_peer.h - a TCP peer that says what a script wants: nearly what is right,
 * by the present numbers of both sides.
 *
 * What is missing of the script is zero, and zero is what a well-behaved peer
 * would say. */
#ifndef FUZZ_TCP_PEER_H
#define FUZZ_TCP_PEER_H

#include "client.h"

#define PEER_HELD 4

/* How a segment goes to the stack. */
#define BY_PUT 0x01
#define AS_TRAIN 0x02
#define MARKED 0x04

struct tcp_peer {
	struct sim_link *link;
	struct path path;
	uint16_t window;
	bool stamps;
	uint32_t iss, sent, acked; /* sent: next; acked: by the stack */
	uint32_t next, top; /* of the stack: expected, beyond all it sent */
	uint32_t stamp, echo;
	struct {
		uint32_t left, right;
	} held[PEER_HELD]; /* what came beyond a gap */
	unsigned held_at;
};

void script_begin(const uint8_t *data, size_t size);
bool script_goes_on(void);
uint8_t script_byte(void);
/* Up to 65,520, of all magnitudes alike. */
uint32_t script_amount(void);

/* The SYN of a new connection. */
void peer_call(struct tcp_peer *p, struct sim_link *l, struct path path,
	       uint8_t how);
void peer_speak(struct tcp_peer *p);
/* A router's word that a segment to the peer was too big. */
void peer_refuse_size(struct tcp_peer *p);
/* This came for it, or came and was lost. */
void peer_hear(struct tcp_peer *p, const struct seen *s, bool lost);

/* The payload at a sequence number. */
uint8_t peer_pattern(uint32_t seq);

#endif
