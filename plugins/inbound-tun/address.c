/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Addresses of the interface that weir made.
 *
 * Theory of operation: one rtnetlink socket for the length of one call, one
 * request and one acknowledgement at a time, before the loop serves anyone.
 * The kernel answers at once; a receive timeout bounds the wait should it not.
 * Requests replace what is there, so that a persistent device can be taken
 * over as it was left. Everything goes with the device; nothing is undone. */
#include "address.h"

#include <errno.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/time.h>
#include <time.h>

#define ANSWER_SECONDS 5
#define REQUEST_BYTES 512
#define ANSWER_BYTES 8192

struct talk {
	struct mnl_socket *socket;
	unsigned seq;
	int index; /* of the interface */
};

/* Send one request and wait for its acknowledgement: 0 or an errno. */
static int talk_request(struct talk *t, struct nlmsghdr *request)
{
	char answer[ANSWER_BYTES];
	unsigned port = mnl_socket_get_portid(t->socket);
	ssize_t n;
	int more;

	request->nlmsg_flags |= NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = ++t->seq;
	if (mnl_socket_sendto(t->socket, request, request->nlmsg_len) < 0)
		return errno;
	do {
		n = mnl_socket_recvfrom(t->socket, answer, sizeof answer);
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		more = mnl_cb_run(answer, (size_t)n, t->seq, port, NULL, NULL);
	} while (more > 0);
	return more < 0 ? errno : 0;
}

static struct nlmsghdr *link_message(struct talk *t, char *room)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct ifinfomsg *info;

	request->nlmsg_type = RTM_NEWLINK;
	info = mnl_nlmsg_put_extra_header(request, sizeof *info);
	info->ifi_family = AF_UNSPEC;
	info->ifi_index = t->index;
	return request;
}

/* A link-local address, router solicitations: nobody is there to use them.
 * A kernel without IPv6 refuses this, which is as good. */
static void link_quiet(struct talk *t)
{
	char room[REQUEST_BYTES];
	struct nlmsghdr *request = link_message(t, room);
	struct nlattr *spec, *family;

	spec = mnl_attr_nest_start(request, IFLA_AF_SPEC);
	family = mnl_attr_nest_start(request, AF_INET6);
	mnl_attr_put_u8(request, IFLA_INET6_ADDR_GEN_MODE,
			IN6_ADDR_GEN_MODE_NONE);
	mnl_attr_nest_end(request, family);
	mnl_attr_nest_end(request, spec);
	(void)talk_request(t, request);
}

static int link_up(struct talk *t, uint32_t mtu_bytes)
{
	char room[REQUEST_BYTES];
	struct nlmsghdr *request = link_message(t, room);
	struct ifinfomsg *info = mnl_nlmsg_get_payload(request);

	info->ifi_flags = IFF_UP;
	info->ifi_change = IFF_UP;
	mnl_attr_put_u32(request, IFLA_MTU, mtu_bytes);
	return talk_request(t, request);
}

static int address_add(struct talk *t, const struct weir_cidr *a)
{
	bool v6 = a->base.kind == WEIR_ADDR_IP6;
	size_t len = v6 ? 16 : 4;
	char room[REQUEST_BYTES];
	struct nlmsghdr *request = mnl_nlmsg_put_header(room);
	struct ifaddrmsg *message;

	request->nlmsg_type = RTM_NEWADDR;
	request->nlmsg_flags = NLM_F_CREATE | NLM_F_REPLACE;
	message = mnl_nlmsg_put_extra_header(request, sizeof *message);
	message->ifa_family = v6 ? AF_INET6 : AF_INET;
	message->ifa_prefixlen = (uint8_t)a->bits;
	/* Usable at once: there is no neighbour who could have it too. */
	message->ifa_flags = v6 ? IFA_F_NODAD : 0;
	message->ifa_index = (unsigned)t->index;
	mnl_attr_put(request, IFA_LOCAL, len, a->base.ip);
	mnl_attr_put(request, IFA_ADDRESS, len, a->base.ip);
	return talk_request(t, request);
}

/* What a kernel says that was built or booted without IPv6, or an interface
 * or namespace on which it is switched off. */
static bool ip6_is_off(int err)
{
	return err == EOPNOTSUPP || err == EAFNOSUPPORT || err == EACCES;
}

static bool addresses_add(struct talk *t, const struct address_plan *plan,
			  size_t *skipped, struct weir_error *e)
{
	char text[WEIR_ADDR_TEXT];

	for (size_t i = 0; i < plan->count; i++) {
		const struct weir_cidr *a = &plan->addresses[i];
		int err = address_add(t, a);

		if (!err)
			continue;
		if (a->base.kind == WEIR_ADDR_IP6 && ip6_is_off(err)) {
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

static bool talk_open(struct talk *t, struct weir_error *e)
{
	struct timeval wait = {.tv_sec = ANSWER_SECONDS};
	int fd;

	t->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!t->socket)
		return weir_error(e, NULL, "cannot open rtnetlink: %s",
				  strerror(errno));
	fd = mnl_socket_get_fd(t->socket);
	if (mnl_socket_bind(t->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0)
		return weir_error(e, NULL, "cannot use rtnetlink: %s",
				  strerror(errno));
	return true;
}

bool address_apply(const struct address_plan *plan, size_t *skipped,
		   struct weir_error *e)
{
	struct talk t = {.index = (int)if_nametoindex(plan->name)};
	bool ok = false;
	int err;

	*skipped = 0;
	if (!t.index)
		return weir_error(e, "name", "%s: %s", plan->name,
				  strerror(errno));
	if (!talk_open(&t, e))
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
	if (t.socket)
		mnl_socket_close(t.socket);
	return ok;
}
