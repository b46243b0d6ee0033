/* SPDX-License-Identifier: GPL-2.0-or-later */
/* impair_path.h - one direction of a bad network, in the caller's time.
 *
 * A path owns every packet between impair_path_take() and
 * impair_path_release(). It knows no clock and no file: whoever drives it
 * says what time it is, so a test can drive it without waiting. */
#ifndef TESTS_TOOLS_IMPAIR_PATH_H
#define TESTS_TOOLS_IMPAIR_PATH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define IMPAIR_NEVER UINT64_MAX

/* Shares are from 0 to 1. Everything zero is a perfect path. */
struct impair_settings {
	double loss;
	double burst_in, burst_out; /* Gilbert: a packet's chance to change */
	double duplicate;
	double reorder; /* share held back, by so much: */
	uint64_t reorder_ns;
	double corrupt; /* share with one bit flipped */
	uint64_t delay_ns, jitter_ns;
	uint64_t rate_bits;   /* a second; 0: no limit */
	uint64_t queue_bytes; /* before the rate; what exceeds it is dropped */
	uint64_t seed;
	uint32_t mtu_bytes;
};

/* received + duplicated = forwarded + refused + lost + overflowed + inside */
struct impair_counters {
	uint64_t received, forwarded, lost, overflowed, refused;
	uint64_t duplicated, reordered, corrupted, inside, bytes;
};

struct impair_path;

struct impair_path *impair_path_new(const struct impair_settings *);

/* Room for one packet of the MTU; the same until it is taken. */
uint8_t *impair_path_room(struct impair_path *);

/* Decide on the packet that lies in the room. */
void impair_path_take(struct impair_path *, size_t len, uint64_t now_ns);

/* When the next packet leaves; IMPAIR_NEVER without one. */
uint64_t impair_path_due_ns(const struct impair_path *);

/* The packet that is due, NULL without one. Release it before the next. */
const uint8_t *impair_path_next(const struct impair_path *, uint64_t now_ns,
				size_t *len);
void impair_path_release(struct impair_path *, bool delivered);

const struct impair_counters *impair_path_counters(const struct impair_path *);
void impair_path_free(struct impair_path *);

#endif
