/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wgbed.h - WireGuard engines back to back: a virtual clock, a path in memory
 * that can lose, delay and reorder, and a record of all that went over it.
 *
 * Node i has the outer address 192.0.2.(i+1), port 51820, and inside the
 * tunnel 10.0.0.(i+1) and fd00::(i+1). */
#ifndef TESTS_WGBED_H
#define TESTS_WGBED_H

#include <check.h>
#include <stdatomic.h>

#include "plugins/wireguard/constants.h"
#include "plugins/wireguard/message.h"
#include "plugins/wireguard/wg.h"

#define BED_NODES 3
#define BED_DELAY_US 10000u /* one way */
#define BED_MTU 1420u
#define BED_EVENTS (WG_EVENT_ENDPOINT + 1)

/* One datagram, as it was sent. */
struct sent {
	uint64_t at_us;
	int from;
	struct wg_endpoint to;
	uint8_t tos;
	uint16_t train; /* datagrams that went in one call with it */
	uint32_t len;
	uint8_t *bytes;
};

/* A train on its way. */
struct flight {
	struct flight *next;
	uint64_t at_us; /* when it arrives */
	struct weir_addr source, target;
	uint16_t segment;
	uint8_t tos;
	uint32_t len;
	uint8_t bytes[];
};

/* A packet that came out of the tunnel. */
struct got {
	struct wg_peer *peer;
	uint32_t len;
	uint8_t *bytes;
};

struct bed;

struct node {
	struct bed *bed;
	int id;
	struct wg_device *d;
	uint8_t private_key[WG_KEY_BYTES], public_key[WG_KEY_BYTES];
	struct weir_addr address; /* of its socket */
	uint64_t wake_us;
	int64_t wall_s; /* its clock was set by so much */
	bool flush_wanted;
	atomic_uint told; /* how often workers said that something is done */
	bool full;	  /* its socket takes nothing, */
	unsigned takes;	  /* or, once, so many datagrams of a train */
	bool no_room;	  /* its reader lends nothing */
	bool silent;	  /* what it sends gets lost */
	uint8_t mark;	  /* ECN that the path sets on what it sends */
	uint8_t room[WG_DATAGRAM_MAX];
	uint32_t room_lent;
	struct got *got;
	unsigned got_count;
	unsigned events[BED_EVENTS];
	unsigned passed_on;		      /* times that addresses were */
	void (*on_passed_on)(struct node *n); /* or NULL */
	/* Called in an event; NULL: nothing. */
	void (*on_event)(struct node *n, struct wg_peer *p, enum wg_event);
};

struct bed {
	uint64_t now_us;
	struct node nodes[BED_NODES];
	struct flight *flights; /* by time of arrival */
	struct sent **sent;	/* what was sent stays where it is */
	unsigned sent_count;
	uint32_t loss_percent;
	uint64_t reorder_us; /* up to this much is added to a delay */
	uint64_t random;
};

void bed_init(struct bed *b);
void bed_fini(struct bed *b);

/* Make `of` a peer of `at`, with its tunnel addresses and endpoint. */
struct wg_peer *bed_peer(struct bed *b, int at, int of);
/* The same with more to say: flags, keepalive, psk ... */
struct wg_peer *bed_peer_set(struct bed *b, int at, int of,
			     struct wg_peer_set s);
/* Both ways. */
void bed_pair(struct bed *b, int x, int y);
/* `of` as `at` knows it. */
struct wg_peer *bed_find(struct bed *b, int at, int of);
struct wg_peer_info bed_info(struct bed *b, int at, int of);
/* Is that where `at` thinks `of` is? */
bool bed_is_at(struct bed *b, int at, int of, const struct weir_addr *a);

/* Let time pass, until the present plus so much. */
void bed_run_us(struct bed *b, uint64_t us);
void bed_run(struct bed *b, unsigned seconds);

/* An IPv4 packet of `len` bytes from node to node; its payload counts up. */
uint32_t bed_packet(uint8_t *to, int from, int target, uint32_t len);
bool bed_offer(struct bed *b, int from, const void *packet, uint32_t len);
/* Both, with the end of the turn. */
void bed_send(struct bed *b, int from, int target, uint32_t len);
void bed_flush(struct bed *b);
/* Its socket has room again; what wg_flush says. */
bool bed_unblock(struct bed *b, int at);
/* A session between both, begun by `x` and confirmed. */
void bed_session(struct bed *b, int x, int y);

/* The first train under way reaches its target, which has no turn yet; and is
 * off the path then. */
void bed_reach(struct bed *b);
void bed_land(struct bed *b);

/* A datagram comes to a node. */
void bed_receive(struct bed *b, int to, const struct weir_addr *from,
		 const void *bytes, uint32_t len, uint8_t tos);

/* What a node sent: how many messages of a type since the start, and the
 * `nth` from the end (0: the last). */
unsigned bed_count(struct bed *b, int from, enum message_type type);
struct sent *bed_last(struct bed *b, int from, enum message_type type,
		      unsigned nth);
/* Keepalives among the data messages. */
unsigned bed_keepalives(struct bed *b, int from);
uint64_t bed_drops(struct bed *b, int at, enum wg_drop why);

extern unsigned bed_workers; /* threads of each device; bed_main sets it */

/* Run what `add` adds, without workers and with; the exit status. */
int bed_main(const char *suite, void (*add)(TCase *));

#endif
