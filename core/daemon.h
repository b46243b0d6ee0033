/* SPDX-License-Identifier: GPL-2.0-or-later */
/* daemon.h - a configuration made to run: used by `weir run` and `weir exec`.
 *
 * daemon_new borrows configuration and registry; both must outlive it.
 * SIGTERM and SIGINT drain, a second one ends at once; SIGUSR1 logs
 * counters. */
#ifndef WEIR_CORE_DAEMON_H
#define WEIR_CORE_DAEMON_H

#include "config.h"

struct daemon;
struct loop;

/* NULL with the error filled in where the process may open too few files. */
struct daemon *daemon_new(struct config *, struct registry *,
			  struct weir_error *);
/* Every instance created, then every one started; on failure all is undone
 * and the error names the place in the file. */
bool daemon_start(struct daemon *, struct weir_error *);
int daemon_run(struct daemon *); /* turns the loop; an exit status */
/* End with this status: streams get a while to come to their end. Again, or
 * daemon_end: at once. */
void daemon_quit(struct daemon *, int status);
void daemon_end(struct daemon *, int status);
struct loop *daemon_loop(struct daemon *);
void daemon_free(struct daemon *); /* NULL is fine */

#endif
