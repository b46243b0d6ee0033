/* SPDX-License-Identifier: GPL-2.0-or-later */
/* turn.h - the work of the end of a turn.
 *
 * Plugins' calls only mark sessions; here the core acts on them, so that no
 * end is ever called from inside its own call. Sessions come first, then what
 * plugins deferred (writing out what the sessions produced). What is queued
 * meanwhile waits for the next turn. */
#ifndef WEIR_CORE_TURN_H
#define WEIR_CORE_TURN_H

#include <weir/host.h>

struct turn_queue {
	struct weir_task *first, **end;
};

struct turn {
	struct turn_queue sessions, tasks;
};

void turn_init(struct turn *);
/* Queue once; queueing again before it ran changes nothing. */
void turn_session(struct turn *, struct weir_task *);
void turn_task(struct turn *, struct weir_task *);
/* Take an entry back that may be queued. */
void turn_forget(struct turn *, struct weir_task *);
bool turn_run(struct turn *); /* whether there is more to do */

#endif
