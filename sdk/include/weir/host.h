/* SPDX-License-Identifier: MIT */
/* weir/host.h - what the core offers an instance.
 *
 * Threads: everything runs on the one loop thread; only `post` may be called
 * from another. Nothing a plugin does on the loop may block.
 *
 * Handles (end, timer, watch, query, dial) belong to the core; each comment
 * says when one dies. Timers, watches, queries and dials that an instance has
 * left when it says stopped() call nobody any more; destroy() may free them,
 * and the core sweeps what is left after it. */
#ifndef WEIR_HOST_H
#define WEIR_HOST_H

#include <weir/stream.h>

struct weir_instance; /* a configured component, as the core knows it */
struct weir_end;      /* one end of a session, as the core knows it */
struct weir_timer;
struct weir_watch;
struct weir_query;
struct weir_dial;

enum weir_level { WEIR_ERROR, WEIR_WARN, WEIR_INFO, WEIR_DEBUG };

/* Strings are borrowed for the call in which the struct is handed over. */
struct weir_session_info {
	uint32_t size;
	enum weir_net net;
	struct weir_addr source, target;
	const char *user; /* NULL: none */
	uint32_t level;	  /* policy level */
	uint32_t unused;  /* what 1.0 left as padding */
	/* Since 1.2, UDP: the idle time of a flow that was no more than a
	 * question and its answer; 0: the policy's. */
	uint32_t exchange_ms;
	uint32_t unused2; /* what 1.2 left as padding */
	/* Since 1.7, set by who refuses a stream of a link: the errno that the
	 * client is told, as by close; 0: it hears nothing. */
	int refusal;
};

struct weir_policy {
	uint32_t size;
	uint32_t handshake_ms, idle_ms, uplink_only_ms, downlink_only_ms;
	uint32_t buffer_bytes; /* bound of what is held a direction */
};

/* What the core tells who dialled (see dial). After failed() the dial is gone;
 * before it, notify tells what is left to read of a stream. Needed are failed()
 * and, of stream_ready and flow_ready, the one for what is dialled; the rest
 * may be NULL. */
struct weir_dialer_ops {
	uint32_t size;
	void (*stream_ready)(void *arg, const struct weir_stream_ops *,
			     void *s);
	void (*flow_ready)(void *arg, const struct weir_flow_ops *, void *f);
	void (*notify)(void *arg, unsigned events);
	void (*deliver)(void *arg, const struct weir_datagram *v, int n);
	void (*unreachable)(void *arg, const struct weir_addr *peer, int err);
	void (*failed)(void *arg, int err, const char *why);
};

/* A piece of work for the end of the turn; embed it, zeroed, where its
 * argument lives. `queued` is the core's. */
struct weir_task {
	void (*run)(struct weir_task *);
	struct weir_task *next;
	bool queued;
};

#define WEIR_RESOLVE_ANEW 4u	/* resolve: ask the servers, not the memory */
#define WEIR_LEVEL_TRIGGERED 4u /* watch: repeat while ready */
/* 1.2: an edge-triggered watch tells this beside other news where the end, an
 * error or urgent data follows the bytes or lies among them. No further edge
 * tells of it, so read until there is nothing. Without this bit a read that
 * returned less than there was room for has taken all. */
#define WEIR_READ_ON 8u

struct weir_host {
	uint32_t size;
	uint16_t major, minor;

	/* Log under the instance's tag. Cheap where the level is off, but
	 * arguments are evaluated: ask log_on before formatting. */
	void (*log)(struct weir_instance *, enum weir_level, const char *fmt,
		    ...) WEIR_PRINTF(3, 4);
	bool (*log_on)(struct weir_instance *, enum weir_level);

	/* Inbounds: a new session. The core copies `info`. NULL: refused
	 * (a bound was reached or weir is stopping); the caller still owns
	 * the end. Otherwise the handle lives until ops->close. */
	struct weir_end *(*accept_stream)(struct weir_instance *,
					  const struct weir_session_info *,
					  const struct weir_stream_ops *,
					  void *s);
	struct weir_end *(*accept_flow)(struct weir_instance *,
					const struct weir_session_info *,
					const struct weir_flow_ops *, void *f);

	/* Outbounds: the answers to open; fail() is the third. Each may be
	 * given inside open. */
	void (*stream_ready)(struct weir_end *, const struct weir_stream_ops *,
			     void *s);
	void (*flow_ready)(struct weir_end *, const struct weir_flow_ops *,
			   void *f);

	/* News of a stream end: WEIR_READABLE | WEIR_WRITABLE. Returns at
	 * once; the core acts at the end of the turn. */
	void (*notify)(struct weir_end *, unsigned events);

	/* Datagrams: from a client (inbound) or from peers (outbound). */
	void (*deliver)(struct weir_end *, const struct weir_datagram *v,
			int n);

