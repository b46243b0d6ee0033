/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device.h - what the rooms of the engine share: the device, its peers, their
 * keypairs. Only libwg's own files include it. */
#ifndef WIREGUARD_DEVICE_H
#define WIREGUARD_DEVICE_H

#include "aead.h"
#include "allowedips.h"
#include "constants.h"
#include "index.h"
#include "peers.h"
#include "wg.h"
#include "wheel.h"

/* One session's keys. Made by a handshake, owned by the peer, wiped when it
 * leaves the peer's three places. */
struct keypair {
	struct wg_peer *peer;
	uint64_t serial; /* of the device's: never used again */
	struct aead seal, open;
	uint64_t counter; /* of the next packet sealed */
	uint64_t born_us;
	uint32_t local_index, remote_index;
	bool initiator; /* we began the handshake */
	struct replay replay;
};

/* The five events of a peer. */
enum peer_timer {
	TIMER_RETRANSMIT,    /* no answer to our initiation */
	TIMER_KEEPALIVE,     /* we received data and said nothing */
	TIMER_NEW_HANDSHAKE, /* we sent data and heard nothing */
	TIMER_ZERO_KEYS,     /* no new session */
	TIMER_PERSISTENT,    /* the keepalive that was configured */
	PEER_TIMERS,
};

/* A packet that waits for a key. */
struct staged_packet {
	struct staged_packet *next;
	uint32_t len;
	uint8_t bytes[];
};

struct staged {
	struct staged_packet *first, **last;
	uint32_t packets;
};

struct train;
struct work;
struct workers;
struct opening;

struct wg_peer {
	struct wg_device *device;
	struct wg_peer *after, **before; /* in the order of device.peers */
	void *user;

	/* What its handshakes are made of. */
	struct remote remote;
	struct timespec stamped;    /* what our last initiation said */
	struct handshake handshake; /* the one that we began */
	bool handshake_indexed;	    /* handshake.local_index is in the table */
	struct cookie_jar jar;
	struct keypair *current, *previous, *next;

	/* Configuration. */
	struct allowed_owner allowed;
	uint32_t reserved; /* as message.h packs it */
	uint16_t keepalive_s;

	struct wg_endpoint endpoint;
	bool endpoint_given; /* wg_set changed it: names are not asked for */
	uint64_t placed;     /* how often wg_set or a packet said where */

	struct timer timers[PEER_TIMERS];
	uint64_t initiated_us;	/* begun or answered last; 0: never */
	uint64_t passed_us;	/* the last authentic packet; 0: never */
	uint32_t attempts;	/* initiations since the last reset */
	bool wants_handshake;	/* is in device.wants */
	bool retry;		/* the one wanted is not the first try */
	bool silent;		/* the one wanted follows silence */
	bool awaits_endpoint;	/* an attempt had nowhere to go */
	bool sent_last_minute;	/* the receive-side rekey of this session */
	bool another_keepalive; /* data came while one was due already */
	struct wg_peer *wants_next, *wants_prev;

	struct staged staged;
	bool staged_ready; /* is in device.ready: has a key, socket was full */
	struct wg_peer *ready_next, *ready_prev;
	struct train *train; /* that may still grow */

	struct timespec last_handshake;
	uint64_t rx_bytes, tx_bytes, rx_packets, tx_packets;
	uint64_t drops[WG_DROPS];
};

struct wg_device {
	const struct wg_ops *ops;
	void *arg;
	const struct crypto_random *random;
	const struct aead_ops *aead; /* of the data path */
	uint32_t mtu_bytes;
	bool up;

	struct identity identity;
	struct cookie_checker checker;
	struct ratelimit ratelimit;
	struct index_table indices;
	struct allowedips allowedips;
	struct peers peers;
	bool passed_on;		/* addresses, since ops.passed_on was called */
	uint32_t with_reserved; /* peers that expect reserved bytes */

	uint64_t jitter; /* state of the timers' random numbers; not 0 */
	struct wheel wheel;
	uint64_t wake_us;      /* what ops.wake_at was told; WHEEL_NEVER */
	bool flush_asked;      /* ops.flush_later was called */
	struct wg_peer *wants; /* peers that want to begin a handshake */
	struct wg_peer *ready; /* peers with staged packets and a key */

	/* Handshakes that came in and wait for their turn: a ring. */
	struct inbox_entry *inbox;
	uint32_t inbox_first, inbox_count;
	uint64_t loaded_until_us;  /* under load until then */
	uint64_t cookies_until_us; /* those that were given last */

	/* Trains: open ones in the order they were begun, and free ones. */
	struct train *trains, **trains_last, *trains_free;
	uint32_t trains_open;
	bool full; /* the socket took no more */

	/* NULL: everything is sealed and opened where it stands. */
	struct workers *workers;
	/* Runs of datagrams that they open, in the order they came. */
	struct opening *openings, **openings_last, *openings_free;
	uint32_t openings_open;
	struct opening *gathering; /* the last one while it grows, or NULL */

	uint64_t keypairs; /* made so far */

	uint64_t staged_bytes;
	uint64_t drops[WG_DROPS];
};

/* device.c */
void device_flush_later(struct wg_device *d);
void device_event(struct wg_peer *p, enum wg_event event);
/* `p` NULL: nobody's. */
void device_drop(struct wg_device *d, struct wg_peer *p, enum wg_drop why);
/* Give it to a worker, or do it where that is quicker. */
void device_work(struct wg_device *d, struct work *work, uint32_t datagrams);
/* Everything that a changed key or going down ends. */
void device_end_sessions(struct wg_device *d);

