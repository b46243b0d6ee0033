/* SPDX-License-Identifier: GPL-2.0-or-later */
/* watches.h - file descriptors and who is told of their news.
 *
 * A set belongs to a loop, which asks its fd when there are news and then has
 * them told. A watch is on its owner's list and may be freed at any time, by
 * its own callback as well; the set goes when no watch is left. */
#ifndef WEIR_CORE_WATCHES_H
#define WEIR_CORE_WATCHES_H

#include <stdbool.h>

struct loop_watch {
	struct loop_watch *next, **link; /* of its owner; then of `freed` */
	struct watches *set;
	void (*ready)(void *, unsigned); /* NULL: told nothing any more */
	void *arg;
	int fd;
	unsigned events;
};

struct watches {
	int fd;	      /* readable when there are news to tell */
	bool telling; /* some that are freed may yet be on the list */
	struct loop_watch *freed;
};

bool watches_init(struct watches *); /* false: errno */
void watches_tell(struct watches *);
void watches_fini(struct watches *);

/* As loop_watch_new, on the list `first`. */
struct loop_watch *watch_new(struct watches *, struct loop_watch **first,
			     int fd, unsigned events,
			     void (*ready)(void *, unsigned), void *arg);
void watch_hush(struct loop_watch *); /* it stays, and is told nothing */
void watch_free(struct loop_watch *);

#endif
