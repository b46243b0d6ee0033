/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wg.h - the face of the WireGuard engine.
 *
 * The engine has no sockets, no clock and no configuration. Bytes and time come
 * in as arguments, bytes and requests go out by wg_ops:
 *
 *   datagrams of the socket   wg_receive -> ops.room, ops.put   packets inside
 *   packets inside            wg_send -> ops.send               the socket
 *   the host's timer          wg_expire      <- ops.wake_at asks for it
 *   the end of a loop's turn  wg_flush       <- ops.flush_later asks for it
 *   what workers have done    wg_collect     <- ops.collect_later asks for it
 *
 * One thread, beside which workers seal and open where they are wanted; they
 * call nothing but ops.collect_later. `now_us` is a monotonic clock that never
 * steps back. An op may call nothing of the engine but the functions marked
 * "(from ops)"; put may call wg_send as well. */
#ifndef WG_H
#define WG_H

#include "crypto.h" /* WG_KEY_BYTES, struct crypto_random */

#include <weir/netstack.h>

#include <time.h>

#define WG_RESERVED_BYTES 3u
#define WG_PEERS_MAX 65536u
#define WG_WORKERS_MAX 16u
#define WG_HEADROOM 64u /* writable before what ops.send gets */
#define WG_TAIL 16u	/* and after it */
#define WG_OVERHEAD 32u /* bytes a data message adds to its packet */
/* UDP's longest over IPv4. What comes longer, as over IPv6 it may, is no
 * message. */
#define WG_DATAGRAM_MAX 65507u
/* A train: no device takes one that is 64 KB with the headers of Ethernet, a
 * VLAN, IPv6 and UDP. */
#define WG_TRAIN_MAX (65535u - 18 - 40 - 8)

struct wg_device;
struct wg_peer;

/* Where a peer is and, for the socket's sticky source, which of our addresses
 * it was last heard on. An IPv4 address mapped into IPv6 is written as IPv4. */
struct wg_endpoint {
	struct weir_addr addr;	/* kind WEIR_ADDR_NONE: not known */
	uint32_t scope;		/* interface of a link-local address, else 0 */
	uint32_t local_if;	/* interface it was received on, 0: not known */
	struct weir_addr local; /* own address, port 0; NONE: the kernel's */
};

/* Why something was dropped. Counted for the device, and for the peer where
 * one is known. */
enum wg_drop {
	/* received */
	WG_DROP_MALFORMED, /* unknown type, not of its type's length, or from
			    * port 0 */
	WG_DROP_RESERVED,  /* reserved bytes that the peer should not send */
	WG_DROP_MAC1,	   /* handshake with a wrong first MAC */
	WG_DROP_QUEUE,	   /* more handshakes than the queue holds */
	WG_DROP_COOKIE,	   /* under load, no cookie: one was sent */
	WG_DROP_RATE,	   /* more handshakes than a source may send */
	WG_DROP_HANDSHAKE, /* did not decrypt; unknown peer; bad point */
	WG_DROP_REPLAYED,  /* initiation: timestamp not newer */
	WG_DROP_EARLY,	   /* initiation: too soon after the last */
	WG_DROP_INDEX,	   /* nobody has this receiver index */
	WG_DROP_KEY_OLD,   /* data for a key past its time or counter */
	WG_DROP_AUTH,	   /* data whose tag is wrong */
	WG_DROP_WINDOW,	   /* data seen before, or too old to say */
	WG_DROP_INNER,	   /* no IP packet, or longer than its plaintext */
	WG_DROP_SOURCE,	   /* inner source not among the allowed IPs */
	WG_DROP_ECN,	   /* congestion marked on a packet without ECN */
	WG_DROP_NO_ROOM,   /* ops.room had none */
	/* sent */
	WG_DROP_PACKET,	     /* no IP packet, or a train that cannot be cut */
	WG_DROP_NO_PEER,     /* no allowed IP covers the destination */
	WG_DROP_STAGED,	     /* waited for a key; newer ones took the place */
	WG_DROP_GAVE_UP,     /* waited for a key that never came */
	WG_DROP_NO_ENDPOINT, /* sealed or handshake, but nowhere to send it */
	WG_DROP_FULL, /* handshake or keepalive while the socket is full */
	WG_DROPS,
};