/* peer.c */
/* Memory for it was reserved by peers_reserve. */
struct wg_peer *peer_new(struct wg_device *d,
			 const uint8_t public_key[WG_KEY_BYTES]);
void peer_free(struct wg_peer *p); /* tells WG_EVENT_REMOVED */
/* Ends its sessions, attempts and timers; what waited is dropped. */
void peer_reset(struct wg_peer *p);
void peer_lose_allowed(struct wg_peer *p); /* all of its prefixes */
void peer_set_reserved(struct wg_peer *p,
		       const uint8_t reserved[WG_RESERVED_BYTES]);

static inline bool peer_has_endpoint(const struct wg_peer *p)
{
	return p->endpoint.addr.kind != WEIR_ADDR_NONE;
}
bool endpoint_equal(const struct wg_endpoint *a, const struct wg_endpoint *b);
/* An authenticated packet came from there. */
void peer_heard_from(struct wg_peer *p, const struct wg_endpoint *from);
static inline struct wg_peer *peer_of_owner(struct allowed_owner *o)
{
	return o ? (struct wg_peer *)(void *)((char *)o -
					      offsetof(struct wg_peer, allowed))
		 : NULL;
}

/* keypair.c */
/* The keys of a finished handshake become the peer's; false without memory.
 * h->local_index is in the table, and means the keypair from now on. */
bool keypair_begin(struct wg_peer *p, struct handshake *h, bool initiator,
		   uint64_t now_us);
/* Authenticated data came on it; true when that made `next` the current. */
bool keypair_confirm(struct keypair *k);
void keypair_clear_all(struct wg_peer *p);
void keypair_age_all(struct wg_peer *p, uint64_t us); /* older by that */
static inline bool keypair_can_seal(const struct keypair *k, uint64_t now_us)
{
	return k && now_us - k->born_us < REJECT_AFTER_TIME_US &&
	       k->counter < REJECT_AFTER_MESSAGES;
}

/* timers.c: what happened, and what follows from it. */
void timers_init(struct wg_peer *p);
void timers_stop(struct wg_peer *p);
void timers_set_keepalive(struct wg_peer *p, uint16_t keepalive_s);
void timers_data_sent(struct wg_peer *p, uint64_t now_us);
void timers_data_received(struct wg_peer *p, uint64_t now_us);
void timers_authenticated_sent(struct wg_peer *p, uint64_t now_us);
void timers_authenticated_received(struct wg_peer *p, uint64_t now_us);
void timers_initiated(struct wg_peer *p, uint64_t now_us);
void timers_session_derived(struct wg_peer *p, uint64_t now_us);
void timers_handshake_complete(struct wg_peer *p);

/* exchange.c: handshakes, both ways. */
/* Have an initiation sent at the end of the turn, unless one was lately. A
 * first try (not a retry) resets the count of attempts. */
void exchange_want(struct wg_peer *p, bool retry, uint64_t now_us);
/* Even when one was sent lately. */
void exchange_want_now(struct wg_peer *p);
void exchange_unwant(struct wg_peer *p);
void exchange_clear(struct wg_peer *p); /* the attempt under way */
void exchange_initiate(struct wg_peer *p, uint64_t now_us);
void exchange_initiation(struct wg_device *d, const struct message *m,
			 const struct wg_endpoint *from, uint64_t now_us);
void exchange_response(struct wg_device *d, const struct message *m,
		       const struct wg_endpoint *from, uint64_t now_us);
void exchange_cookie_reply(struct wg_device *d, const struct message *m,
			   uint64_t now_us);

/* inbox.c: handshakes wait here until the end of the turn. */
void inbox_put(struct wg_device *d, const struct message *m,
	       const struct wg_endpoint *from, uint64_t now_us);
/* As many as the budget allows. */
void inbox_run(struct wg_device *d, unsigned *budget, uint64_t now_us);
void inbox_trim(struct wg_device *d); /* no memory for places that are free */
void inbox_fini(struct wg_device *d);

/* receive.c */
/* A data message's bytes are opened and `plain` of them lie at `packet`. */
struct received_data {
	const struct wg_endpoint *from;
	uint64_t counter;
	uint32_t len, plain; /* of the message, of what is in it */
	uint8_t *packet;
	uint8_t tos; /* outer */
};
void receive_opened(struct keypair *k, const struct received_data *r,
		    uint64_t now_us);
/* Bytes 1 to 3 of a peer's message: expected, or none. */
bool receive_reserved_ok(const struct wg_peer *p, const struct message *m);

/* openings.c: with workers. */
/* Have it opened together with those before it, where it can be. */
void openings_add(struct keypair *k, const struct message *m,
		  const struct wg_datagrams *v);
void openings_give(struct wg_device *d); /* what was added so far */
void openings_collect(struct wg_device *d, uint64_t now_us);
/* Is there room for the datagrams of one more turn of the socket? */
bool openings_spare(const struct wg_device *d);
void openings_trim(struct wg_device *d);
void openings_fini(struct wg_device *d);

/* send.c */
void send_keepalive(struct wg_peer *p, uint64_t now_us);
/* A session is there: send what waited for it. */
void send_staged(struct wg_peer *p, uint64_t now_us);
void staged_unready(struct wg_peer *p);

/* staged.c */
void staged_init(struct staged *s);
struct staged_packet *staged_new(uint32_t len);
void staged_put(struct wg_peer *p, struct staged_packet *packet);
struct staged_packet *staged_get(struct wg_peer *p); /* freed by the caller */
void staged_clear(struct wg_peer *p, enum wg_drop why);

#endif
