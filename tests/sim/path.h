/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path.h - streams over a path in virtual time: a rate, a round trip, a queue
 * and random loss lie between two links of the stack. One path a process. */
#ifndef SIM_PATH_H
#define SIM_PATH_H

#include "sim.h"

#define PATH_STREAMS 4
#define SECOND (1000 * SIM_MS)

/* Of most paths. */
#define RATE 12500000ull /* bytes a second: 100 Mbit/s */
#define RTT_US (50 * SIM_MS)

struct path_conf {
	uint64_t rate; /* bytes a second */
	uint64_t rtt_us, queue_us;
	double loss;
	uint32_t offloads;  /* of the links */
	uint32_t mtu_bytes; /* of the links; 0: 1500 */
};

struct stream {
	struct weir_end *from, *to;
	uint64_t got;
	bool paused;
};

struct seen {
	double mbit[PATH_STREAMS];
	/* how long a packet waited in the queue */
	uint64_t queue_least_us, queue_most_us, queue_mean_us;
	uint64_t stall_us; /* the longest in which the first got nothing */
};

extern struct sim_link near_, far_; /* the streams go from near to far */
extern struct stream streams[PATH_STREAMS];

void path_open(const struct path_conf *conf, int congestion);
void path_close(void);
void stream_open(struct stream *s, bool v6);
struct seen work_for(uint64_t us);

#endif
