/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rate.c - delivery rate samples.
 *
 * A segment remembers how much had been delivered when it left, and when. Once
 * it is acknowledged, what was delivered between is divided by the longer of
 * two times: that of sending, or a burst of ACKs would look fast, and that of
 * receiving. Less than a round trip is no sample at all. While the application
 * has nothing to send the path does not show what it can do: such a sample is
 * marked. */
#include "rate.h"

#include "congestion.h"

void rate_sent(struct rate *r, struct rate_note *note, uint64_t now_us,
	       uint32_t in_flight, uint32_t bytes)
{
	if (!in_flight || !r->delivered_us)
		r->first_sent_us = r->delivered_us = (uint32_t)now_us;
	*note = (struct rate_note){
		.sent_us = (uint32_t)now_us,
		.first_sent_us = r->first_sent_us,
		.delivered_us = r->delivered_us,
		.delivered = (uint32_t)r->delivered,
		.lost = r->lost,
		.in_flight = (in_flight + bytes) & INT32_MAX,
		.app_limited = r->limited_until != 0,
	};
}

void rate_delivered(struct rate *r, const struct rate_note *note,
		    uint32_t bytes, uint64_t now_us, struct rate_probe *probe)
{
	int32_t newer = (int32_t)(note->delivered - probe->note.delivered);

	r->delivered += bytes;
	r->delivered_us = (uint32_t)now_us;
	if (!probe->any || newer > 0 ||
	    (!newer && (int32_t)(note->sent_us - probe->note.sent_us) >= 0)) {
		probe->note = *note;
		probe->any = true;
		r->first_sent_us = note->sent_us;
	}
}

void rate_limited(struct rate *r, uint32_t in_flight)
{
	r->limited_until = (uint32_t)r->delivered + in_flight;
	r->limited_until += !r->limited_until;
}

void rate_sample(struct rate *r, const struct rate_probe *probe,
		 uint32_t min_rtt_us, struct ack_sample *s)
{
	const struct rate_note *note = &probe->note;
	uint32_t sending, receiving, interval;

	if (r->limited_until &&
	    (int32_t)((uint32_t)r->delivered - r->limited_until) > 0)
		r->limited_until = 0;
	s->delivered = r->delivered;
	if (!probe->any)
		return;
	sending = note->sent_us - note->first_sent_us;
	receiving = r->delivered_us - note->delivered_us;
	interval = sending > receiving ? sending : receiving;
	s->over_interval = (uint32_t)r->delivered - note->delivered;
	s->prior_delivered = r->delivered - s->over_interval;
	s->sent_in_flight = note->in_flight;
	s->lost_since = r->lost - note->lost;
	s->app_limited = note->app_limited;
	if (interval && interval >= min_rtt_us)
		s->rate = s->over_interval * 1000000ull / interval;
}
