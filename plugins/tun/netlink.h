/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netlink.h - one request at a time to rtnetlink, and its news. */
#ifndef TUN_NETLINK_H
#define TUN_NETLINK_H

#include <errno.h>
#include <time.h> /* libmnl's header wants it */

#include <libmnl/libmnl.h>
#include <linux/rtnetlink.h>
#include <weir/base.h>

#define NETLINK_REQUEST_BYTES 512

struct netlink {
	struct mnl_socket *socket;
	unsigned seq;
	int index; /* of the interface, for who asks about one */
};

/* False with the error filled in; close it either way. */
bool netlink_open(struct netlink *, struct weir_error *);
void netlink_close(struct netlink *);

/* Send one request and wait for its acknowledgement: 0 or an errno. */
int netlink_request(struct netlink *, struct nlmsghdr *request);
/* The same for a dump, each message of which is shown. */
int netlink_dump(struct netlink *, struct nlmsghdr *request, mnl_cb_t each,
		 void *arg);

/* A socket that hears these groups (RTNLGRP_*), to be closed by the caller. -1
 * with errno. */
int netlink_listen(const int *groups, size_t count);

/* What a kernel says that was built or booted without IPv6, or an interface
 * or namespace on which it is switched off. */
static inline bool netlink_ip6_is_off(int err)
{
	return err == EOPNOTSUPP || err == EAFNOSUPPORT || err == EACCES;
}

#endif