enum wg_event {
	WG_EVENT_ADDED,	    /* a peer was made */
	WG_EVENT_REMOVED,   /* it goes: last chance to free its user pointer */
	WG_EVENT_START,	    /* the first attempt of a handshake is about to go:
			   * a peer without endpoint needs one now */
	WG_EVENT_RETRY,	    /* a further attempt is about to go, or one because
			   * the peer has been silent; the sticky source is
			   * cleared: resolve the endpoint's name again */
	WG_EVENT_GAVE_UP,   /* 90 s of attempts; packets that waited are gone */
	WG_EVENT_HANDSHAKE, /* a session is up (wg_peer_get tells more) */
	WG_EVENT_ENDPOINT,  /* an authenticated packet moved the endpoint */
};

/* What became of a train's bytes. */
struct wg_sent {
	uint32_t taken; /* sent, or lost for good */
	uint32_t sent;
};

struct wg_ops {
	/* Room for an opened packet of at most `bytes`, aligned or not; asked
	 * again without a put, the former room is free again. NULL: drop it. */
	uint8_t *(*room)(void *arg, uint32_t bytes);

	/* The packet of `len` bytes in the room just lent: a whole IP packet
	 * whose source belongs to `peer`. Order of arrival. */
	void (*put)(void *arg, struct wg_peer *peer, uint32_t len);

	/* A train: datagrams of `segment` bytes each, the last maybe shorter,
	 * `len` bytes in all (segment == len: just one; else no more than
	 * WG_TRAIN_MAX), to one endpoint. The
	 * bytes are borrowed for the call and may be written on, headroom and
	 * tail too. `tos` is the outer DSCP and ECN. `peer` is NULL for cookie
	 * replies. Fewer than `len` are taken, whole datagrams, when the socket
	 * is full: the engine keeps the rest, takes no more packets and offers
	 * it again in wg_flush, to be called when there is room (handshake
	 * messages are not kept: their timers repeat them). */
	struct wg_sent (*send)(void *arg, struct wg_peer *peer,
			       const struct wg_endpoint *to, uint8_t *data,
			       uint32_t len, uint16_t segment, uint8_t tos);

	/* Call wg_flush at the end of this turn of the loop. Asked once until
	 * that is done. */
	void (*flush_later)(void *arg);

	/* Call wg_expire at `at_us` (or later), instead of at an earlier wish
	 * of the kind. */
	void (*wake_at)(void *arg, uint64_t at_us);

	/* Call wg_collect, then wg_flush, on the engine's thread. The one op
	 * that other threads call; asked once until that is done. */
	void (*collect_later)(void *arg);

	/* The wall clock, for the handshake's timestamp. */
	void (*wall)(void *arg, struct timespec *now);

	void (*event)(void *arg, struct wg_peer *peer, enum wg_event event);

	/* At the end of a wg_set, once: addresses that were a peer's may now be
	 * another's, or nobody's (wg_peer_of). Also where all of them came back
	 * to whose they were. */
	void (*passed_on)(void *arg);
};

struct wg_conf {
	const struct wg_ops *ops; /* all set, collect_later with workers; lives
				   * as long as the device */
	void *arg;
	uint32_t mtu_bytes; /* inner; padding never passes it */
	/* Threads that seal and open long runs of packets; 0: none, up to
	 * WG_WORKERS_MAX. */
	unsigned workers;
	/* Where random bytes come from; NULL: the kernel. */
	const struct crypto_random *random;
};

/* ---- a device: down, without key and peers ---- */

/* NULL with errno: memory is out, threads are (EAGAIN), or the crypto library
 * does not start (ENOTSUP). */
struct wg_device *wg_new(const struct wg_conf *conf);
/* Wipes every key; tells WG_EVENT_REMOVED of each peer. */
void wg_free(struct wg_device *d);
/* The library that seals the packets, as --with-aead has it; whether it does so
 * since none of the faster ones of this build may. */
const char *wg_aead(const struct wg_device *d, bool *replaced);

/* Up: handshakes are answered, packets taken; peers with a persistent keepalive
 * begin. Down again: sessions and waiting packets are gone. A device that is
 * down takes configuration, and drops everything else without counting it. */
