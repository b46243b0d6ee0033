/* SPDX-License-Identifier: GPL-2.0-or-later */
/* upkeep.c - puts back what others take of a device.
 *
 * A restart of systemd-networkd, `ip rule flush`, a firewall's script: they
 * mean no harm, and without its rules a tunnel is silent. Their news only begin
 * a wait; then all that should be there is asked for once more, and what the
 * kernel takes is what was gone. If it is taken again the wait doubles each
 * time, and in the end weir gives in: two programs that each know better must
 * not spin.
 *
 * A device that is down was taken down by somebody. But the kernel drops its
 * IPv6 addresses and its routes with that, and no one else knows them: they are
 * put back when it is up again, which is no quarrel and is not counted. */
#include "upkeep.h"

#include <linux/fib_rules.h>
#include <net/if.h>
#include <stdlib.h>
#include <unistd.h>

#include "netlink.h"
#include "routing.h"

#define SETTLE_US 300000ull /* doubled with each repair */
#define REPAIRS_MOST 6
#define FORGET_US 600000000ull /* so long without one, and none counts */
#define NEWS_BYTES 16384

struct upkeep {
	struct upkeep_conf conf;
	unsigned index; /* of the device */
	int fd;
	struct weir_watch *watch; /* NULL: it was given up */
	struct weir_timer *timer;
	bool armed, gone, down, down_told;
	bool was_down; /* since the last look */
	unsigned repairs;
	uint64_t last_us; /* when the last one was */
};

static void look_later(struct upkeep *u)
{
	const struct weir_host *host = u->conf.host;

	if (u->armed)
		return;
	u->armed = true;
	if (host->now_us() - u->last_us > FORGET_US)
		u->repairs = 0;
	host->timer_set(u->timer, SETTLE_US << u->repairs);
}

/* ---- the news */

static uint32_t attribute_of(const struct nlmsghdr *m, unsigned head,
			     uint16_t type)
{
	const struct nlattr *a;

	mnl_attr_for_each(a, m, head)
	{
		if (mnl_attr_get_type(a) == type &&
		    mnl_attr_get_payload_len(a) >= sizeof(uint32_t))
			return mnl_attr_get_u32(a);
	}
	return 0;
}

static bool link_matters(struct upkeep *u, const struct nlmsghdr *m)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);

	if ((unsigned)info->ifi_index != u->index)
		return false;
	if (m->nlmsg_type == RTM_DELLINK) {
		/* Of IPv6 alone it tells less. */
		u->gone = u->gone || info->ifi_family == AF_UNSPEC;
		return true;
	}
	u->down = !(info->ifi_flags & IFF_UP);
	u->was_down = u->was_down || u->down;
	return true;
}

static bool matters(struct upkeep *u, const struct nlmsghdr *m)
{
	switch (m->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return link_matters(u, m);
	case RTM_DELADDR:
		return ((const struct ifaddrmsg *)mnl_nlmsg_get_payload(m))
			       ->ifa_index == u->index;
	case RTM_DELROUTE:
		return attribute_of(m, sizeof(struct rtmsg), RTA_TABLE) ==
		       routing_table(u->index);
	case RTM_DELRULE:
		return attribute_of(m, sizeof(struct fib_rule_hdr),
				    FRA_TABLE) == routing_table(u->index);
	default:
		return false;
	}
}

/* Whether some matter. What the kernel had no room for (ENOBUFS) is lost, and
 * may have. */
static bool news_read(struct upkeep *u)
{
	_Alignas(struct nlmsghdr) char room[NEWS_BYTES];
	bool changed = false;

	for (;;) {
		ssize_t got = recv(u->fd, room, sizeof room, MSG_DONTWAIT);
		int left = (int)got;

		if (!got || (got < 0 && errno != ENOBUFS))
			break;
		if (got < 0)
			changed = true;
		for (const struct nlmsghdr *m = (const void *)room;
		     got > 0 && mnl_nlmsg_ok(m, left);
		     m = mnl_nlmsg_next(m, &left))
			changed |= matters(u, m);
	}
	return changed;
}

static void news_ready(void *arg, unsigned events)
{
	struct upkeep *u = arg;

	(void)events;
	if (news_read(u))
		look_later(u);
}

/* ---- the look */

static void give_up(struct upkeep *u)
{
	u->conf.host->watch_free(u->watch);
	u->watch = NULL;
}

static void repaired(struct upkeep *u, const char *what)
{
	const struct upkeep_conf *c = &u->conf;

	u->last_us = c->host->now_us();
	if (++u->repairs < REPAIRS_MOST) {
		c->host->log(c->instance, WEIR_WARN,
			     "%s: somebody removed %s; it was put back",
			     c->device->name, what);
		return;
	}
	c->host->log(c->instance, WEIR_WARN,
		     "%s: somebody removed %s again and again; it was put back "
		     "for the last time until weir is started again",
		     c->device->name, what);
	give_up(u);
}

/* The kernel was out of memory, or late, which may pass. That it does not is
 * found by counting these as repairs. */
