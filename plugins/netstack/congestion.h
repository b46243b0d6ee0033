/* SPDX-License-Identifier: GPL-2.0-or-later */
/* congestion.h - how much may be in flight. CUBIC (RFC 9438) with HyStart++'s
 * test for a filling queue (RFC 9406); knows nothing of lwIP. */
#ifndef NETSTACK_CONGESTION_H
#define NETSTACK_CONGESTION_H

#include <stdbool.h>
#include <stdint.h>

struct congestion {
	uint32_t cwnd, ssthresh, mss; /* bytes */
	uint32_t undo_cwnd, undo_ssthresh;
	/* CUBIC, in segments and seconds */
	float w_max, k, w_est, origin;
	uint64_t epoch_us;
	/* HyStart++: the least RTT of this round and of the one before */
	uint32_t round_end, round_min_us, last_min_us;
	uint8_t round_samples;
};

void congestion_init(struct congestion *cc, uint32_t mss, uint32_t next_seq);

/* `bytes` were delivered while `in_flight` were out before. */
void congestion_acked(struct congestion *cc, uint32_t bytes, uint32_t in_flight,
		      uint32_t min_rtt_us, uint64_t now_us);
void congestion_rtt(struct congestion *cc, uint32_t rtt_us);
/* The cumulative ACK moved: closes rounds, may end slow start. */
void congestion_round(struct congestion *cc, uint32_t ack, uint32_t next_seq);
void congestion_loss(struct congestion *cc); /* a new episode */
void congestion_timeout(
	struct congestion *cc);		     /* everything is presumed lost */
void congestion_undo(struct congestion *cc); /* it was reordering */

#endif
