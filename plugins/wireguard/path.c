/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path.c - the kernel's way to an endpoint.
 *
 * A socket made as the tunnel's are says whether an address is still ours and
 * whether anything leads from it to the peer, but not where it leaves. That is
 * the routing table's to say, asked with what the socket carries: rules may go
 * by the source and the mark. On a host with two lines both addresses stay when
 * the route moves to the other line, and only the interface tells. */
#include "path.h"

#include <linux/rtnetlink.h>
#include <unistd.h>

#include "udp_private.h"

#define ANSWER_BYTES 4096
#define ATTRIBUTES_BYTES 64 /* two addresses, two numbers */

#ifndef SO_BINDTOIFINDEX /* Linux 5.0; not in every libc's headers */
#define SO_BINDTOIFINDEX 62
#endif

struct question {
	struct nlmsghdr head;
	struct rtmsg route;
	char attributes[ATTRIBUTES_BYTES];
};

static void question_add(struct question *q, uint16_t type, const void *data,
			 size_t len)
{
	struct rtattr *a = (void *)((char *)q + q->head.nlmsg_len);

	a->rta_type = type;
	a->rta_len = (uint16_t)RTA_LENGTH(len);
	memcpy(RTA_DATA(a), data, len);
	q->head.nlmsg_len += (uint32_t)RTA_SPACE(len);
}

/* What `fd` has for this option, which the kernel goes by. */
static void question_add_option(struct question *q, uint16_t type, int fd,
				int option)
{
	uint32_t value = 0;
	socklen_t len = sizeof value;

	if (!getsockopt(fd, SOL_SOCKET, option, &value, &len) && value)
		question_add(q, type, &value, sizeof value);
}

/* 0: none, or not known. */
static uint32_t answer_interface(const char *answer, size_t len)
{
	const struct nlmsghdr *m = (const void *)answer;
	const struct rtattr *a;
	uint32_t interface = 0;
	size_t left;

	if (!NLMSG_OK(m, len) || m->nlmsg_type != RTM_NEWROUTE ||
	    m->nlmsg_len < NLMSG_SPACE(sizeof(struct rtmsg)))
		return 0;
	a = (const void *)(answer + NLMSG_SPACE(sizeof(struct rtmsg)));
	left = m->nlmsg_len - NLMSG_SPACE(sizeof(struct rtmsg));
	for (; RTA_OK(a, left); a = RTA_NEXT(a, left))
		if (a->rta_type == RTA_OIF &&
		    RTA_PAYLOAD(a) >= sizeof interface)
			memcpy(&interface, RTA_DATA(a), sizeof interface);
	return interface;
}

/* By which interface does what `fd` sends to `to` leave? */
static uint32_t interface_to(int fd, const struct wg_endpoint *to)
{
	size_t len = to->addr.kind == WEIR_ADDR_IP6 ? 16 : 4;
	struct question q = {
		.head = {.nlmsg_len = NLMSG_SPACE(sizeof q.route),
			 .nlmsg_type = RTM_GETROUTE,
			 .nlmsg_flags = NLM_F_REQUEST},
		.route = {.rtm_family = len == 16 ? AF_INET6 : AF_INET,
			  .rtm_dst_len = (uint8_t)(len * 8),
			  .rtm_src_len = (uint8_t)(len * 8)}};
	_Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	int table = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	ssize_t got = -1;

	if (table < 0)
		return 0;
	question_add(&q, RTA_DST, to->addr.ip, len);
	question_add(&q, RTA_SRC, to->local.ip, len);
	question_add_option(&q, RTA_MARK, fd, SO_MARK);
	question_add_option(&q, RTA_OIF, fd, SO_BINDTOIFINDEX);
	if (send(table, &q, q.head.nlmsg_len, 0) >= 0)
		got = recv(table, answer, sizeof answer, MSG_DONTWAIT);
	close(table);
	return got > 0 ? answer_interface(answer, (size_t)got) : 0;
}

/* Does `fd` get to `to`, from our address if it names one? */
static bool joins(int fd, const struct wg_endpoint *to)
{
	const struct wg_endpoint own = {.addr = to->local,
					.scope = to->local_if};
	union sockaddr_any sa;
	socklen_t len = wg_sockaddr_of(&own, &sa);

	if (to->local.kind != WEIR_ADDR_NONE && bind(fd, &sa.sa, len) < 0)
		return false;
	len = wg_sockaddr_of(to, &sa);
	return connect(fd, &sa.sa, len) == 0;
}

bool path_leads(struct tunnel *t, const struct wg_endpoint *to)
{
	int family = to->addr.kind == WEIR_ADDR_IP6 ? AF_INET6 : AF_INET;
	int fd = t->conf.host->socket(t->conf.instance, family, SOCK_DGRAM, 0);
	bool ok;

	if (fd < 0)
		return false;
	ok = !t->mark ||
	     setsockopt(fd, SOL_SOCKET, SO_MARK, &t->mark, sizeof t->mark) == 0;
	ok = ok && joins(fd, to) &&
	     (to->local.kind == WEIR_ADDR_NONE ||
	      interface_to(fd, to) == to->local_if);
	close(fd);
	return ok;
}
