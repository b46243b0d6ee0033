/* SPDX-License-Identifier: GPL-2.0-or-later */
/* segment.h - which segments of a known connection lwIP may work on. */
#ifndef NETSTACK_SEGMENT_H
#define NETSTACK_SEGMENT_H

#include "conn.h"

#include "lwip/prot/tcp.h"

/* Before lwIP works on it; header fields in host order, `len` bytes of
 * options and `payload` bytes of data. False: it is dropped, and answered if
 * it has to be. */
bool segment_acceptable(struct conn *c, const struct tcp_hdr *tcp, uint32_t len,
			uint32_t payload);
/* After lwIP has worked on one. */
void segment_done(struct conn *c);

/* Options of TCP; packet.c has seen to it that their lengths are good. */
#define OPTION_END 0
#define OPTION_NOP 1
#define OPTION_MSS 2
#define OPTION_SACK 5
#define OPTION_STAMP 8
#define OPTION_STAMP_LEN 10

/* The first that is no padding, from `at` on; NULL: there is none. The one
 * after it begins at[1] bytes on. */
static inline const uint8_t *segment_option(const uint8_t *at,
					    const uint8_t *end)
{
	while (at < end && *at == OPTION_NOP)
		at++;
	return at < end && *at != OPTION_END ? at : NULL;
}

/* The value of the timestamp among these options. */
bool segment_stamp(const uint8_t *options, uint32_t len, uint32_t *stamp);

#endif