	/* Outbounds: what was sent to `peer` of this flow came back undelivered
	 * with this errno. */
	void (*unreachable)(struct weir_end *, const struct weir_addr *peer,
			    int err);

	/* This end cannot go on: an errno and a few words for the log. For a
	 * ready end close() follows later; before stream_ready/flow_ready the
	 * handle is gone when this returns. */
	void (*fail)(struct weir_end *, int err, const char *why);

	/* Both live as long as the end. */
	const struct weir_policy *(*policy)(struct weir_end *);
	const struct weir_session_info *(*info)(struct weir_end *);

	/* Chaining: open a stream (WEIR_NET_TCP) or flow through the outbound
	 * `tag`, which may be the instance itself (1.1); NULL: its own `via`.
	 * Returns NULL with errno ENOENT where there is no such outbound, and
	 * with another where it cannot carry this: then do not go around it.
	 * Nothing is called back inside dial. What *_ready hands the caller is
	 * the caller's to use until hang_up, which closes it (err as in
	 * ops->close): never call its close yourself. hang_up also ends a dial
	 * that was not yet answered. */
	struct weir_dial *(*dial)(struct weir_instance *, const char *tag,
				  const struct weir_addr *target, enum weir_net,
				  const struct weir_dialer_ops *, void *arg);
	void (*hang_up)(struct weir_dial *, int err);

	/* Monotonic microseconds, read anew at each call. */
	uint64_t (*now_us)(void);

	/* One-shot, microseconds from now; setting again moves it. The
	 * callback may free its timer. */
	struct weir_timer *(*timer_new)(struct weir_instance *,
					void (*fire)(void *arg), void *arg);
	void (*timer_set)(struct weir_timer *, uint64_t after_us);
	void (*timer_stop)(struct weir_timer *);
	void (*timer_free)(struct weir_timer *);

	/* Watch an fd for WEIR_READABLE | WEIR_WRITABLE, edge-triggered unless
	 * WEIR_LEVEL_TRIGGERED is set. Free the watch before closing the fd.
	 * The callback may free its watch. NULL: errno says why; EEXIST where
	 * the fd has a watch already, a dup(2) of it takes another. */
	struct weir_watch *(*watch_new)(
		struct weir_instance *, int fd, unsigned events,
		void (*ready)(void *arg, unsigned events), void *arg);
	void (*watch_free)(struct weir_watch *);

	/* Run `task` at the end of this turn, after the sessions with news
	 * were served. A task that defers itself runs in the next turn. */
	void (*defer)(struct weir_instance *, struct weir_task *task);

	/* Thread-safe: run fn(arg) on the loop. It never refuses, so the caller
	 * keeps the bound: while a thread's last fn has not run yet, the thread
	 * adds to what that fn will find instead of posting again. An fn that
	 * has not run when the instance says stopped() never runs. */
	void (*post)(struct weir_instance *, void (*fn)(void *arg), void *arg);

	/* A socket that may leave weir: nonblocking, close-on-exec, with the
	 * configured mark and interface, so that its traffic never loops back
	 * into a TUN. -1 with errno. The caller closes it. */
	int (*socket)(struct weir_instance *, int domain, int type,
		      int protocol);

	/* Look up a name. `families` is a set of bits: 1 for IPv4 (A), 2 for
	 * IPv6 (AAAA), and WEIR_RESOLVE_ANEW to ask the servers even for what
	 * is remembered (1.1). Never answers inside the call. `addrs` are
	 * borrowed, their ports 0. err is 0 or ENOENT (no such name, or none of
	 * these families), ETIMEDOUT, EAGAIN. The query is gone once answered
	 * or cancelled. */
	struct weir_query *(*resolve)(
		struct weir_instance *, const char *name, unsigned families,
		void (*done)(void *arg, int err, const struct weir_addr *addrs,
			     int n),
		void *arg);
	void (*resolve_cancel)(struct weir_query *);

	/* The table of a service that this plugin named in its needs, such as
	 * ("netstack", 1); *self is set to the `self` that its functions take.
	 * NULL: not there. Usable from start on. */
	const void *(*service)(struct weir_instance *, const char *name,
			       unsigned major, void **self);

	/* A statistics counter of this instance; `name` is static. The plugin
	 * adds to it on the loop thread; the core reads and frees it. */
	uint64_t *(*counter)(struct weir_instance *, const char *name);

	/* The last word of an instance after stop(). */
	void (*stopped)(struct weir_instance *);

	/* An inbound or service that can no longer serve (its device is gone):
	 * logged once; weir ends with status 1 when no inbound is left. */
	void (*lost)(struct weir_instance *, const char *why);

	const char *(*tag)(struct weir_instance *);

	/* 1.4: what the outbound of the instance's own `via` says of its
	 * packets (weir_outbound_ops.mtu); 0: nothing, with errno ENOENT where
	 * there is no `via`. */
	uint32_t (*via_mtu)(struct weir_instance *);
};

#endif
