/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turn.h - the work of the end of a turn.
 *
 * Plugins' calls only mark sessions; here the core acts on them, so that no
 * end is ever called from inside its own call. Sessions come first, those that
 * carry much last, then what plugins deferred (writing out what the sessions
 * produced). What is queued meanwhile waits for the next turn.
 *
 * What comes in waits while a turn lasts, in a queue that is soon full: so once
 * a turn has moved TURN_BYTES, the other sessions that carry much wait for the
 * next one. */
#ifndef WEIR_CORE_TURN_H
#define WEIR_CORE_TURN_H

#include <weir/host.h>

struct turn_queue {
	struct weir_task *first, **end;
};

/* 1 to 2 ms from sockets to a TUN, 6 ms to a tunnel. Without a bound eight
 * downloads made turns of 13 ms, and the TUN's queue lost one ping in five. */
#define TURN_BYTES (3u << 20)

struct turn {
	struct turn_queue sessions, bulk, tasks;
	uint64_t moved; /* bytes, by this turn's sessions */
};

void turn_init(struct turn *);
/* Queue once; queueing again before it ran changes nothing. */
void turn_session(struct turn *, struct weir_task *);
/* The same for a session that carries much: others are served first. */
void turn_bulk(struct turn *, struct weir_task *);
void turn_task(struct turn *, struct weir_task *);
/* Take an entry back that may be queued. */
void turn_forget(struct turn *, struct weir_task *);
/* A session that runs has moved so much. */
void turn_moved(struct turn *, uint64_t bytes);
bool turn_run(struct turn *); /* whether there is more to do */

#endif
