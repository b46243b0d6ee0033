/* SPDX-License-Identifier: GPL-2.0-or-later */
/* constants.h - every number of the protocol and every bound of the engine.
 *
 * (1) the WireGuard paper, section 6.1; (2) what the Linux module and
 * wireguard-go agree on; (3) our own. Lengths of messages are in message.h;
 * numbers that belong to one small file are there, and are held against the
 * same sources here. */
#ifndef WIREGUARD_CONSTANTS_H
#define WIREGUARD_CONSTANTS_H

#include "cookie.h"
#include "handshake.h"
#include "ratelimit.h"
#include "replay.h"
#include "workers.h"

#define SECOND_US 1000000ull

/* A session's life (1). */
#define REKEY_AFTER_MESSAGES (1ull << 60)
#define REJECT_AFTER_MESSAGES (UINT64_MAX - (1ull << 13))
#define REKEY_AFTER_TIME_US (120 * SECOND_US)
#define REJECT_AFTER_TIME_US (180 * SECOND_US)
#define KEEPALIVE_TIMEOUT_US (10 * SECOND_US)
#define REKEY_TIMEOUT_US (5 * SECOND_US)
#define REKEY_JITTER_US 333000u /* 0 to this much is added (2) */
#define REKEY_ATTEMPT_TIME_US (90 * SECOND_US)
#define REKEY_ATTEMPTS (REKEY_ATTEMPT_TIME_US / REKEY_TIMEOUT_US)

/* A data packet and no word since: begin a handshake (1, 6.5). */
#define SILENCE_US (KEEPALIVE_TIMEOUT_US + REKEY_TIMEOUT_US)

/* The initiator rekeys when it receives with a key that has only just time
 * left for a keepalive and an attempt (1, 6.2): 165 s. */
#define REKEY_ON_RECEIVE_US                                                    \
	(REJECT_AFTER_TIME_US - KEEPALIVE_TIMEOUT_US - REKEY_TIMEOUT_US)

/* Without a new session all key material goes (1, 6.3): 540 s. */
#define ZERO_KEYS_US (3 * REJECT_AFTER_TIME_US)

#define PADDING_BYTES 16u	  /* (1) */
#define HANDSHAKE_TOS 0x88u	  /* AF41, no ECN (2) */
#define UNDER_LOAD_US SECOND_US	  /* it lasts that much longer (2) */
#define STAGED_PACKETS_MAX 128u	  /* a peer (2) */
#define HANDSHAKE_QUEUE_MAX 4096u /* that wait for their turn (2) */
#define HANDSHAKE_QUEUE_MARK (HANDSHAKE_QUEUE_MAX / 8) /* load begins (2) */

/* Ours (3). */
#define HANDSHAKES_A_TURN 8u   /* about 1.2 ms of X25519 */
#define COOKIES_A_SECOND 2500u /* under load: some hundredths of a core */
#define COOKIES_AT_ONCE 10000u /* after calm: that many clients come back */
#define COOKIES_AHEAD_US (SECOND_US / COOKIES_A_SECOND * (COOKIES_AT_ONCE - 1))
#define STAGED_BYTES_MAX (32u << 20) /* of all peers */
#define TRAINS_MAX 32u		     /* that wait for the socket: 2 MB */
#define TRAINS_SPARE 4u		     /* free, or a train of TCP is not begun */
#define TRAIN_DATAGRAMS_MAX 64u	     /* UDP_MAX_SEGMENTS of Linux */
#define OPENINGS_MAX 32u  /* runs of datagrams that workers open: 2 MB */
#define OPENINGS_SPARE 9u /* one call's trains, and one for the odd ones */
#define WORK_LEAST 4u /* datagrams: fewer are done before a thread wakes up */

_Static_assert(TRAIN_DATAGRAMS_MAX <= WORK_DATAGRAMS_MAX &&
		       TRAINS_MAX + OPENINGS_MAX <= WORK_WAITING_MAX,
	       "workers can take all there may be");
_Static_assert(REPLAY_WINDOW == 8128, "the window of (2)");
_Static_assert(COOKIE_LIFE_US == 120 * SECOND_US, "the cookie's life of (1)");
_Static_assert(RATELIMIT_PER_SECOND == 20 && RATELIMIT_BURST == 5,
	       "the rate of (2)");
_Static_assert(HANDSHAKE_INITIATION_GAP_US == 20000, "50 a second, (2)");
_Static_assert(REKEY_ATTEMPTS == 18, "90 s of 5 s each");
_Static_assert(REKEY_ON_RECEIVE_US == 165 * SECOND_US, "as (1) says");

#endif
