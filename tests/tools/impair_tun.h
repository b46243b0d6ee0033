/* SPDX-License-Identifier: GPL-2.0-or-later */
/* impair_tun.h - a TUN in a network namespace, addressed and up. */
#ifndef TESTS_TOOLS_IMPAIR_TUN_H
#define TESTS_TOOLS_IMPAIR_TUN_H

#define IMPAIR_ROUTES_MAX 16
#define IMPAIR_ADDRESSES_MAX 8

/* The strings are the command line's. */
struct impair_end {
	const char *space; /* name or path of the namespace; "": ours */
	const char *name;
	const char *addresses[IMPAIR_ADDRESSES_MAX];
	unsigned address_count;
	const char *routes[IMPAIR_ROUTES_MAX]; /* into the TUN */
	unsigned route_count;
};

/* Split NETNS:NAME[:ADDRESS[,ADDRESS...]], which it writes into. */
int impair_end_parse(struct impair_end *, char *text);

/* Returns the open file, non-blocking; ends the program with a message where
 * it cannot. */
int impair_end_open(const struct impair_end *, unsigned mtu_bytes);

/* Route every address of `other` into this TUN. Both must be open. */
void impair_end_meet(const struct impair_end *, const struct impair_end *other);

#endif
