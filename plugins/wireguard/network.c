/* SPDX-License-Identifier: GPL-2.0-or-later */
/* network.c - addresses, links and default routes as the kernel tells of them.
 *
 * A laptop that changes its network gets an address, a route, a name server,
 * one after the other: the tunnel is refreshed once, a moment after the last.
 * Other routes than the default ones change all the time on some machines and
 * say nothing about a peer: its own silence does. Nor do link-local addresses
 * of links that no peer is on, where containers come and go, or lifetimes of
 * addresses, which routers and DHCP servers renew. Default routes of any table
 * count: rules may send the tunnel there. A send that failed tells of a socket
 * that is broken. */
#include "network.h"

#include <errno.h>
#include <linux/rtnetlink.h>
#include <stdlib.h>
#include <unistd.h>

#define SETTLE_US 300000ull
#define INTERVAL_US 5000000ull /* between two refreshes, at the least */
#define MESSAGE_BYTES 16384
#define RENEWED_CS 100 /* hundredths of a second */

struct network {
	struct tunnel *tunnel;
	int fd;
	struct weir_watch *watch;
	struct weir_timer *timer;
	bool armed, rebind;
	bool deaf;	  /* watching failed: it is tried again */
	uint64_t last_us; /* 0: never */
};

static void refresh_later(struct network *n)
{
	const struct weir_host *host = n->tunnel->conf.host;
	uint64_t now_us = host->now_us(), at_us = now_us + SETTLE_US;

	if (n->armed)
		return;
	if (n->last_us && at_us < n->last_us + INTERVAL_US)
		at_us = n->last_us + INTERVAL_US;
	n->armed = true;
	host->timer_set(n->timer, at_us - now_us);
}

static void refresh_fire(void *arg)
{
	struct network *n = arg;
	bool rebind = n->rebind;

	n->armed = n->rebind = false;
	n->last_us = n->tunnel->conf.host->now_us();
	if (n->deaf)
		network_watch(n);
	if (!n->deaf || rebind)
		tunnel_refresh(n->tunnel, rebind);
}

/* Has it been there, and only its lifetime is new? Of one that is being made,
 * both times are now, or nearly. */
static bool is_renewed(const struct nlmsghdr *m)
{
	const struct ifaddrmsg *address = NLMSG_DATA(m);
	const struct rtattr *a = IFA_RTA(address);
	size_t left = IFA_PAYLOAD(m);
	struct ifa_cacheinfo life = {0};

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == IFA_CACHEINFO &&
		    RTA_PAYLOAD(a) >= sizeof life)
			memcpy(&life, RTA_DATA(a), sizeof life);
	return (int32_t)(life.tstamp - life.cstamp) >= RENEWED_CS;
}

static bool address_matters(struct tunnel *t, const struct nlmsghdr *m)
{
	const struct ifaddrmsg *address = NLMSG_DATA(m);

	if (m->nlmsg_len < NLMSG_SPACE(sizeof *address))
		return false;
	if (address->ifa_family == AF_INET6 &&
	    address->ifa_scope == RT_SCOPE_LINK &&
	    !tunnel_uses_link(t, address->ifa_index))
		return false;
	return m->nlmsg_type == RTM_DELADDR || !is_renewed(m);
}

static bool matters(struct tunnel *t, const struct nlmsghdr *m)
{
	const struct rtmsg *route = NLMSG_DATA(m);

	switch (m->nlmsg_type) {
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return address_matters(t, m);
	case RTM_NEWROUTE:
	case RTM_DELROUTE:
		return m->nlmsg_len >= NLMSG_LENGTH(sizeof *route) &&
		       route->rtm_dst_len == 0;
	default:
		return false;
	}
}

static bool news_matter(struct tunnel *t, const void *news, size_t len)
{
	for (const struct nlmsghdr *m = news; NLMSG_OK(m, len);
	     m = NLMSG_NEXT(m, len))
		if (matters(t, m))
			return true;
	return false;
}

/* What the kernel had no room for (ENOBUFS) is lost, and may have mattered. */
static void network_ready(void *arg, unsigned events)
{
	struct network *n = arg;
	_Alignas(struct nlmsghdr) char room[MESSAGE_BYTES];
	bool changed = false;

	(void)events;
	for (;;) {
		ssize_t got = recv(n->fd, room, sizeof room, MSG_DONTWAIT);

		if (!got || (got < 0 && errno != ENOBUFS))
			break;
		changed = changed || got < 0 ||
			  news_matter(n->tunnel, room, (size_t)got);
	}
	if (changed)
		refresh_later(n);
}

void network_trouble(struct network *n)
{
	n->rebind = true;
	refresh_later(n);
}

/* 0 or an errno. */
static int network_listen(struct network *n)
{
	const struct tunnel_conf *c = &n->tunnel->conf;
	struct sockaddr_nl sa = {
		.nl_family = AF_NETLINK,
		.nl_groups = RTMGRP_IPV4_IFADDR | RTMGRP_IPV6_IFADDR |
			     RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE};
	int err;

	n->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
		       NETLINK_ROUTE);
	if (n->fd < 0)
		return errno;
	if (bind(n->fd, (struct sockaddr *)&sa, sizeof sa) == 0)
		n->watch = c->host->watch_new(c->instance, n->fd, WEIR_READABLE,
					      network_ready, n);
	if (n->watch)
		return 0;
	err = errno;
	close(n->fd);
	n->fd = -1;
	return err;
}

/* Changes that are missed until watching succeeds may matter, so the next try
 * is a refresh as well. */
void network_watch(struct network *n)
{
	const struct tunnel_conf *c = &n->tunnel->conf;
	int err;

	if (n->watch || c->wire)
		return;
	err = network_listen(n);
	if (err && !n->deaf)
		c->host->log(c->instance, WEIR_WARN,
			     "cannot watch the network, trying again: %s",
			     strerror(err));
	n->deaf = err;
	if (err)
		refresh_later(n);
}

void network_unwatch(struct network *n)
{
	if (!n)
		return;
	n->tunnel->conf.host->timer_stop(n->timer);
	n->armed = n->rebind = n->deaf = false;
	if (n->watch)
		n->tunnel->conf.host->watch_free(n->watch);
	n->watch = NULL;
	if (n->fd >= 0)
		close(n->fd);
	n->fd = -1;
}

struct network *network_new(struct tunnel *t)
{
	struct network *n = calloc(1, sizeof *n);

	if (!n)
		return NULL;
	n->tunnel = t;
	n->fd = -1;
	n->timer = t->conf.host->timer_new(t->conf.instance, refresh_fire, n);
	if (!n->timer) {
		free(n);
		return NULL;
	}
	return n;
}

void network_free(struct network *n)
{
	if (!n)
		return;
	network_unwatch(n);
	n->tunnel->conf.host->timer_free(n->timer);
	free(n);
}
