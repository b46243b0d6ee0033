/* SPDX-License-Identifier: GPL-2.0-or-later */
/* congestion.h - how much may be in flight, and how fast it may go out.
 *
 * One struct a connection. recovery.c tells it what an ACK brought, what was
 * lost and when nothing comes any more; the sender obeys `cwnd` and
 * `pacing_rate`. Which algorithm sits behind it is chosen once, by
 * congestion_init. Nothing here knows of lwIP. */
#ifndef NETSTACK_CONGESTION_H
#define NETSTACK_CONGESTION_H

#include "bbr.h"
#include "cubic.h"

#include <stdbool.h>
#include <stdint.h>

/* What one ACK brought. Bytes, unless it says otherwise. */
struct ack_sample {
	uint64_t now_us;
	uint64_t rate;		  /* delivered a second; 0: not known */
	uint64_t delivered;	  /* of the connection, so far */
	uint64_t prior_delivered; /* the same when that segment was sent */
	uint32_t over_interval;	  /* delivered since then */
	uint32_t acked;		  /* delivered by this ACK, as whole segments */
	uint32_t arrived;	  /* in parts; without SACK by count of ACKs */
	uint32_t newly_lost;	  /* found lost by this ACK */
	uint32_t prior_in_flight, in_flight; /* before and after it */
	uint32_t sent_in_flight; /* when that segment was sent, with it */
	uint32_t lost_since;	 /* lost since then */
	uint32_t rtt_us;	 /* 0: none */
	uint32_t srtt_us, min_rtt_us;
	uint32_t ack, next_seq;
	bool advanced; /* the ACK is a higher one than before */
	bool app_limited, in_recovery, ends_timeout;
};

/* A segment that was lost, as it was when it was sent. */
struct lost_segment {
	uint64_t now_us, delivered;
	uint32_t bytes, in_flight, lost_since; /* it included */
	uint32_t over_interval;		       /* delivered since it was sent */
	bool app_limited;
};

struct congestion {
	const struct congestion_ops *ops;
	uint64_t pacing_rate; /* bytes a second; 0: as the window opens */
	uint32_t cwnd, mss;   /* bytes */
	uint32_t sent;	      /* since the algorithm last set it to 0 */
	bool can_undo; /* back to before the first of what may be undone */
	/* Last: there is only as much of it as the algorithm needs. */
	union {
		struct cubic cubic;
		struct bbr bbr;
	} is;
};

struct congestion_ops {
	void (*init)(struct congestion *, uint32_t next_seq, uint32_t srtt_us);
	void (*on_ack)(struct congestion *, const struct ack_sample *);
	void (*on_lost)(struct congestion *, const struct lost_segment *);
	void (*on_loss)(struct congestion *); /* a new episode of loss */
	/* Everything is presumed lost; `again`: an episode was under way. */
	void (*on_timeout)(struct congestion *, bool again);
	/* Packets were marked, or a probe has repaired a loss; at most once a
	 * round trip. NULL: the algorithm goes by how much is lost. */
	void (*on_mark)(struct congestion *);
	void (*undo)(struct congestion *); /* it was reordering */
};

extern const struct congestion_ops congestion_cubic, congestion_bbr;

#define CONGESTION_FIRST_SEGMENTS 10u
#define SHORT_RTT_US 2000u /* up to there nothing is paced */

static inline void congestion_init(struct congestion *cc,
				   const struct congestion_ops *ops,
				   uint32_t mss, uint32_t next_seq,
				   uint32_t srtt_us)
{
	cc->ops = ops;
	cc->pacing_rate = 0;
	cc->cwnd = CONGESTION_FIRST_SEGMENTS * mss;
	cc->mss = mss;
	cc->sent = 0;
	cc->can_undo = false;
	ops->init(cc, next_seq, srtt_us);
}

#endif
