/* SPDX-License-Identifier: MIT */
/* weir/fakehost.h - a host for the tests of a plugin: the whole struct
 * weir_host in one process, without the daemon, with virtual time.
 *
 * The test makes a host, starts a component on it, then plays everything else:
 * it opens and accepts sessions, reads and writes their streams, answers names
 * and dials, and moves the clock. Nothing sleeps. What breaks the contract of
 * weir/host.h or weir/stream.h (a second answer to open, a word about a closed
 * end, a freed timer) ends the test with a message and abort().
 *
 * One fake host at a time in a thread: host->now_us() has no argument. */
#ifndef WEIR_FAKEHOST_H
#define WEIR_FAKEHOST_H

#include <weir/plugin.h>

struct fakehost;

struct fakehost *fakehost_new(void);
/* Stops what still runs, frees everything. */
void fakehost_free(struct fakehost *);
const struct weir_host *fakehost_table(struct fakehost *);

/* ---- instances ---- */

/* create() and start(). `conf` is the component's own decoded struct, filled
 * in by the test, and must outlive the instance. NULL with the error. */
struct weir_instance *fakehost_start(struct fakehost *,
				     const struct weir_component *,
				     const char *tag, const void *conf,
				     struct weir_error *);
void *fakehost_self(struct weir_instance *); /* what create() returned */
/* stop(), then turns until host->stopped(), then destroy(). False where
 * stopped() did not come within `patience_us` of virtual time; asked again,
 * this goes on waiting. Sessions that are still open are closed first, as the
 * core does. */
bool fakehost_stop(struct weir_instance *, uint64_t patience_us);
uint64_t fakehost_counter(struct weir_instance *, const char *name);
const char *fakehost_lost(struct weir_instance *); /* host->lost's words */

/* ---- time ---- */

/* Run what was posted, answers to names, deferred tasks: one turn. */
void fakehost_turn(struct fakehost *);
/* Let time pass: due timers fire in order, with a turn after each. */
void fakehost_advance(struct fakehost *, uint64_t us);
/* Microseconds until the next timer; UINT64_MAX: none is set. */
uint64_t fakehost_next_timer(struct fakehost *);
/* Say that an fd is ready; returns how many watches heard it. */
int fakehost_fire(struct fakehost *, int fd, unsigned events);
/* Wait up to `timeout_ms` real milliseconds for watched fds, then a turn. For
 * plugins with real sockets; returns how many watches were called. */
int fakehost_poll(struct fakehost *, int timeout_ms);

/* All that was logged so far, a line each: "LEVEL tag: text". */
const char *fakehost_log(struct fakehost *);

/* ---- sessions ---- */

enum fakehost_state {
	FAKEHOST_OPENING, /* outbound: open() was called, no answer yet */
	FAKEHOST_READY,
	FAKEHOST_FAILED, /* by host->fail */
	FAKEHOST_CLOSED, /* by the test; the plugin's end is gone */
};

struct fakehost_heard { /* one datagram delivered by the plugin */
	struct weir_addr peer;
	char name[256]; /* holds peer.name */
	uint32_t len;
	uint16_t segment;
	uint8_t data[2048]; /* the first bytes of it */
};

/* One end, to be looked at by the test; it lives until fakehost_free. */
struct weir_end {
	struct weir_instance *instance;
	enum weir_net net;
	struct weir_session_info info;
	char source_name[256], target_name[256], user[64];
	enum fakehost_state state;
	int err;       /* of fail */
	char why[120]; /* of fail */
	unsigned news; /* WEIR_* of notify; the test may clear them */
	int notices;   /* calls of notify */
	bool eof;      /* fakehost_read met the end of the stream */
	struct fakehost_heard *heard; /* flows: what came, oldest first */
	size_t heard_count;
	int unreachable_err; /* the last host->unreachable */
	struct weir_addr unreachable_peer;

