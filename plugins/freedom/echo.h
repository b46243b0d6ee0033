/* SPDX-License-Identifier: GPL-2.0-or-later */
/* echo.h - one echo flow, over a ping socket of its own (icmp.c) or the raw
 * socket that all flows of its family share (raw.c). */
#ifndef FREEDOM_ECHO_H
#define FREEDOM_ECHO_H

#define HASH_NONFATAL_OOM 1 /* what has no room is not in the table */
#include <uthash.h>

#include "freedom.h"

/* Type, code, checksum: what comes before the identifier. */
#define HEAD_BYTES 4
/* Identifier and sequence. */
#define ECHO_BYTES 4

/* Messages read a wake-up; the watches are level-triggered. */
#define ECHO_ROUNDS 16

struct echo {
	struct freedom *freedom;
	struct weir_end *end;
	struct weir_watch *watch;
	struct weir_addr last; /* the peer of the last request */
	int fd; /* the ping socket; -1: lost with its interface, or none */
	enum family family;
	uint8_t client_id[2]; /* of the last request */
	uint16_t id;	      /* ours, as it stands in packets, and */
	struct raw *raw;      /* where we have it; NULL: nowhere */
	UT_hash_handle hh;    /* there */
};

/* ---- icmp.c */

/* The echo reply in `len` bytes of ICMP, NULL: it is none. */
uint8_t *echo_reply(enum family, uint8_t *p, size_t len);
void echo_deliver(struct echo *, uint8_t *reply, size_t len,
		  const union sockaddr_any *from);

/* ---- raw.c */

/* Give the flow an identifier, and its family a socket. 0 or an errno. */
int raw_join(struct echo *);
void raw_leave(struct echo *);
void raw_errors(struct raw *);

#endif
