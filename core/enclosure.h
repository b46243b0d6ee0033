/* SPDX-License-Identifier: GPL-2.0-or-later */
/* enclosure.h - namespaces with a TUN in them, and one command.
 *
 * enclosure_open makes a child in fresh network, mount, process and (where
 * weir is not root) user namespaces and returns once its TUN stands;
 * enclosure_go lets it run the command. Nothing in it outlives weir. */
#ifndef WEIR_CORE_ENCLOSURE_H
#define WEIR_CORE_ENCLOSURE_H

#include <signal.h>
#include <weir/base.h>

struct enclosure_plan {
	const char *interface; /* name, may hold %d */
	uint32_t mtu_bytes;
	const struct weir_cidr *addresses;
	size_t address_count;
	const char *resolv_conf; /* its text inside; NULL: left alone */
	char *const *argv;	 /* the command */
	const sigset_t *mask;	 /* signals that the command has blocked */
	/* Signals that weir has blocked: passed on to the command. */
	const sigset_t *passed;
};

struct enclosure {
	pid_t pid; /* of its first process; becomes a zombie with the last */
	int tun;   /* the caller's to close */
	int control;
};

/* False after the reason was printed. */
bool enclosure_open(struct enclosure *, const struct enclosure_plan *);
bool enclosure_go(struct enclosure *);
/* After `pid` was waited for: how the command ended, as wait(2) has it. */
bool enclosure_status(const struct enclosure *, int *status);
void enclosure_close(struct enclosure *); /* kills what still runs */

#endif