void wg_up(struct wg_device *d, uint64_t now_us);
void wg_down(struct wg_device *d);

/* ---- the way of the bytes ---- */

/* Datagrams of one source as one recvmsg brought them: `segment` bytes each
 * but the last, 0: `len` is just one. The bytes may be written on. */
struct wg_datagrams {
	uint8_t *data;
	uint32_t len;
	uint16_t segment;
	uint8_t tos; /* outer; 0 where the socket does not tell */
	const struct wg_endpoint *from;
};
void wg_receive(struct wg_device *d, const struct wg_datagrams *v, int n,
		uint64_t now_us);

/* Is there room for what one more call of the socket brings? False: the workers
 * are behind; ask again after wg_collect. What comes even so may be dropped. */
bool wg_may_receive(const struct wg_device *d);
/* Packets that workers have opened go to ops.put. True: more is under way. */
bool wg_collect(struct wg_device *d, uint64_t now_us);

/* Packets into the tunnel, as a link's output gets them: plain, with a partial
 * checksum (WEIR_CSUM_PARTIAL: completed here), or trains of TCP or UDP (cut
 * here, each piece gets its own header and checksum). Returns how many of `n`
 * were taken; what has no peer is taken, dropped and counted. Fewer: the socket
 * is full, the rest is untouched: offer it again after wg_flush said true. */
int wg_send(struct wg_device *d, const struct weir_egress *v, int n,
	    uint64_t now_us);

/* Handshakes of this turn (a bounded number: may ask for another flush_later),
 * then every open train goes out. False while the socket is full or workers
 * have not sealed all of them. */
bool wg_flush(struct wg_device *d, uint64_t now_us);

/* Timers that are due; call it at the time that ops.wake_at named. */
void wg_expire(struct wg_device *d, uint64_t now_us);

/* The machine slept for so long, in which `now_us` stood still: keys are as
 * much older. */
void wg_slept(struct wg_device *d, uint64_t slept_us);

/* Give back memory that was kept for the next burst; now and then, for instance
 * every ten seconds in which something happened. */
void wg_trim(struct wg_device *d);

/* ---- configuration: one description, applied whole or not at all ---- */

struct wg_allowed {
	struct weir_cidr prefix;
	bool remove; /* take it from this peer, if it has it */
};

#define WG_PEER_REMOVE 1u	   /* nothing else of the entry counts */
#define WG_PEER_UPDATE_ONLY 2u	   /* skip the entry where no such peer is */
#define WG_PEER_REPLACE_ALLOWED 4u /* drop its prefixes first */
#define WG_PEER_PSK 8u		   /* psk is set (zeros: none) */
#define WG_PEER_ENDPOINT 16u
#define WG_PEER_KEEPALIVE 32u
#define WG_PEER_RESERVED 64u /* reserved is set (zeros: none) */
#define WG_PEER_USER 128u    /* user is set */

/* One peer's entry. Entries are applied in order, several may name one peer. */
struct wg_peer_set {
	const char *name; /* for errors; NULL: its key is shown */
	uint32_t flags;	  /* WG_PEER_* */
	uint16_t keepalive_s;
	uint8_t reserved[WG_RESERVED_BYTES];
	uint8_t public_key[WG_KEY_BYTES];
	uint8_t psk[WG_KEY_BYTES];
	struct wg_endpoint endpoint;
	const struct wg_allowed *allowed;
	uint32_t allowed_count;
	void *user; /* what wg_peer_user returns */
};

#define WG_SET_PRIVATE_KEY 1u /* private_key is set (zeros: none) */
#define WG_SET_REPLACE_PEERS 2u
/* A configuration file's rules, stricter than those of wg: the device's own
 * key as a peer, a peer named twice, one prefix for two peers, are errors. */
#define WG_SET_STRICT 4u

struct wg_set {
	uint32_t flags; /* WG_SET_* */
	uint8_t private_key[WG_KEY_BYTES];
	const struct wg_peer_set *peers;
	uint32_t peer_count;
};

/* Would wg_set do it? The memory that it takes is reserved: with nothing in
 * between, it will. */
bool wg_set_check(struct wg_device *d, const struct wg_set *s,
		  struct weir_error *e);

