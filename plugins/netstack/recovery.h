/* SPDX-License-Identifier: GPL-2.0-or-later */
/* recovery.h - what is in flight, what was lost, how long a round trip takes.
 * One struct a connection; whatever sends, resends or hears of it works on
 * that, and nothing outside of TCP. */
#ifndef NETSTACK_RECOVERY_H
#define NETSTACK_RECOVERY_H

#include "congestion.h"
#include "pace.h"
#include "rate.h"

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct flight;
struct tcp_pcb;
struct tcp_seg;

/* Bits of tcp_seg.flags that lwIP leaves free, the first because it copies
 * nothing into a segment (LWIP_CHECKSUM_ON_COPY). */
#define SEGMENT_REPEATED 0x04u /* went out more than once, ever */
#define SEGMENT_SACKED 0x20u
#define SEGMENT_LOST 0x40u
#define SEGMENT_RESENT 0x80u /* since it was lost */

struct recovery {
	struct flight *flight; /* NULL: nothing is in flight */
	struct rate rate;
	struct pace pace;
	uint32_t mss;		 /* payload bytes of a packet on the wire */
	uint32_t train;		 /* payload bytes of a segment, at most */
	uint32_t train_most;	 /* what it may grow to without loss */
	uint32_t sacked, lost;	 /* bytes in flight so marked */
	uint32_t highest_sacked; /* sequence number */
	uint32_t recover;	 /* an episode of loss ends here */
	uint32_t train_since;	 /* delivered when one was lost last */
	uint32_t srtt_us, rttvar_us, rto_us, min_rtt_us;
	uint32_t rack_rtt_us, rack_end;
	uint64_t rack_sent_us;	/* newest send time of anything delivered */
	uint64_t reorder_at_us; /* then a segment is no longer just late */
	uint32_t dsack_round;	/* only what comes twice beyond it widens */
	uint32_t resent;	/* bytes of this episode not proved needless */
	union {
		uint32_t resent_end;   /* what ACKs up to there still do */
		uint32_t resent_stamp; /* of the first after a timeout */
	};
	uint8_t backoff : 5;
	uint8_t duplicates : 3; /* ACKs in a row, of a peer without SACK */
	uint8_t reorder_quarters : 2; /* of the least round trip: the window */
	uint8_t calm_episodes : 5;    /* of loss, since it was widened */
	bool in_recovery : 1, after_timeout : 1, force : 1;
	bool probe_out : 1, reordering : 1, timer_is_probe : 1;
	bool in_doubt : 1;	/* no ACK beyond resent_end has come */
	bool tail_in_doubt : 1; /* was what a probe sent again lost? */
	bool joined : 1;	/* to the episode before, which was in doubt */
	bool marked : 1;   /* an episode without loss: packets were marked */
	bool answered : 1; /* so are further marks, until `recover` is passed */
	struct congestion cc; /* last, as its last part is cut */
};

/* After the handshake: sizes and the first window. `train` is how much the
 * link takes in one piece. */
void recovery_init(struct conn *c, uint32_t wire_mss, uint32_t train);
uint32_t recovery_pipe(const struct conn *c); /* bytes believed in flight */
void recovery_sent(struct conn *c, struct tcp_seg *seg); /* it went out now */
void recovery_arm(struct conn *c);     /* start the retransmission timer */
void recovery_timeout(struct conn *c); /* it fired */
/* The window has shrunk for all that is in flight now. */
void recovery_reduced(struct conn *c);
void recovery_late(struct conn *c); /* reorder_at_us has come */

/* tcp_out.c: send this segment (again) now. */
bool tcp_resend(struct tcp_pcb *pcb, struct tcp_seg *seg);

#endif
