/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of the interface that weir made.
 *
 * Theory of operation: one rtnetlink socket for the length of one call.
 * Requests replace what is there, so that a persistent device can be taken over
 * as it was left; later ones only add, which shows what was gone. A user who
 * may change nothing has them refused, and is served all the same where
 * everything is already as they would make it. Everything goes with the device;
 * nothing is undone. */
#include "address.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <string.h>

#include "netlink.h"

/* What a request would have brought about; it was refused. */
struct wanted {
	int index;
	uint32_t mtu_bytes;
	const struct weir_cidr *address;
	bool is_there;
};

static int link_seen(const struct nlmsghdr *m, void *arg)
{
	struct wanted *w = arg;
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(m);
	const struct nlattr *a;

	if (info->ifi_index != w->index || !(info->ifi_flags & IFF_UP))
		return MNL_CB_OK;
	mnl_attr_for_each(a, m, sizeof *info)
	{
		if (mnl_attr_get_type(a) == IFLA_MTU)
			w->is_there = mnl_attr_get_u32(a) == w->mtu_bytes;
	}
	return MNL_CB_OK;
}

static int address_seen(const struct nlmsghdr *m, void *arg)
{
	struct wanted *w = arg;
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(m);
	size_t len = w->address->base.kind == WEIR_ADDR_IP6 ? 16 : 4;
	const struct nlattr *a;

	if (info->ifa_index != (unsigned)w->index ||
	    info->ifa_prefixlen != w->address->bits)
		return MNL_CB_OK;
	mnl_attr_for_each(a, m, sizeof *info)
	{
		if (mnl_attr_get_type(a) == IFA_ADDRESS &&
		    mnl_attr_get_payload_len(a) == len &&
		    !memcmp(mnl_attr_get_payload(a), w->address->base.ip, len))
			w->is_there = true;
	}
	return MNL_CB_OK;
}

static bool is_there(struct netlink *t, uint16_t type, mnl_cb_t seen,
		     struct wanted *w)
{
	char room[NETLINK_REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);

	request->nlmsg_type = type;
	mnl_nlmsg_put_extra_header(request, sizeof(struct ifinfomsg));
	w->index = t->index;
	return !netlink_dump(t, request, seen, w) && w->is_there;
}

static struct nlmsghdr *link_message(struct netlink *t, char *room)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct ifinfomsg *info;

	request->nlmsg_type = RTM_NEWLINK;
	info = mnl_nlmsg_put_extra_header(request, sizeof *info);
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = t->index;
	return request;
}

/* No link-local address and no router solicitations: nobody is there to use
 * them. A kernel without IPv6 refuses this, and has neither. */
static void link_quiet(struct netlink *t)
{
	char room[NETLINK_REQUEST_BYTES];
	struct nlmsghdr *request = link_message(t, room);
	struct nlattr *spec, *family;

	spec = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	family = mnl_attr_nest_start(request, AF_INET6);
	mnl_attr_put_u8(request, IFLA_INET6_ADDR_GEN_MODE,
			IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(request, family);
	mnl_attr_nest_end(request, spec);
	(void)netlink_request(t, request);
}

static int link_up(struct netlink *t, uint32_t mtu_bytes)
{
	char room[NETLINK_REQUEST_BYTES];
	struct nlmsghdr *request = link_message(t, room);
	struct ifinfomsg *info = mnl_nlmsg_get_payload(request);
	struct wanted w = {.mtu_bytes = mtu_bytes};
	int err;

	info->ifi_flags = IFF_UP;
	info->ifi_change = IFF_UP;
	mnl_attr_put_u32(request, IFLA_MTU, mtu_bytes);
	err = netlink_request(t, request);
	if (err == EPERM && is_there(t, RTM_GETLINK, link_seen, &w))
		return 0;
	return err;
}

/* EEXIST: it is there already. */
static int address_add(struct netlink *t, const struct weir_cidr *a,
		       bool routed, uint16_t flags)
{
	bool v6 = a->base.kind == WEIR_ADDR_IP6;
	size_t len = v6 ? 16 : 4;
	char room[NETLINK_REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct ifaddrmsg *message;
	struct wanted w = {.address = a};
	int err;

	request->nlmsg_type = RTM_NEWADDR;
	request->nlmsg_flags = NLM_F_CREATE | flags;
	message = mnl_nlmsg_put_extra_header(request, sizeof *message);
	message->ifa_family = v6 ? AF_INET6 : AF_INET;
	message->ifa_prefixlen = (uint8_t)a->bits;
	/* Usable at once: there is no neighbour who could have it too. */
	message->ifa_flags = v6 ? IFA_F_NODAD : 0;
	message->ifa_index = (unsigned)t->index;
	if (!routed)
		mnl_attr_put_u32(request, IFA_FLAGS,
				 message->ifa_flags | IFA_F_NOPREFIXROUTE);
	mnl_attr_put(request, IFA_LOCAL, len, a->base.ip);
	mnl_attr_put(request, IFA_ADDRESS, len, a->base.ip);
	err = netlink_request(t, request);
	if (err == EPERM && is_there(t, RTM_GETADDR, address_seen, &w))
		return EEXIST;
	return err;
}

static bool addresses_add(struct netlink *t, const struct address_plan *plan,
			  size_t *skipped, struct weir_error *e)
{
	char text[WEIR_ADDR_TEXT];

	for (size_t i = 0; i < plan->count; i++) {
		const struct weir_cidr *a = &plan->addresses[i];
		int err = address_add(t, a, !plan->unrouted, NLM_F_REPLACE);

		if (!err || err == EEXIST)
			continue;
		if (a->base.kind == WEIR_ADDR_IP6 && netlink_ip6_is_off(err)) {
			(*skipped)++;
			continue;
		}
		return weir_error(e, "address",
				  "%s: cannot add the address %s/%u: %s",
				  plan->name, weir_addr_text(&a->base, text),
				  a->bits, strerror(err));
	}
	return true;
}

bool address_apply(const struct address_plan *plan, size_t *skipped,
		   struct weir_error *e)
{
	struct netlink t = {.index = (int)if_nametoindex(plan->name)};
	bool ok = false;
	int err;

	*skipped = 0;
	if (!t.index)
		return weir_error(e, "name", "%s: %s", plan->name,
				  strerror(errno));
	if (!netlink_open(&t, e))
		goto out;
	link_quiet(&t);
	err = link_up(&t, plan->mtu_bytes);
	if (err) {
		weir_error(e, NULL,
			   "%s: cannot bring it up with an MTU of %u: %s",
			   plan->name, plan->mtu_bytes, strerror(err));
		goto out;
	}
	ok = addresses_add(&t, plan, skipped, e);
out:
	netlink_close(&t);
	return ok;
}

bool address_mend(const struct address_plan *plan, struct mend *m)
{
	struct netlink t = {.index = (int)if_nametoindex(plan->name)};
	struct weir_error ignored;
	char text[WEIR_ADDR_TEXT];
	bool ok = t.index && netlink_open(&t, &ignored);

	for (size_t i = 0; ok && i < plan->count; i++) {
		const struct weir_cidr *a = &plan->addresses[i];
		int err = address_add(&t, a, !plan->unrouted, NLM_F_EXCL);

		if (a->base.kind == WEIR_ADDR_IP6 && netlink_ip6_is_off(err))
			continue;
		mend_note(m, err, "the address %s/%u",
			  weir_addr_text(&a->base, text), a->bits);
	}
	netlink_close(&t);
	return ok;
}
