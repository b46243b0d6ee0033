/* SPDX-License-Identifier: GPL-2.0-or-later */
/* bbr_model.h - what bbr.c, the model and what follows from it, and
 * bbr_probe.c, the cycle that keeps it true, share. */
#ifndef NETSTACK_BBR_MODEL_H
#define NETSTACK_BBR_MODEL_H

#include "congestion.h"

#define NONE32 UINT32_MAX
#define NONE64 UINT64_MAX
#define LEAST_SEGMENTS 4u
#define CROWD_SURE 2u

enum mode { STARTUP, DRAIN, DOWN, CRUISE, REFILL, UP, PROBE_RTT };
enum ack_phase { STARTING, FEEDBACK, STOPPING, REFILLING };

static inline uint32_t less32(uint32_t a, uint32_t b)
{
	return a < b ? a : b;
}

static inline uint32_t more32(uint32_t a, uint32_t b)
{
	return a > b ? a : b;
}

static inline uint64_t best_bw(const struct bbr *b)
{
	return b->max_bw[0] > b->max_bw[1] ? b->max_bw[0] : b->max_bw[1];
}

static inline bool in_cycle(const struct bbr *b)
{
	return b->mode >= DOWN && b->mode <= UP;
}

/* Others keep a queue full, and do not mind what they lose. */
static inline bool crowded(const struct bbr *b)
{
	return b->crowd >= CROWD_SURE;
}

static inline void start_round(struct bbr *b, uint64_t delivered)
{
	b->next_round = delivered;
}

static inline void reset_full_bw(struct bbr *b, uint64_t rate)
{
	b->full_bw = rate;
	b->full_bw_count = 0;
	b->full_bw_now = false;
}

static inline void reset_lower_bounds(struct bbr *b)
{
	b->bw_lo = NONE64;
	b->inflight_lo = NONE32;
}

/* bbr.c: bytes that belong in flight at that rate */
uint32_t bbr_bdp(const struct congestion *cc, uint64_t bw, float gain);
uint32_t bbr_target_inflight(const struct congestion *cc);
uint32_t bbr_with_headroom(const struct congestion *cc);
uint32_t bbr_probe_rtt_cwnd(const struct congestion *cc);

/* bbr_probe.c */
bool bbr_too_much_lost(const struct congestion *cc, uint32_t lost,
		       uint32_t in_flight);
void bbr_watch_crowd(struct congestion *cc, const struct ack_sample *s);
void bbr_on_lost(struct congestion *cc, const struct lost_segment *l);
void bbr_start_down(struct congestion *cc, uint64_t delivered, uint64_t now_us);
void bbr_step_cycle(struct congestion *cc, const struct ack_sample *s);
void bbr_update_min_rtt(struct congestion *cc, const struct ack_sample *s);

#endif
