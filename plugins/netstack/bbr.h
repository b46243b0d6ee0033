/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bbr.h - what BBR keeps of a connection; congestion.h embeds it. Rates are
 * bytes a second, amounts bytes; names are the draft's where it has one. */
#ifndef NETSTACK_BBR_H
#define NETSTACK_BBR_H

#include <stdbool.h>
#include <stdint.h>

struct bbr {
	uint64_t max_bw[2]; /* the best of the last two probes */
	uint64_t bw, bw_lo, bw_latest, full_bw;
	uint64_t next_round, loss_round; /* end when that much is delivered */
	uint64_t cycle_us, cycle_for_us;
	uint64_t min_rtt_at_us, probe_rtt_at_us, probe_rtt_done_us;
	uint64_t extra_begun_us;
	uint32_t inflight_hi, inflight_lo, inflight_latest;
	uint32_t min_rtt_us, probe_rtt_min_us;
	uint32_t extra_acked[2], extra_delivered;
	uint32_t up_each, up_acked; /* grow by a segment for so much acked */
	uint32_t saved_cwnd, round_lost, random;
	uint32_t quiet_rtt_us, quiet_lost; /* of this round, if it is quiet */
	uint8_t mode, ack_phase, up_rounds, full_bw_count, loss_events;
	uint8_t extra_rounds, bw_rounds, crowd;
	bool round_start : 1, loss_round_start : 1;
	bool quiet : 1, full_bw_now : 1, full_bw_reached : 1, probe_samples : 1;
	bool probe_rtt_round_done : 1, after_timeout : 1;
};

/* True while the sender is to count as limited by its application: what it
 * delivers says nothing about the path. */
struct congestion;
bool bbr_holds_back(const struct congestion *cc);
/* True while nothing is known of the path: a flight that the peer's window cut
 * short does not show that it grows no more. */
bool bbr_is_starting(const struct congestion *cc);

#endif
