/* SPDX-License-Identifier: GPL-2.0-or-later */
/* routing.c - own routes for own addresses.
 *
 * A rule asks the interface's table for all that has one of its addresses as
 * source. Such a rule, unlike one for a mark, also lets the answers pass where
 * the kernel checks the way back of what comes in (rp_filter), which knows
 * addresses but no marks.
 *
 * The table's number is TABLE_BASE and the interface's index, so it is free;
 * and as the rules bear a protocol number of their own, one whose interface is
 * gone is known to be left over. Routes need no care: the kernel removes them
 * with their interface. */
#include "routing.h"

#include <errno.h>
#include <linux/fib_rules.h>
#include <net/if.h>

#include "netlink.h"

#define TABLE_BASE 0x57470000u /* far above what people give out */
#define TABLE_MOST (TABLE_BASE + 0xffffff)
#define RULE_PRIORITY 2000u /* after the local table, before main */
#define RULE_PROTOCOL 87    /* rtnetlink's way to say whose it is */
#define LEFTOVERS_MAX 64

static int family_of(const struct weir_addr *a)
{
	return a->kind == WEIR_ADDR_IP6 ? AF_INET6 : AF_INET;
}

uint32_t routing_table(unsigned index)
{
	return TABLE_BASE + index;
}

static uint32_t table_of(const struct netlink *t)
{
	return routing_table((unsigned)t->index);
}

