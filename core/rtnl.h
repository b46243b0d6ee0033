/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnl.h - the few words of rtnetlink that a fresh network namespace needs.
 *
 * Each call is one request and its answer: 0 or an errno. */
#ifndef WEIR_CORE_RTNL_H
#define WEIR_CORE_RTNL_H

#include <weir/base.h>

struct rtnl {
	int fd;
	unsigned sequence;
};

int rtnl_open(struct rtnl *); /* in the namespace of the caller */
void rtnl_close(struct rtnl *);

int rtnl_up(struct rtnl *, unsigned link, uint32_t mtu_bytes); /* 0: as is */
int rtnl_address(struct rtnl *, unsigned link, const struct weir_cidr *);
int rtnl_default_route(struct rtnl *, unsigned link, int family);

#endif
