/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: a session that came back has a socket of ours as its
 * source; where it leaves by the same outbound, it comes back for ever. To
 * check a session costs a system call for each socket, so only one session now
 * and then is compared with the sockets that were opened last. That is enough:
 * a session comes back while its socket is new, a loop goes on making sessions,
 * and ending one of them ends those that led to it. One match may be a
 * coincidence of ports, two in a row are not. As long as more are found each
 * session is checked. */
#include "reentry.h"

#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "addr.h"
#include "instance.h"
#include "log.h"
#include "watches.h"

#define LOOK_EVERY_US 20000
#define CLOSELY_US 1000000 /* after one was found */
#define SOCKETS_MOST 128   /* of an instance: those it opened last */
#define TELL_EVERY_US 60000000

static bool is_unspecified(const struct weir_addr *a)
{
	static const uint8_t none[sizeof a->ip];

	return memcmp(a->ip, none, sizeof none) == 0;
}

static bool name_of(int fd, struct weir_addr *a)
{
	struct sockaddr_storage name;
	socklen_t len = sizeof name;

	return getsockname(fd, (struct sockaddr *)&name, &len) == 0 &&
	       addr_from_sockaddr((struct sockaddr *)&name, a);
}

/* Connecting sends nothing, and what is ours is reached from itself. */
static bool is_local(const struct weir_addr *a)
{
	struct sockaddr_storage to;
	socklen_t len = addr_to_sockaddr(a, &to);
	int fd = socket(to.ss_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct weir_addr from;
	bool local;

	if (fd < 0)
		return false;
	local = connect(fd, (struct sockaddr *)&to, len) == 0 &&
		name_of(fd, &from);
	from.port = a->port;
	local = local && weir_addr_equal(&from, a);
	close(fd);
	return local;
}

static bool carries(int fd, enum weir_net net)
{
	socklen_t len = sizeof(int);
	int protocol = 0;

	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &len);
	return protocol == IPPROTO_TCP	 ? net == WEIR_NET_TCP
	       : protocol == IPPROTO_UDP ? net == WEIR_NET_UDP
					 : net == WEIR_NET_ICMP;
}

/* A stream that comes back is one that is not connected yet. */
static bool is_waiting(int fd)
{
	struct sockaddr_storage peer;
	socklen_t len = sizeof peer;

	return getpeername(fd, (struct sockaddr *)&peer, &len) < 0;
}

static bool is_source(int fd, const struct weir_session_info *info)
{
	const struct weir_addr *source = &info->source;
	struct weir_addr own;

	if (!name_of(fd, &own) || own.kind != source->kind ||
	    own.port != source->port || !carries(fd, info->net))
		return false;
	if (info->net == WEIR_NET_TCP)
		return weir_addr_equal(&own, source) && is_waiting(fd);
	return weir_addr_equal(&own, source) ||
	       (is_unspecified(&own) && is_local(source));
}

static bool is_ours(const struct weir_instance *i,
		    const struct weir_session_info *info)
{
	const struct loop_watch *w = i->owner.watches;

	for (unsigned n = 0; w && n < SOCKETS_MOST; n++, w = w->next)
		if (is_source(w->fd, info))
			return true;
	return false;
}

/* Sessions that another outbound has sent may come back by a rule's intent. */
static bool look(const struct weir_instance *out,
		 const struct weir_session_info *info)
{
	while (out) {
		const char *via = out->conf->via;

		if (is_ours(out, info))
			return true;
		out = via ? instance_find(out->core, WEIR_OUTBOUND, via) : NULL;
	}
	return false;
}

const char *reentry_why(const struct weir_instance *out,
			const struct weir_session_info *info)
{
	struct reentry *r = &out->core->reentry;
	uint64_t now_us = loop_now_us();
	bool closely = r->found_us && now_us - r->found_us < CLOSELY_US;
	char target[WEIR_ADDR_TEXT];

	if (!closely && r->looked_us && now_us - r->looked_us < LOOK_EVERY_US)
		return NULL;
	r->looked_us = now_us;
	if (!look(out, info))
		return NULL;
	r->found_us = now_us;
	if (!closely)
		return NULL;
	if (!r->told_us || now_us - r->told_us >= TELL_EVERY_US) {
		r->told_us = now_us;
		log_line(WEIR_WARN, "weir",
			 "what weir sends to %s comes back to it: the routes "
			 "must lead its own sockets past the TUN; see "
			 "sockets.mark and sockets.interface",
			 weir_addr_text(&info->target, target));
	}
	return "weir itself has sent it";
}
