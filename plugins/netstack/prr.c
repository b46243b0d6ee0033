/* SPDX-License-Identifier: GPL-2.0-or-later */
/* prr.c - proportional rate reduction (RFC 9937, before that 6937).
 *
 * If a window shrank at once, the sender would be silent until that much has
 * arrived, and a loss of many segments would let it send as many in one burst.
 * Here each ACK lets out a share of what it says has arrived, such that one
 * flight later the goal is in flight. Where so much was lost that less than the
 * goal is in flight already, as much goes out as arrives (the conservative
 * bound), and a segment more for each ACK that moves on and tells of no further
 * loss (slow start, bounded), until the goal is met from below. */
#include "prr.h"

#include "congestion.h"

static uint32_t in_proportion(const struct prr *p, uint32_t goal, uint32_t sent)
{
	uint64_t due =
		((uint64_t)p->delivered * goal + p->flight - 1) / p->flight;

	return due > sent ? (uint32_t)(due - sent) : 0;
}

static uint32_t up_to_goal(const struct prr *p, const struct ack_sample *s,
			   uint32_t goal, uint32_t sent, uint32_t mss)
{
	uint32_t room = p->delivered > sent ? p->delivered - sent : 0;

	if (room < s->arrived)
		room = s->arrived;
	if (s->advanced && !s->newly_lost)
		room += mss;
	return room < goal - s->in_flight ? room : goal - s->in_flight;
}

uint32_t prr_window(struct prr *p, const struct ack_sample *s, uint32_t goal,
		    uint32_t sent, uint32_t mss)
{
	if (!p->flight)
		p->flight = s->prior_in_flight ? s->prior_in_flight : mss;
	p->delivered += s->arrived;
	return s->in_flight + (s->in_flight > goal
				       ? in_proportion(p, goal, sent)
				       : up_to_goal(p, s, goal, sent, mss));
}