/* Apply `s`, or change nothing and say why, with errno: ENOMEM, or EINVAL for a
 * public key that no secret can make, too many peers, a rule of WG_SET_STRICT.
 * Prefixes move to the peer that took them last. A peer with the device's own
 * key is not made (and goes where it was): wg's users give all their hosts one
 * list. A changed private key clears every session. Everything of `s` is
 * copied. */
bool wg_set(struct wg_device *d, const struct wg_set *s, uint64_t now_us,
	    struct weir_error *e);

/* Zeros where the device has no key. `private_key` must be wiped after use. */
void wg_get_keys(const struct wg_device *d, uint8_t private_key[WG_KEY_BYTES],
		 uint8_t public_key[WG_KEY_BYTES]);

/* ---- peers ---- */

struct wg_peer_info {
	uint8_t reserved[WG_RESERVED_BYTES];
	uint16_t keepalive_s;
	struct wg_endpoint endpoint;
	/* For whoever looks up names: wg_set has changed the endpoint, which is
	 * to hold; and how often wg_set or an authenticated packet said where
	 * the peer is, to see whether one did while a question was open. */
	bool endpoint_given;
	uint64_t placed;
	struct timespec last_handshake; /* wall clock; zeros: never */
	uint64_t rx_bytes, tx_bytes;	/* outer, as wireguard-go counts */
	uint64_t rx_packets, tx_packets;
	uint64_t drops[WG_DROPS];
	bool initiator; /* of the present session */
};

/* Those below are all (from ops). */

/* In the order they were made; NULL asks for the first, and is the end. */
struct wg_peer *wg_peer_next(const struct wg_device *d,
			     const struct wg_peer *p);
struct wg_peer *wg_peer_find(const struct wg_device *d,
			     const uint8_t public_key[WG_KEY_BYTES]);
/* Whose allowed IPs cover this address; NULL: nobody's. */
struct wg_peer *wg_peer_of(const struct wg_device *d,
			   const struct weir_addr *address);
void wg_peer_get(const struct wg_peer *p, struct wg_peer_info *info);
/* The peer's own bytes, WG_KEY_BYTES each: its public key, and the pre-shared
 * one (zeros: none), which is there for wg to show. */
const uint8_t *wg_peer_key(const struct wg_peer *p);
const uint8_t *wg_peer_psk(const struct wg_peer *p);
void *wg_peer_user(const struct wg_peer *p);
/* As if its entry had said so: WG_PEER_USER, WG_PEER_RESERVED. */
void wg_peer_set_user(struct wg_peer *p, void *user,
		      const uint8_t reserved[WG_RESERVED_BYTES]);

/* Each prefix of the peer, until each() says no: all, or those behind `after`
 * where that is not NULL; none where it is no longer the peer's. */
void wg_peer_allowed(const struct wg_peer *p, const struct weir_cidr *after,
		     bool (*each)(void *arg, const struct weir_cidr *),
		     void *arg);

/* A new endpoint, resolved or configured. An attempt that waits for one goes
 * out at the end of the turn. */
void wg_peer_set_endpoint(struct wg_peer *p, const struct wg_endpoint *to);

/* Begin a handshake at the end of the turn if no session is fresh and none is
 * under way. `now`: even so, because the network has changed. */
void wg_peer_connect(struct wg_peer *p, bool now, uint64_t now_us);

/* Does it have a persistent keepalive, or did anything authentic pass, or a
 * handshake begin, within the life of a session (180 s)? */
bool wg_peer_is_awake(const struct wg_peer *p, uint64_t now_us);

/* Let the peer see where we are: by a keepalive where a session is fresh, else
 * by a handshake, both at the end of the turn. */
void wg_peer_greet(struct wg_peer *p, uint64_t now_us);

/* Forget the sticky source: no way leads from it to the peer any more. */
void wg_peer_clear_source(struct wg_peer *p);

/* How many of WG_DROP_RATE had not passed their own rate: there were more
 * sources than the limit has room for. */
uint64_t wg_sources_full(const struct wg_device *d);

/* WG_DROPS counters of the whole device. */
const uint64_t *wg_drops(const struct wg_device *d);

#endif