	/* The fake host's own. */
	const struct weir_stream_ops *stream;
	const struct weir_flow_ops *flow;
	void *self, *pending;
	bool gone, inbound;
	struct weir_policy policy;
	struct weir_end *next;
};

/* Outbounds: call open(). The answer shows in end->state. */
struct weir_end *fakehost_open(struct weir_instance *,
			       const struct weir_addr *target, enum weir_net);
/* The core gives up before the answer: abandon(). */
void fakehost_abandon(struct weir_end *);
/* Inbounds: the i-th session accepted so far, from 0; NULL: no such. */
struct weir_end *fakehost_accepted(struct fakehost *, size_t i);
/* From now on refuse every new session, as the core does when it is full. */
void fakehost_refuse(struct fakehost *, bool refuse);

/* The stream of a ready end. accept: complete a held handshake; 0 or errno. */
int fakehost_accept(struct weir_end *);
/* Write to the plugin's end; returns what it took. */
size_t fakehost_write(struct weir_end *, const void *data, size_t len);
/* Read from it, at most `size` bytes; 0: nothing now, or end->eof. Also after
 * FAKEHOST_FAILED: what had come is still there until the close. */
size_t fakehost_read(struct weir_end *, void *data, size_t size);
void fakehost_finish(struct weir_end *);
/* The flow of a ready end: one datagram; true where it was taken. */
bool fakehost_send(struct weir_end *, const struct weir_addr *peer,
		   const void *data, size_t len);
/* The last call on either; due also after FAKEHOST_FAILED. */
void fakehost_close(struct weir_end *, int err);

/* ---- names, services, chaining ---- */

/* Script the answer to a name: an errno, or 0 and addresses (copied). Names
 * without a script do not exist (ENOENT). Answers come in the next turn. */
void fakehost_name(struct fakehost *, const char *name, int err,
		   const struct weir_addr *addrs, int n);
/* Offer a service ("netstack", 1). */
void fakehost_offer(struct fakehost *, const char *name, unsigned major,
		    const void *ops, void *self);

enum fakehost_dial_state {
	FAKEHOST_DIALLED, /* waits for the test's answer */
	FAKEHOST_CONNECTED,
	FAKEHOST_HUNG_UP, /* by the plugin */
	FAKEHOST_DIAL_FAILED,
};

#define FAKEHOST_PIPE_BYTES 65536

/* What the plugin opened through another outbound. */
struct weir_dial {
	struct weir_instance *instance;
	char tag[64]; /* empty: the instance's own `via` */
	struct weir_addr target;
	char target_name[256];
	enum weir_net net;
	enum fakehost_dial_state state;
	/* Bytes the plugin wrote; the test may take them by setting out_len
	 * to 0. At most `room` are held; preset: FAKEHOST_PIPE_BYTES. */
	uint8_t out[FAKEHOST_PIPE_BYTES];
	size_t out_len, room;
	bool finished; /* by the plugin */

	/* The fake host's own. */
	const struct weir_dialer_ops *ops;
	void *arg;
	uint8_t in[FAKEHOST_PIPE_BYTES];
	size_t in_len;
	bool in_eof;
	struct weir_dial *next;
};

/* Without this every dial returns NULL: there is no such outbound. */
void fakehost_let_dial(struct fakehost *, bool let);
/* What is under `via` carries packets of so many bytes; 0: there is no via. */
void fakehost_via_mtu(struct fakehost *, uint32_t bytes);
struct weir_dial *fakehost_dialled(struct fakehost *, size_t i);
void fakehost_dial_ready(struct weir_dial *);
void fakehost_dial_fail(struct weir_dial *, int err, const char *why);
/* Bytes for the plugin to read; len 0: the end of the stream. */
void fakehost_dial_push(struct weir_dial *, const void *data, size_t len);
/* A datagram for the plugin. */
void fakehost_dial_deliver(struct weir_dial *, const struct weir_addr *peer,
			   const void *data, size_t len);
/* Tell the plugin that there is room again. */
void fakehost_dial_writable(struct weir_dial *);

#endif
