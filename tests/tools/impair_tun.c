/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Opens the TUNs that impair bridges.
 *
 * Theory of operation: the process steps into the namespace, makes the TUN,
 * has `ip` address it, and steps back; the open file stays of the namespace.
 * No offload is asked for, so that a packet read is a packet of the wire. The
 * devices speak for themselves as little as they can: a router solicitation
 * would take the place of a packet in the sequence of losses. */
#include "impair_tun.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tool.h"

#define QUEUE_PACKETS "10000" /* a busy machine must not look like loss */
#define NOT_RUN 127
#define NAME_ROOM 64

int impair_end_parse(struct impair_end *end, char *text)
{
	char *rest = text;

	end->space = strsep(&rest, ":");
	end->name = strsep(&rest, ":");
	if (!end->name || !*end->name || strlen(end->name) >= IFNAMSIZ)
		return -1;
	for (char *one; (one = strsep(&rest, ",")) != NULL;) {
		if (!*one || end->address_count == IMPAIR_ADDRESSES_MAX)
			return -1;
		end->addresses[end->address_count++] = one;
	}
	return 0;
}

/* Into the namespace of an end; returns the way back. */
static int enter(const char *space)
{
	char path[4096];
	int back = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int there;

	if (back < 0)
		tool_die("/proc/self/ns/net");
	if (!*space)
		return back;
	snprintf(path, sizeof path, "%s%s",
		 strchr(space, '/') ? "" : "/run/netns/", space);
	there = open(path, O_RDONLY | O_CLOEXEC);
	if (there < 0 || setns(there, CLONE_NEWNET))
		tool_die(path);
	close(there);
	return back;
}

static void leave(int back)
{
	if (setns(back, CLONE_NEWNET))
		tool_die("setns");
	close(back);
}

static void run(const char *const *argv)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		execvp(argv[0], (char **)(uintptr_t)argv);
		_exit(NOT_RUN);
	}
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		tool_die("fork");
	if (status == 0)
		return;
	fputs("failed:", stderr);
	for (unsigned i = 0; argv[i]; i++)
		fprintf(stderr, " %s", argv[i]);
	fputs("\n", stderr);
	exit(EXIT_FAILURE);
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static int tun_new(const char *name)
{
	struct ifreq request = {.ifr_flags = IFF_TUN | IFF_NO_PI};
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	if (fd < 0)
		tool_die("/dev/net/tun");
	memcpy(request.ifr_name, name, strlen(name));
	if (ioctl(fd, TUNSETIFF, &request))
		tool_die(name);
	return fd;
}

static void silence_ipv6(const struct impair_end *end)
{
	char path[NAME_ROOM + IFNAMSIZ];
	int fd;

	for (unsigned i = 0; i < end->address_count; i++)
		if (strchr(end->addresses[i], ':'))
			return;
	snprintf(path, sizeof path, "/proc/sys/net/ipv6/conf/%s/disable_ipv6",
		 end->name);
	fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd >= 0 && write(fd, "1", 1) != 1)
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
	if (fd >= 0)
		close(fd);
}

static void add_address(const struct impair_end *end, const char *address)
{
	if (strchr(address, ':'))
		RUN("ip", "addr", "add", address, "dev", end->name, "nodad");
	else
		RUN("ip", "addr", "add", address, "dev", end->name);
}

int impair_end_open(const struct impair_end *end, unsigned mtu_bytes)
{
	int back = enter(end->space);
	int fd = tun_new(end->name);
	char mtu[16];

	snprintf(mtu, sizeof mtu, "%u", mtu_bytes);
	silence_ipv6(end);
	RUN("ip", "link", "set", end->name, "addrgenmode", "none");
	RUN("ip", "link", "set", end->name, "multicast", "off");
	for (unsigned i = 0; i < end->address_count; i++)
		add_address(end, end->addresses[i]);
	RUN("ip", "link", "set", end->name, "mtu", mtu, "txqueuelen",
	    QUEUE_PACKETS, "up");
	for (unsigned i = 0; i < end->route_count; i++)
		RUN("ip", "route", "replace", end->routes[i], "dev", end->name);
	leave(back);
	return fd;
}

void impair_end_meet(const struct impair_end *end,
		     const struct impair_end *other)
{
	int back = enter(end->space);
	char host[NAME_ROOM];

	for (unsigned i = 0; i < other->address_count; i++) {
		snprintf(host, sizeof host, "%s", other->addresses[i]);
		host[strcspn(host, "/")] = '\0';
		RUN("ip", "route", "replace", host, "dev", end->name);
	}
	leave(back);
}
