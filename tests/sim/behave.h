/* SPDX-License-Identifier: GPL-2.0-or-later */
/* behave.h - a TCP peer on the link that says and hears single segments, for
 * tests that each show one behaviour of the stack.
 *
 * Sequence numbers are relative as in a trace: the SYN is 0, the first byte 1.
 * What either side sends follows a pattern, and every byte that comes out is
 * compared with it. Time is virtual. */
#ifndef SIM_BEHAVE_H
#define SIM_BEHAVE_H

#include "client.h"

#include <check.h>

#define URG 0x20
#define ECE 0x40
#define CWR 0x80

/* The ECN field of an IP header. */
#define ECT0 2
#define ECT1 1
#define CE 3

/* Options of the peer's SYN. */
#define OFFER_MSS 1u
#define OFFER_SCALE 2u
#define OFFER_SACK 4u
#define OFFER_STAMPS 8u
#define OFFER_USUAL (OFFER_MSS | OFFER_SCALE | OFFER_SACK)
#define OFFER_ALL (OFFER_USUAL | OFFER_STAMPS)

#define SCALE_NONE (-1)

struct peer {
	struct path path;
	struct weir_end *end;
	uint32_t iss, irs; /* initial sequence numbers: its, the stack's */
	uint16_t window, mss, urgent;
	uint8_t scale;
	uint8_t ecn;  /* in the IP header of what it says */
	uint8_t asks; /* more flags of its SYN: ECE | CWR */
	unsigned offer;
	bool stamps;		/* both sides sent the option */
	bool bursts;		/* what it says waits for burst_end() */
	uint32_t stamp, echo;	/* in the next segment */
	uint32_t read, written; /* by the core */
};

/* A segment from the stack. */
struct heard {
	bool any, sack_allowed, stamps;
	uint8_t flags, ecn;
	int mss, scale; /* 0, SCALE_NONE: not there */
	int sacks;
	uint32_t seq, ack, len, left[4], right[4], stamp, echo;
	uint16_t window, urgent;
};

/* A fresh stack and the link `tun` are there when a test begins; this takes a
 * link of another kind. */
void relink(const struct weir_link_conf *conf);

struct peer peer_new(int v6);
void peer_syn(struct peer *p);	  /* the core is told of it: p->end */
void peer_accept(struct peer *p); /* the core accepts, the SYN-ACK comes */
struct peer peer_open(int v6);	  /* all of it, with OFFER_USUAL */
struct peer peer_open_with(int v6, unsigned offer);
void peer_complete(struct peer *p); /* the same for a peer already set up */

/* The same where the way is long: the last ACK comes after `rtt_us`, and may
 * already have an answer. */
void peer_complete_far(struct peer *p, uint64_t rtt_us);

/* One of that kind, set up, with full segments of FAR_MSS less the options.
 * `number` tells it from others. */
#define FAR_MSS 1000u
#define FAR_RTT (50 * SIM_MS)
struct peer peer_open_far(int v6, unsigned offer, size_t number);
/* So many full segments go out, spread over a time; they would arrive now. */
void peer_flight(struct peer *p, uint32_t segments, uint64_t spread_us);
uint32_t peer_segment(const struct peer *p); /* bytes of a full one */

/* One segment with `len` bytes of the pattern. */
void say(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack,
	 uint32_t len);
void say_options(struct peer *p, uint8_t flags, uint32_t seq, uint32_t ack,
		 uint32_t len, const uint8_t *options, uint32_t options_len);
void burst_end(void);
/* An ACK with SACK blocks: pairs of edges. */
void say_sack(struct peer *p, uint32_t seq, uint32_t ack, int blocks,
	      const uint32_t *edges);

struct heard *hear(struct peer *p); /* the next one; .any: is there one */
void hear_nothing(struct peer *p);
uint32_t hear_all(struct peer *p); /* forget them; returns bytes of payload */
/* The next one within so long; *after_us says when. */
struct heard *hear_within(struct peer *p, uint64_t us, uint64_t *after_us);

/* The core writes so many bytes, reads all there are. */
void core_write(struct peer *p, uint32_t len);
void core_fill(struct peer *p); /* writes until the stack takes no more */
uint32_t core_read(struct peer *p);
bool core_eof(struct peer *p);
void core_finish(struct peer *p);

/* The stack's states, each from ESTABLISHED. */
void reach_fin_wait_1(struct peer *p);
void reach_fin_wait_2(struct peer *p);
void reach_closing(struct peer *p);
void reach_close_wait(struct peer *p);
void reach_last_ack(struct peer *p);
void reach_time_wait(struct peer *p);

/* Run each over IPv4 and IPv6, with CUBIC, and with BBR if wanted; what main
 * returns. */
int behave_main(const char *name, bool bbr, const TTest *const *tests,
		size_t n);

#define BEHAVE_MAIN(name, tests)                                               \
	behave_main(name, true, tests, sizeof(tests) / sizeof *(tests))
#define BEHAVE_CUBIC_MAIN(name, tests)                                         \
	behave_main(name, false, tests, sizeof(tests) / sizeof *(tests))

#endif
