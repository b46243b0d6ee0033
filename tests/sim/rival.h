/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rival.h - a sender of another make on the path of the streams: a model of
 * what Linux does with congestion control "bbr", which is version 1. */
#ifndef SIM_RIVAL_H
#define SIM_RIVAL_H

#include "sim.h"

struct rival;

/* It sends through `link` from now on and without an end; an ACK comes back
 * `back_us` after a packet has arrived. */
struct rival *rival_open(struct sim_link *link, uint64_t back_us);
uint64_t rival_got(const struct rival *r); /* bytes of payload, once each */
void rival_close(struct rival *r);

#endif
