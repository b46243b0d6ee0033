/* SPDX-License-Identifier: GPL-2.0-or-later */
/* netlink.c - one request and its answer at a time.
 *
 * The kernel answers at once; a receive timeout bounds the wait should it
 * not. */
#include "netlink.h"

#include <errno.h>
#include <sys/time.h>
#include <unistd.h>

#define ANSWER_SECONDS 5
#define ANSWER_BYTES 32768 /* a dump's parts are at most that long */

static int answer_read(struct netlink *t, mnl_cb_t each, void *arg)
{
	_Alignas(struct nlmsghdr) char answer[ANSWER_BYTES];
	unsigned port = mnl_socket_get_portid(t->socket);
	ssize_t n;
	int more;

	do {
		n = mnl_socket_recvfrom(t->socket, answer, sizeof answer);
		if (n < 0)
			return errno == EAGAIN ? ETIMEDOUT : errno;
		more = mnl_cb_run(answer, (size_t)n, t->seq, port, each, arg);
	} while (more > 0);
	return more < 0 ? errno : 0;
}

static int request_send(struct netlink *t, struct nlmsghdr *request,
			uint16_t flags)
{
	request->nlmsg_flags |= NLM_F_REQUEST | flags;
	request->nlmsg_seq = ++t->seq;
	return mnl_socket_sendto(t->socket, request, request->nlmsg_len) < 0
		       ? errno
		       : 0;
}

int netlink_request(struct netlink *t, struct nlmsghdr *request)
{
	int err = request_send(t, request, NLM_F_ACK);

	return err ? err : answer_read(t, NULL, NULL);
}

int netlink_dump(struct netlink *t, struct nlmsghdr *request, mnl_cb_t each,
		 void *arg)
{
	int err = request_send(t, request, NLM_F_DUMP);

	return err ? err : answer_read(t, each, arg);
}

bool netlink_open(struct netlink *t, struct weir_error *e)
{
	struct timeval wait = {.tv_sec = ANSWER_SECONDS};

	t->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!t->socket)
		return weir_error(e, NULL, "cannot open rtnetlink: %s",
				  strerror(errno));
	if (mnl_socket_bind(t->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(t->socket), SOL_SOCKET, SO_RCVTIMEO,
		       &wait, sizeof wait) < 0)
		return weir_error(e, NULL, "cannot use rtnetlink: %s",
				  strerror(errno));
	return true;
}

void netlink_close(struct netlink *t)
{
	if (t->socket)
		mnl_socket_close(t->socket);
	t->socket = NULL;
}

/* Who has no port of its own hears nothing. */
static bool listen_to(int fd, const int *groups, size_t count)
{
	struct sockaddr_nl any_port = {.nl_family = AF_NETLINK};

	if (bind(fd, (struct sockaddr *)&any_port, sizeof any_port) < 0)
		return false;
	for (size_t i = 0; i < count; i++)
		if (setsockopt(fd, SOL_NETLINK, NETLINK_ADD_MEMBERSHIP,
			       &groups[i], sizeof groups[i]) < 0)
			return false;
	return true;
}

int netlink_listen(const int *groups, size_t count)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK,
			NETLINK_ROUTE);
	int saved;

	if (fd < 0 || listen_to(fd, groups, count))
		return fd;
	saved = errno;
	close(fd);
	errno = saved;
	return -1;
}
