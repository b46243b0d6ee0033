/* SPDX-License-Identifier: GPL-2.0-or-later */
/* rtnetlink, by hand.
 *
 * Theory of operation: the core asks for three things only, in a namespace
 * that nobody else knows yet, so a netlink library would be more than it
 * needs. A message is built in a buffer of fixed size, sent with NLM_F_ACK, and
 * its acknowledgement, an errno, is read at once. */
#include "rtnl.h"

#include <errno.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_SECONDS 5
#define ROOM 256 /* bytes of a message; the largest takes under 100 */

struct message {
	struct nlmsghdr header;
	char body[ROOM];
};

int rtnl_open(struct rtnl *r)
{
	struct timeval wait = {.tv_sec = ANSWER_SECONDS};

	r->sequence = 0;
	r->fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	if (r->fd < 0)
		return errno;
	if (setsockopt(r->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof wait) < 0)
		return errno;
	return 0;
}

void rtnl_close(struct rtnl *r)
{
	if (r->fd >= 0)
		close(r->fd);
	r->fd = -1;
}

static void begin(struct message *m, int type, int flags, const void *body,
		  size_t len)
{
	memset(m, 0, sizeof *m);
	m->header.nlmsg_type = (uint16_t)type;
	m->header.nlmsg_flags = (uint16_t)(NLM_F_REQUEST | NLM_F_ACK | flags);
	m->header.nlmsg_len = (uint32_t)NLMSG_SPACE(len);
	memcpy(NLMSG_DATA(&m->header), body, len);
}

static void put(struct message *m, int type, const void *value, size_t len)
{
	char *end = (char *)m + m->header.nlmsg_len;
	struct rtattr attribute = {
		.rta_type = (uint16_t)type,
		.rta_len = (uint16_t)RTA_LENGTH(len),
	};

	memcpy(end, &attribute, sizeof attribute);
	memcpy(end + RTA_LENGTH(0), value, len);
	m->header.nlmsg_len += (uint32_t)RTA_SPACE(len);
}

static int ask(struct rtnl *r, struct message *m)
{
	struct {
		struct nlmsghdr header;
		struct nlmsgerr error;
		char echo[ROOM * 2];
	} answer;
	ssize_t n;

	m->header.nlmsg_seq = ++r->sequence;
	if (send(r->fd, m, m->header.nlmsg_len, 0) < 0)
		return errno;
	do {
		n = recv(r->fd, &answer, sizeof answer, 0);
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		if ((size_t)n < NLMSG_SPACE(sizeof answer.error))
			return EPROTO;
	} while (answer.header.nlmsg_seq != r->sequence);
	if (answer.header.nlmsg_type != NLMSG_ERROR)
		return EPROTO;
	return -answer.error.error;
}

int rtnl_up(struct rtnl *r, unsigned link, uint32_t mtu_bytes)
{
	struct ifinfomsg info = {
		.ifi_index = (int)link,
		.ifi_flags = IFF_UP,
		.ifi_change = IFF_UP,
	};
	struct message m;

	begin(&m, RTM_NEWLINK, 0, &info, sizeof info);
	if (mtu_bytes)
		put(&m, IFLA_MTU, &mtu_bytes, sizeof mtu_bytes);
	return ask(r, &m);
}

int rtnl_address(struct rtnl *r, unsigned link, const struct weir_cidr *a)
{
	bool v6 = a->base.kind == WEIR_ADDR_IP6;
	size_t len = v6 ? 16 : 4;
	struct ifaddrmsg info = {
		.ifa_family = v6 ? AF_INET6 : AF_INET,
		.ifa_prefixlen = (uint8_t)a->bits,
		.ifa_flags = v6 ? IFA_F_NODAD : 0,
		.ifa_index = link,
	};
	struct message m;

	begin(&m, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, &info,
	      sizeof info);
	put(&m, IFA_LOCAL, a->base.ip, len);
	put(&m, IFA_ADDRESS, a->base.ip, len);
	return ask(r, &m);
}

int rtnl_default_route(struct rtnl *r, unsigned link, int family)
{
	struct rtmsg info = {
		.rtm_family = (unsigned char)family,
		.rtm_table = RT_TABLE_MAIN,
		.rtm_protocol = RTPROT_STATIC,
		.rtm_scope = RT_SCOPE_UNIVERSE,
		.rtm_type = RTN_UNICAST,
	};
	struct message m;

	begin(&m, RTM_NEWROUTE, NLM_F_CREATE | NLM_F_REPLACE, &info,
	      sizeof info);
	put(&m, RTA_OIF, &link, sizeof link);
	return ask(r, &m);
}
