/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The channel to the name servers.
 *
 * c-ares reads resolv.conf only when a channel is made, but a laptop that
 * changes its network gets another file. So the file's identity, size and times
 * are kept, and compared later: they tell a file that was written in place and
 * one that was replaced, both also behind a symbolic link. A file that is
 * missing counts as unchanged: it is about to be replaced. */
#include "channel.h"

#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "loop.h"
#include "sockets.h"
#include "util.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define LOOK_US UINT64_C(1000000)
#define TRY_TIMEOUT_MS 2000
#define TRIES 3

/* False: there is none. */
static bool file_look(struct channel_file *f)
{
	struct stat st;

	f->looked_us = loop_now_us();
	if (stat(RESOLV_CONF, &st) < 0)
		return false;
	f->known = true;
	f->dev = st.st_dev;
	f->ino = st.st_ino;
	f->bytes = st.st_size;
	f->modified = st.st_mtim;
	return true;
}

static bool uses_file(const struct config *c)
{
	const struct config_dns_server *s = c->dns_servers.items;

	for (size_t i = 0; i < c->dns_servers.count; i++)
		if (!s[i].address.kind)
			return true;
	return false;
}

/* With several entries the order of the configuration counts; `rotate` of
 * resolv.conf is only for its own servers. */
static bool is_ordered(const struct config *c)
{
	return c->dns_servers.count > 1 || !uses_file(c);
}

bool channel_is_stale(const struct config *c, struct channel_file *f)
{
	struct channel_file now = {0};

	if (!uses_file(c) || loop_now_us() - f->looked_us < LOOK_US)
		return false;
	f->looked_us = loop_now_us();
	if (!file_look(&now))
		return false;
	return !f->known || f->dev != now.dev || f->ino != now.ino ||
	       f->bytes != now.bytes ||
	       f->modified.tv_sec != now.modified.tv_sec ||
	       f->modified.tv_nsec != now.modified.tv_nsec;
}

static struct ares_addr_port_node node_of(const struct weir_addr *a)
{
	struct ares_addr_port_node n = {
		.family = a->kind == WEIR_ADDR_IP6 ? AF_INET6 : AF_INET,
		.udp_port = a->port,
		.tcp_port = a->port,
	};

	memcpy(&n.addr, a->ip, n.family == AF_INET6 ? 16 : 4);
	return n;
}

/* The servers in the order of the configuration. c-ares begins with those of
 * resolv.conf; they go to where the configuration names them, at most once. */
static int use_servers(ares_channel channel, const struct config *c)
{
	const struct config_dns_server *s = c->dns_servers.items;
	struct ares_addr_port_node *all, *system, *at;
	size_t count = c->dns_servers.count, n = 0;
	int status = ares_get_servers_ports(channel, &system);

	if (status != ARES_SUCCESS)
		return status;
	for (at = system; at; at = at->next)
		count++;
	all = xcalloc(count, sizeof *all);
	for (size_t i = 0; i < c->dns_servers.count; i++) {
		if (s[i].address.kind)
			all[n++] = node_of(&s[i].address);
		else
			for (at = system; at; at = at->next)
				all[n++] = *at;
	}
	for (size_t i = 0; i < n; i++)
		all[i].next = i + 1 < n ? &all[i + 1] : NULL;
	status = ares_set_servers_ports(channel, all);
	ares_free_data(system);
	free(all);
	return status;
}

/* ---- its sockets; `arg` is the configuration */

static ares_socket_t socket_new(int domain, int type, int protocol, void *arg)
{
	return sockets_new_local(arg, domain, type, protocol);
}

static int socket_connect(ares_socket_t fd, const struct sockaddr *to,
			  ares_socklen_t len, void *arg)
{
	return sockets_connect(arg, fd, to, len);
}

static int socket_close(ares_socket_t fd, void *arg)
{
	(void)arg;
	return close(fd);
}

static ares_ssize_t socket_receive(ares_socket_t fd, void *room, size_t len,
				   int flags, struct sockaddr *from,
				   ares_socklen_t *from_len, void *arg)
{
	(void)arg;
	return recvfrom(fd, room, len, flags, from, from_len);
}

static ares_ssize_t socket_send(ares_socket_t fd, const struct iovec *v, int n,
				void *arg)
{
	struct msghdr m = {.msg_iov = (struct iovec *)(uintptr_t)v,
			   .msg_iovlen = (size_t)n};

	(void)arg;
	return sendmsg(fd, &m, MSG_NOSIGNAL);
}

/* c-ares' own sockets cannot be used: it does not tell which server a socket is
 * for before it connects it. */
static const struct ares_socket_functions sockets = {
	.asocket = socket_new,
	.aclose = socket_close,
	.aconnect = socket_connect,
	.arecvfrom = socket_receive,
	.asendv = socket_send,
};

ares_channel channel_new(const struct channel_conf *conf,
			 struct channel_file *file, struct weir_error *e)
{
	struct ares_options options = {
		.timeout = TRY_TIMEOUT_MS,
		.tries = TRIES,
		.sock_state_cb = conf->socket_state,
		.sock_state_cb_data = conf->arg,
	};
	int status, mask = ARES_OPT_TIMEOUTMS | ARES_OPT_TRIES |
			   ARES_OPT_SOCK_STATE_CB;
	ares_channel channel;

	if (is_ordered(conf->config))
		mask |= ARES_OPT_NOROTATE;
	/* Looked at before c-ares reads the file: a change made meanwhile is
	 * then seen by the next look. */
	file_look(file);
	status = ares_init_options(&channel, &options, mask);
	if (status == ARES_SUCCESS) {
		ares_set_socket_functions(channel, &sockets,
					  (void *)(uintptr_t)conf->config);
		status = use_servers(channel, conf->config);
		if (status == ARES_SUCCESS)
			return channel;
		ares_destroy(channel);
	}
	weir_error(e, "dns", "%s", ares_strerror(status));
	return NULL;
}