static int route_add(struct netlink *t, int family, uint16_t flags)
{
	char room[NETLINK_REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct rtmsg *route;

	request->nlmsg_type = RTM_NEWROUTE;
	request->nlmsg_flags = NLM_F_CREATE | flags;
	route = mnl_nlmsg_put_extra_header(request, sizeof *route);
	route->rtm_family = (unsigned char)family;
	route->rtm_table = RT_TABLE_UNSPEC;
	route->rtm_protocol = RULE_PROTOCOL;
	route->rtm_scope =
		family == AF_INET ? RT_SCOPE_LINK : RT_SCOPE_UNIVERSE;
	route->rtm_type = RTN_UNICAST;
	mnl_attr_put_u32(request, RTA_TABLE, table_of(t));
	mnl_attr_put_u32(request, RTA_OIF, (uint32_t)t->index);
	return netlink_request(t, request);
}

static int rule_change(struct netlink *t, uint16_t type,
		       const struct weir_addr *a)
{
	bool v6 = a->kind == WEIR_ADDR_IP6;
	uint16_t len = v6 ? 16 : 4;
	char room[NETLINK_REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct fib_rule_hdr *rule;

	request->nlmsg_type = type;
	if (type == RTM_NEWRULE)
		request->nlmsg_flags = NLM_F_CREATE | NLM_F_EXCL;
	rule = mnl_nlmsg_put_extra_header(request, sizeof *rule);
	rule->family = (uint8_t)family_of(a);
	rule->src_len = (uint8_t)(len * 8);
	rule->action = FR_ACT_TO_TBL;
	mnl_attr_put(request, FRA_SRC, len, a->ip);
	mnl_attr_put_u32(request, FRA_TABLE, table_of(t));
	mnl_attr_put_u32(request, FRA_PRIORITY, RULE_PRIORITY);
	mnl_attr_put_u8(request, FRA_PROTOCOL, RULE_PROTOCOL);
	return netlink_request(t, request);
}

/* ---- what a killed process left */

struct leftovers {
	char rule[LEFTOVERS_MAX][NETLINK_REQUEST_BYTES];
	unsigned count;
};

static int rule_seen(const struct nlmsghdr *m, void *arg)
{
	struct leftovers *l = arg;
	const struct nlattr *a;
	uint32_t table = 0, protocol = 0;
	char name[IFNAMSIZ];

	mnl_attr_for_each(a, m, sizeof(struct fib_rule_hdr))
	{
		if (mnl_attr_get_type(a) == FRA_TABLE)
			table = mnl_attr_get_u32(a);
		else if (mnl_attr_get_type(a) == FRA_PROTOCOL)
			protocol = mnl_attr_get_u8(a);
	}
	if (protocol != RULE_PROTOCOL || table <= TABLE_BASE ||
	    table > TABLE_MOST || m->nlmsg_len > NETLINK_REQUEST_BYTES ||
	    l->count == LEFTOVERS_MAX ||
	    if_indextoname(table - TABLE_BASE, name))
		return MNL_CB_OK;
	memcpy(l->rule[l->count++], m, m->nlmsg_len);
	return MNL_CB_OK;
}

/* What cannot be removed does no harm: its table is empty. */
static void leftovers_remove(struct netlink *t, int family)
{
	struct leftovers l = {.count = 0};
	char room[NETLINK_REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct fib_rule_hdr *rule;

	request->nlmsg_type = RTM_GETRULE;
	rule = mnl_nlmsg_put_extra_header(request, sizeof *rule);
	rule->family = (uint8_t)family;
	if (netlink_dump(t, request, rule_seen, &l))
		return;
	for (unsigned i = 0; i < l.count; i++) {
		request = (struct nlmsghdr *)(void *)l.rule[i];
		request->nlmsg_type = RTM_DELRULE;
		request->nlmsg_flags = 0;
		request->nlmsg_pid = 0;
		(void)netlink_request(t, request);
	}
}

/* ---- the whole */

static bool address_route(struct netlink *t, const struct weir_addr *a,
			  const char *name, struct weir_error *e)
{
	int err = route_add(t, family_of(a), NLM_F_REPLACE);

	if (!err)
		err = rule_change(t, RTM_NEWRULE, a);
	if (!err || err == EEXIST ||
	    (a->kind == WEIR_ADDR_IP6 && netlink_ip6_is_off(err)))
		return true;
	return weir_error(e, NULL, "%s: cannot add routes of its own: %s", name,
			  strerror(err));
}

bool routing_apply(const struct routing_plan *plan, struct weir_error *e)
{
	struct netlink t = {.index = (int)plan->index};
	bool ok = netlink_open(&t, e);

	if (ok) {
		leftovers_remove(&t, AF_INET);
		leftovers_remove(&t, AF_INET6);
	}
	for (size_t i = 0; ok && i < plan->count; i++)
		ok = address_route(&t, &plan->addresses[i].base, plan->name, e);
	netlink_close(&t);
	return ok;
}

static void way_mend(struct netlink *t, const struct weir_addr *a,
		     struct mend *m)
{
	bool v6 = a->kind == WEIR_ADDR_IP6;
	char text[WEIR_ADDR_TEXT];
	int err = route_add(t, family_of(a), NLM_F_EXCL);

	if (v6 && netlink_ip6_is_off(err))
		return;
	mend_note(m, err, "the IPv%d route of table %u", v6 ? 6 : 4,
		  table_of(t));
	err = rule_change(t, RTM_NEWRULE, a);
	mend_note(m, err, "the rule for %s", weir_addr_text(a, text));
}

bool routing_mend(const struct routing_plan *plan, struct mend *m)
{
	struct netlink t = {.index = (int)plan->index};
	struct weir_error ignored;
	bool ok = netlink_open(&t, &ignored);

	for (size_t i = 0; ok && i < plan->count; i++)
		way_mend(&t, &plan->addresses[i].base, m);
	netlink_close(&t);
	return ok;
}

bool routing_undo(const struct routing_plan *plan, struct weir_error *e)
{
	struct netlink t = {.index = (int)plan->index};
	char text[WEIR_ADDR_TEXT];
	bool asked = netlink_open(&t, e), ok = asked;

	for (size_t i = 0; asked && i < plan->count; i++) {
		const struct weir_addr *a = &plan->addresses[i].base;
		int err = rule_change(&t, RTM_DELRULE, a);

		/* Whoever took it away has saved us the work. */
		if (err && err != ENOENT &&
		    !(a->kind == WEIR_ADDR_IP6 && netlink_ip6_is_off(err)))
			ok = weir_error(e, NULL, "the rule for %s: %s",
					weir_addr_text(a, text), strerror(err));
	}
	netlink_close(&t);
	return ok;
}
