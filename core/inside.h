/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inside.h - the child's half of an enclosure. */
#ifndef WEIR_CORE_INSIDE_H
#define WEIR_CORE_INSIDE_H

#include <sys/types.h>

#include "enclosure.h"

/* The words on the control socket, one byte each. READY carries the TUN. */
enum inside_word {
	INSIDE_READY = 'r',   /* to weir */
	INSIDE_NO_PROC = 'p', /* to weir: processes cannot be enclosed here */
	INSIDE_GO = 'g',      /* from weir */
};

struct inside {
	const struct enclosure_plan *plan;
	int control;	     /* the child's end */
	int other;	     /* weir's end, to be closed */
	unsigned namespaces; /* CLONE_NEW* of this child */
	unsigned uid, gid;
	dev_t names; /* the child's: where its resolv.conf lies; 0: none */
};

int inside_main(void *inside); /* for clone(2) */

/* Bring up the network of this namespace; the TUN's fd, or -1 after the
 * reason was printed. */
int inside_network(const struct enclosure_plan *);

/* Namespaces were refused: say why, as far as that is known; false. */
bool enclosure_refused(const char *what, int err);

/* Print "weir exec: ..." and return false. */
bool inside_error(const char *fmt, ...) WEIR_PRINTF(1, 2);

#endif
