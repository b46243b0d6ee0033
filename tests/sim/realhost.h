/* SPDX-License-Identifier: GPL-2.0-or-later */
/* realhost.h - a host for outbounds that work on real sockets.
 *
 * Sockets and readiness are the kernel's, names and time are the test's: look-
 * ups are answered from a table with a delay, and the clock can be pushed
 * forward. What an end reports is written down in it. */
#ifndef WEIR_REALHOST_H
#define WEIR_REALHOST_H

#include <weir/plugin.h>

#define REAL_BYTES_MAX (1 << 20)

struct weir_end {
	struct weir_instance *host;
	const struct weir_stream_ops *stream;
	const struct weir_flow_ops *flow;
	void *object;
	unsigned news; /* notified so far; cleared by the test */
	bool failed;
	int err;
	char why[64];

	/* Flows: what was delivered, back to back, and what came back. */
	unsigned datagrams, delivers, trains;
	size_t bytes;
	uint8_t data[REAL_BYTES_MAX];
	struct weir_addr peer; /* of the last one */
	char peer_name[256];
	uint32_t len; /* of the last datagram or train */
	unsigned unreachables;
	int unreachable_err;
	struct weir_addr unreachable_peer;
};

struct real_name {
	const char *name;
	unsigned family; /* 1: A, 2: AAAA */
	int err;
	unsigned delay_ms;
	int count;
	struct weir_addr addr[4];
};

/* An instance of `component`, created and started. */
struct weir_instance *real_new(const struct weir_component *component,
			       const void *conf, const struct real_name *names);
void *real_self(struct weir_instance *);
uint64_t real_counter(struct weir_instance *, const char *name);
unsigned real_lookups(struct weir_instance *); /* asked for so far */
/* Sockets of this family or type, and dials, are refused with `err`; 0: as
 * ever. */
void real_refuse(struct weir_instance *, int domain, int type, int err);
/* Dials of this instance go to an outbound of that one. */
void real_via(struct weir_instance *, struct weir_instance *outbound);

struct weir_end *real_open(struct weir_instance *,
			   const struct weir_addr *target, enum weir_net);
void real_abandon(struct weir_instance *, struct weir_end *);
void real_end_free(struct weir_end *, int err); /* closes it first */

void real_turn(struct weir_instance *); /* wait up to 10 ms */
void real_forward(uint64_t ms);

/* Turn until it is so, 3 s at most; false where it never was. */
#define REAL_UNTIL(host, so)                                                   \
	__extension__({                                                        \
		for (int turn_ = 0; turn_ < 300 && !(so); turn_++)             \
			real_turn(host);                                       \
		(bool)(so);                                                    \
	})

/* Stop and destroy. The number of timers, watches, queries, dials and sockets
 * that were left behind. */
unsigned real_free(struct weir_instance *);

#endif