static bool may_pass(struct upkeep *u, int err)
{
	if (err != ENOMEM && err != ENOBUFS && err != ETIMEDOUT)
		return false;
	u->last_us = u->conf.host->now_us();
	return ++u->repairs < REPAIRS_MOST;
}

static void mend_all(struct upkeep *u)
{
	const struct upkeep_conf *c = &u->conf;
	const struct routing_plan routes = {
		.index = u->index,
		.addresses = c->addresses.addresses,
		.count = c->addresses.count,
	};
	bool was_down = u->was_down, asked, later;
	struct mend m = {.err = 0};

	u->was_down = false;
	asked = address_mend(&c->addresses, &m) &&
		(!c->routed || routing_mend(&routes, &m));
	later = may_pass(u, m.err);
	if (!asked || later) {
		u->was_down = was_down;
		look_later(u);
	}
	if (*m.done && was_down)
		c->host->log(c->instance, WEIR_INFO,
			     "%s is up again and got back %s", c->device->name,
			     m.done);
	else if (*m.done)
		repaired(u, m.done);
	if (!m.err || m.err == ENETDOWN || later || !u->watch)
		return;
	c->host->log(c->instance, WEIR_WARN,
		     "%s: somebody removed %s, which cannot be put back: %s; "
		     "starting weir again may help",
		     c->device->name, m.failed, strerror(m.err));
	give_up(u);
}

static void tell_lost(struct upkeep *u, const char *name, const char *why)
{
	const struct upkeep_conf *c = &u->conf;
	char text[sizeof(struct weir_error) + IFNAMSIZ];

	snprintf(text, sizeof text,
		 "the interface %s was removed and is not made again (%s)",
		 name, why);
	if (c->lost)
		c->lost(c->arg, text);
	else
		c->host->log(c->instance, WEIR_ERROR,
			     "%s: nothing passes until weir is started again",
			     text);
}

static void make_again(struct upkeep *u)
{
	const struct upkeep_conf *c = &u->conf;
	char old[IFNAMSIZ];
	struct weir_error e = {.text = "it was taken away before"};

	if (tun_learn_name(c->device) && c->lost) { /* it was moved */
		give_up(u);
		return;
	}
	memcpy(old, c->device->name, sizeof old);
	if (u->watch && u->repairs < REPAIRS_MOST && c->remake(c->arg, &e)) {
		news_read(u); /* of the old one, which had the same index */
		u->gone = u->was_down = u->down = false;
		u->index = if_nametoindex(c->device->name);
		u->repairs++;
		u->last_us = c->host->now_us();
		c->host->log(c->instance, WEIR_WARN,
			     "the interface %s was removed; it was made again "
			     "as %s",
			     old, c->device->name);
		return;
	}
	tell_lost(u, old, e.text);
	give_up(u);
}

static void tell_state(struct upkeep *u)
{
	const struct upkeep_conf *c = &u->conf;

	if (u->down == u->down_told || c->lost)
		return;
	u->down_told = u->down;
	if (u->down)
		c->host->log(c->instance, WEIR_WARN,
			     "%s was taken down: nothing passes until it is up "
			     "again",
			     c->device->name);
}

static void look(void *arg)
{
	struct upkeep *u = arg;

	u->armed = false;
	if (u->gone) {
		make_again(u);
		return;
	}
	tun_learn_name(u->conf.device);
	tell_state(u);
	if (!u->down)
		mend_all(u);
}

/* ---- its life */

static bool listen_to(struct upkeep *u)
{
	static const int groups[] = {RTNLGRP_LINK,	  RTNLGRP_IPV4_IFADDR,
				     RTNLGRP_IPV6_IFADDR, RTNLGRP_IPV6_IFINFO,
				     RTNLGRP_IPV4_RULE,	  RTNLGRP_IPV6_RULE,
				     RTNLGRP_IPV4_ROUTE,  RTNLGRP_IPV6_ROUTE};
	const struct upkeep_conf *c = &u->conf;

	/* The last four are busy on some machines. */
	u->fd = netlink_listen(groups, c->routed ? 8 : 4);
	if (u->fd >= 0)
		u->watch = c->host->watch_new(c->instance, u->fd, WEIR_READABLE,
					      news_ready, u);
	u->timer = c->host->timer_new(c->instance, look, u);
	return u->watch && u->timer;
}

struct upkeep *upkeep_new(const struct upkeep_conf *conf, struct weir_error *e)
{
	struct upkeep *u = calloc(1, sizeof *u);

	if (!u) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	u->conf = *conf;
	u->conf.addresses.name = conf->device->name;
	u->fd = -1;
	u->index = if_nametoindex(conf->device->name);
	if (listen_to(u))
		return u;
	weir_error(e, NULL, "cannot watch %s: %s", conf->device->name,
		   strerror(errno));
	upkeep_free(u);
	return NULL;
}

void upkeep_gone(struct upkeep *u)
{
	u->gone = true;
	look_later(u);
}

void upkeep_free(struct upkeep *u)
{
	if (!u)
		return;
	u->conf.host->watch_free(u->watch);
	u->conf.host->timer_free(u->timer);
	if (u->fd >= 0)
		close(u->fd);
	free(u);
}
