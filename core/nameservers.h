/* SPDX-License-Identifier: GPL-2.0-or-later */
/* nameservers.h - resolv.conf as it must look behind a TUN.
 *
 * Outside's name servers may be unreachable from inside (127.0.0.53), so each
 * gets a stand-in address that a rule leads to the real one. */
#ifndef WEIR_CORE_NAMESERVERS_H
#define WEIR_CORE_NAMESERVERS_H

#include <weir/base.h>

#define NAMESERVERS_MAX 3 /* what libc reads of resolv.conf: MAXNS */
#define NAMESERVERS_PORT 53

struct nameservers {
	struct weir_addr outside[NAMESERVERS_MAX]; /* with the port */
	struct weir_addr inside[NAMESERVERS_MAX];  /* its stand-in */
	size_t count;
	char *text; /* the file for inside; freed by nameservers_fini */
};

/* From the text of outside's file; `used` are addresses that stand-ins must
 * not take. Without a nameserver line libc asks 127.0.0.1, and so do we. */
void nameservers_init(struct nameservers *, const char *text,
		      const struct weir_cidr *used, size_t used_count);
void nameservers_fini(struct nameservers *);

/* A configuration whose outbounds and rules lead the stand-ins to what they
 * stand for, as YAML; to be freed. */
char *nameservers_config(const struct nameservers *);

#endif
