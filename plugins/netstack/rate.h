/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rate.h - how fast a path delivers (draft-cheng-iccrg-delivery-rate-
 * estimation): an ACK says how much arrived since the segment it covers was
 * sent, and in what time. */
#ifndef NETSTACK_RATE_H
#define NETSTACK_RATE_H

#include <stdbool.h>
#include <stdint.h>

/* Of a connection. Bytes, and times of the host's clock; of most their low
 * halves, since only what was in flight at one time is compared. */
struct rate {
	uint64_t delivered;
	uint32_t delivered_us, first_sent_us;
	uint32_t limited_until; /* delivered; 0: the path is the limit */
	uint32_t lost;
};

/* Of a segment, as it was when it was sent; the low halves of the above. */
struct rate_note {
	uint32_t sent_us, first_sent_us, delivered_us;
	uint32_t delivered, lost;
	uint32_t in_flight : 31, app_limited : 1; /* it included */
};

/* Gathered from what one ACK covers: the newest segment counts. */
struct rate_probe {
	struct rate_note note;
	bool any;
};

struct ack_sample;

void rate_sent(struct rate *r, struct rate_note *note, uint64_t now_us,
	       uint32_t in_flight, uint32_t bytes);
void rate_delivered(struct rate *r, const struct rate_note *note,
		    uint32_t bytes, uint64_t now_us, struct rate_probe *probe);
/* `in_flight` bytes will be acknowledged before the application's pause is. */
void rate_limited(struct rate *r, uint32_t in_flight);
void rate_sample(struct rate *r, const struct rate_probe *probe,
		 uint32_t min_rtt_us, struct ack_sample *s);

#endif
