/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freedom.h - sessions over this machine's own sockets.
 *
 * `struct freedom` is what the sockets of one instance share; a plugin embeds
 * it or is it. A stream begins as an attempt to connect, which connect.c owns,
 * and becomes the core's end once it is connected (stream.c). Flows are made by
 * datagram.c (UDP) and icmp.c (echo). */
#ifndef FREEDOM_H
#define FREEDOM_H

#include <errno.h>

#include <weir/plugin.h>

#include "sockaddr.h"

/* The largest payload of one UDP datagram over IPv4: 65,535 - 20 - 8. */
#define UDP_PAYLOAD_MAX 65507

/* Vectors of one receive call, and the room each has: a GRO train's bound. */
#define RECEIVE_VECTORS 32
/* Datagrams that begin a power of two apart would fall into the same few lines
 * of the caches. */
#define RECEIVE_ROOM (65536 + 17 * 64)

/* Of a socket with many peers. The kernel grants what its limits allow. */
#define RECEIVE_BUFFER_BYTES (4 << 20)

/* Connections that wait to be old enough for keepalive probes. */
#define YOUNG_MOST 1024

struct freedom_conf {
	uint64_t dial_timeout_ms;
	uint64_t keepalive_ms;
	struct weir_addr redirect;     /* kind NONE or unspecified: keep host */
	struct weir_list send_through; /* struct weir_addr */
};

struct freedom_counters {
	uint64_t *tcp_connects, *tcp_failures;
	uint64_t *tcp_sent_bytes, *tcp_received_bytes;
	uint64_t *udp_flows, *udp_sent, *udp_received, *udp_dropped;
	uint64_t *udp_sent_bytes, *udp_received_bytes;
	uint64_t *icmp_flows, *icmp_sent, *icmp_received, *icmp_dropped;
};

struct udp;
struct received;

enum family { V4, V6, FAMILIES };

/* raw.c: the socket of all echo flows of a family */
struct raw {
	struct freedom *freedom; /* NULL: was not needed so far */
	struct weir_watch *watch;
	int fd; /* -1: none */
	enum family family;
	struct echo *echoes; /* by identifier */
};

struct freedom {
	struct weir_instance *instance;
	const struct weir_host *host;
	const struct freedom_conf *conf;
	const char *device; /* the interface of every socket; NULL: any */
	bool inside;	    /* a tunnel: no name is looked up outside of it */
	struct freedom_counters n;

	/* One receive area for all flows: what is read is delivered before
	 * anything else is read. From start to destroy. */
	uint8_t *room;
	struct received *received; /* datagram.c: what is read to it */

	/* UDP sockets that had more to read than their share of a turn. */
	struct weir_task resume;
	struct udp_socket *unread;

	/* alias.c: of all flows, while names are looked up */
	uint32_t held_bytes, namings;

	struct raw raw[FAMILIES];
	uint16_t echo_id; /* the last one given to a flow over a raw socket */
	bool ping_warned; /* that no socket for pings may be made */

	/* keepalive.c */
	struct weir_timer *lasts;
	uint16_t young_count;
	struct stream *young[YOUNG_MOST];
};

/* ---- freedom.c: its life */

/* `inside`: the sockets are inside a tunnel, which looks names up itself and
 * has the common counters' names. */
void freedom_init(struct freedom *, struct weir_instance *,
		  const struct weir_host *, bool inside);
bool freedom_start(struct freedom *); /* false: out of memory */
void freedom_fini(struct freedom *);

/* What the log says of a step that failed, "connect: Connection refused", in
 * `text`. */
#define FREEDOM_WHY_BYTES 64
const char *freedom_why(char *text, const char *step, int err);

/* host->resolve; NULL also where a look-up would tell the world outside what is
 * asked for inside. */
struct weir_query *freedom_resolve(
	struct freedom *, const char *name, unsigned families,
	void (*done)(void *arg, int err, const struct weir_addr *addrs, int n),
	void *arg);

/* What open() returns while unanswered. */
struct pending {
	void (*abandon)(struct pending *);
};

/* ---- sock.c: sockets */

enum family addr_family(const struct weir_addr *);

/* A socket of the family, bound to `send_through` where that has an address
 * of it. -1 with errno. */
int sock_new(struct freedom *, enum family, int type, int protocol);
/* Why a connection or a ping could not be sent. A link-local target is no valid
 * one without its interface, which no session names: it leads nowhere. */
int sock_errno(void);
/* Its interface is gone for good: one of the same name that comes later is
 * another to the kernel, whose errors differ by family and version. */
bool sock_is_lost(int fd);
/* The kernel had no room for a datagram; nothing is wrong with it. */
static inline bool sock_is_full(int err)
{
	return err == EAGAIN || err == ENOBUFS;
}
/* Errors about single datagrams are queued rather than lost. */
void sock_want_errors(int fd, enum family);
/* The next queued error: true with its errno, the peer it is about and, unless
 * that is NULL, as much of the datagram as it quotes and there is room for. */
bool sock_next_error(int fd, int *err, struct weir_addr *peer,
		     struct iovec *quoted);
/* Is there a route? Asks the kernel; nothing is sent. */
bool sock_reachable(struct freedom *, const struct weir_addr *);

/* `target` with the configured redirection applied. */
struct weir_addr freedom_target(const struct freedom *,
				const struct weir_addr *target);

/* ---- connect.c: from a target to a connected stream */

struct pending *connect_open(struct freedom *, struct weir_end *,
			     const struct weir_addr *target);

/* ---- keepalive.c: probes for connections that last */

struct stream;

bool keepalive_init(struct freedom *);
void keepalive_fini(struct freedom *);
void keepalive_join(struct stream *);  /* it is connected */
void keepalive_leave(struct stream *); /* it ends */

/* ---- stream.c: a connected stream */

struct connecting;

struct stream {
	struct freedom *freedom;
	union {
		struct weir_end *end;
		struct connecting *connecting; /* while it is an attempt */
	};
	struct weir_watch *watch;
	uint8_t *held; /* read for peek, not yet consumed; NULL: nothing */
	uint32_t held_at, held_end;
	int fd;
	uint16_t young; /* its place in the table, from 1; 0: it is not there */
	bool attempt : 1, starved : 1, full : 1, failed : 1, finished : 1;
	bool ended : 1; /* it is at the end of what it can receive */
	bool wrote : 1, prompt : 1; /* TCP_NODELAY: from the second write on */
	bool read_on : 1; /* a read that falls short may not have taken all */
	uint8_t lost;	  /* errno that the kernel has told once; 0: none */
};

/* The attempt `s` is connected, as `events` told: it becomes the stream of
 * `end`. */
void stream_begin(struct stream *s, struct weir_end *end, unsigned events);
void stream_ready(struct stream *s, unsigned events);
void stream_free(struct stream *s);

/* ---- flows: both answer `end` before they return */

void udp_open(struct freedom *, struct weir_end *);
void udp_resume(struct weir_task *);
/* Receives to RECEIVE_VECTORS rooms, one behind the other; NULL: out of memory.
 * To be given back by free(). */
struct received *received_new(uint8_t *room);
void icmp_open(struct freedom *, struct weir_end *,
	       const struct weir_addr *target);

#endif
