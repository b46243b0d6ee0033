/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tcp_peer.h - a TCP peer that says what a script wants: nearly what is right,
 * by the present numbers of both sides. It calls the stack, or is called by it.
 *
 * What is missing of the script is zero, and zero is what a well-behaved peer
 * would say. */
#ifndef FUZZ_TCP_PEER_H
#define FUZZ_TCP_PEER_H

#include "client.h"

#define PEER_HELD 4
#define PATTERN_MOST (8u << 20)

/* How a segment goes to the stack. */
#define BY_PUT 0x01
#define AS_TRAIN 0x02
#define MARKED 0x04

struct tcp_peer {
	struct sim_link *link;
	struct path path;
	uint16_t window;
	bool stamps;
	bool called;		   /* by the stack */
	bool met;		   /* the stack's first number is known */
	uint32_t iss, sent, acked; /* sent: next; acked: by the stack */
	uint32_t furthest;	   /* beyond all it ever said */
	uint32_t irs, next,
		top;	 /* of the stack: expected, beyond all it sent */
	uint8_t scale;	 /* of the stack's windows, once met */
	uint32_t edge;	 /* of the largest window, since then */
	uint32_t agreed; /* all below was acknowledged by it */
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
/* It waits for the SYN of the stack. */
void peer_wait(struct tcp_peer *p, struct sim_link *l, struct path path);
/* Its SYN-ACK, or its SYN once more. */
void peer_offer(struct tcp_peer *p);
void peer_speak(struct tcp_peer *p);
/* A router's word that a segment to the peer was too big, or did not arrive. */
void peer_refuse(struct tcp_peer *p);
/* Up to where the stack lets it send. */
uint32_t peer_edge(const struct tcp_peer *p, const struct seen *s);
/* This came for it, or came and was lost. */
void peer_hear(struct tcp_peer *p, const struct seen *s, bool lost);

/* The payload from a sequence number on: PATTERN_MOST bytes of it. */
const uint8_t *peer_pattern(uint32_t seq);

#endif
