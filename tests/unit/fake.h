/* SPDX-License-Identifier: GPL-2.0-or-later */
/* fake.h - a core in memory between components that a test plays itself.
 *
 * A `struct fake` is a handmade configuration and the daemon that runs it; its
 * parts are components whose every call is recorded. A fake end checks on
 * every call what weir/stream.h promises to ends: never inside its own call
 * into the core, nothing after close, close once. */
#ifndef WEIR_TESTS_FAKE_H
#define WEIR_TESTS_FAKE_H

#include <check.h>
#include <errno.h>
#include <stdlib.h>
#undef fail /* check.h's macro; weir_host has a member of that name */
#include <weir/plugin.h>

#include "core/config.h"
#include "core/core.h"
#include "core/daemon.h"
#include "core/instance.h"

#define FAKE_BYTES 65536
#define FAKE_PARTS 8
#define FAKE_OPENS 24
#define FAKE_HEARD 128

/* Which of the optional stream functions an end offers. */
enum fake_shape {
	FAKE_PEEK = 1,
	FAKE_READ = 2,
	FAKE_WRITE = 4,
	FAKE_RESERVE = 8,
	FAKE_LEND = 16, /* what it shows */
	FAKE_KEEP = 32, /* what it is written */
};

/* One end of a stream. The test fills `in` and `room`, looks at `out`. */
struct fake_end {
	struct weir_stream_ops ops;
	const struct weir_host *host;
	struct weir_end *handle;
	bool calling;	/* it is inside a call to the core */
	uint32_t level; /* of its session's info */
	char in[FAKE_BYTES], out[FAKE_BYTES];
	size_t in_len, in_off, out_len, room, reserved;
	bool in_eof;
	bool endless;	   /* always more to read; what is written is lost */
	uint64_t written;  /* bytes, also lost ones */
	size_t view_bytes; /* 0: one view; else views of so many bytes */
	struct weir_loan loan; /* of every second view */
	int kept;	       /* loans that came with what was written */
	size_t unacked;	       /* what it says */
	int accepts, accept_errno;
	int finishes, closes, close_err;
};

void fake_end_init(struct fake_end *, unsigned shape);
void fake_end_receive(struct fake_end *, const char *text);
void fake_end_notify(struct fake_end *, unsigned events);
void fake_end_fail(struct fake_end *, int err, const char *why);
const char *fake_end_sent(struct fake_end *); /* so far, as text */

/* A client's or an outbound's end of a flow. */
struct fake_heard {
	char text[32];
	struct weir_addr peer;
	uint32_t len;
	uint16_t segment;
};

struct fake_flow {
	struct weir_flow_ops ops;
	const struct weir_host *host;
	struct weir_end *handle;
	bool calling;
	bool full;	      /* takes nothing */
	const char *reply;    /* deliver this to the sender inside send */
	uint32_t exchange_ms; /* of its session's info */
	uint32_t level;	      /* the same */
	struct fake_heard heard[FAKE_HEARD];
	int heard_count;
	struct weir_addr unreachable[16];
	int errors[16], error_count;
	int closes, close_err;
};

void fake_flow_init(struct fake_flow *);
void fake_flow_deliver(struct fake_flow *, const struct weir_addr *peer,
		       const char *text);

enum fake_answer { FAKE_LATER, FAKE_READY, FAKE_REFUSE };

/* One open() of a fake outbound. */
struct fake_open {
	struct fake_part *part;
	struct weir_end *end;
	struct weir_addr target;
	enum weir_net net;
	int abandons;
	struct fake_end stream;
	struct fake_flow flow;
};

struct fake_part {
	struct weir_component component;
	struct config_component conf;
	struct fake *fake;
	struct weir_instance *instance;
	const struct weir_host *host;
	bool fail_create, fail_start, slow_stop, slow_for_ever;
	void (*on_create)(struct fake_part *);
	void (*on_start)(struct fake_part *);
	void (*on_stop)(struct fake_part *);
	void (*on_destroy)(struct fake_part *);
	enum fake_answer answer;
	int refuse_errno;
	struct fake_open *opens[FAKE_OPENS];
	int open_count;
};

struct fake {
	struct config config;
	struct config_component inbounds[3], outbounds[4], services[2];
	struct config_level levels[2];
	struct weir_plugin plugin;
	struct fake_part parts[FAKE_PARTS];
	int part_count;
	struct daemon *daemon;
	struct loop_owner owner;
	char order[1024]; /* what was called: "create a;start a;" */
};

/* A configuration with nothing in it; limits are generous. */
struct fake *fake_new(void);
struct fake_part *fake_add(struct fake *, enum weir_kind, const char *tag);
struct fake_part *fake_part(struct fake *, const char *tag);
bool fake_try(struct fake *, struct weir_error *); /* daemon_start */
void fake_start(struct fake *);
void fake_wait(struct fake *, unsigned ms); /* turn the loop so long */
void fake_turn(struct fake *);
int fake_stop(struct fake *); /* at once; the exit status; frees all */

/* inbound "in" and outbound "out" */
struct fake *fake_pair(void);
struct core *fake_core(struct fake *);

struct weir_addr fake_addr(const char *text); /* numbers only */
/* Hand a session of the inbound to the core; NULL: refused. */
struct weir_end *fake_accept(struct fake_part *, struct fake_end *,
			     const char *target);
struct weir_end *fake_accept_flow(struct fake_part *, struct fake_flow *,
				  const char *target);
struct fake_open *fake_opened(struct fake_part *, int n); /* asserts */
void fake_open_ready(struct fake_open *);
void fake_open_fail(struct fake_open *, int err, const char *why);

/* A program of one test case with these tests. */
int fake_main(const char *name, const TTest *const *tests, int n);
#define FAKE_MAIN(name, ...)                                                   \
	int main(void)                                                         \
	{                                                                      \
		const TTest *const tests[] = {__VA_ARGS__};                    \
		return fake_main(name, tests,                                  \
				 (int)(sizeof tests / sizeof tests[0]));       \
	}

#endif
