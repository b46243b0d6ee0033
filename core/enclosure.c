/* SPDX-License-Identifier: GPL-2.0-or-later */
/* weir's half of an enclosure.
 *
 * Theory of operation: clone(2) with everything at once, since a process that
 * enters a process namespace later is not in it, only its children are. What
 * a machine refuses is tried with less: root without a user namespace first,
 * then with one; a process namespace unless /proc cannot be mounted in it, as
 * in containers that hide parts of theirs. One socket pair carries the TUN
 * and the command's status out and the word to go in; its end of file tells
 * either side that the other is gone. */
#include "enclosure.h"

#include <errno.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "inside.h"
#include "log.h"

#define STACK_BYTES (256 * 1024)
#define NAMESPACES (CLONE_NEWNET | CLONE_NEWNS)

static long sysctl_read(const char *path)
{
	FILE *f = fopen(path, "re");
	long value = -1;

	if (!f)
		return -1;
	if (fscanf(f, "%ld", &value) != 1)
		value = -1;
	fclose(f);
	return value;
}

/* What forbids users to make namespaces here; NULL where that is not known. */
static const char *obstacle(void)
{
	if (sysctl_read("/proc/sys/kernel/unprivileged_userns_clone") == 0)
		return "user namespaces are for root only here (sysctl "
		       "kernel.unprivileged_userns_clone=1 changes that)";
	if (sysctl_read("/proc/sys/user/max_user_namespaces") == 0)
		return "user namespaces are switched off here (sysctl "
		       "user.max_user_namespaces=10000 changes that)";
	if (sysctl_read("/proc/sys/kernel/"
			"apparmor_restrict_unprivileged_userns") == 1)
		return "AppArmor restricts user namespaces here (sysctl "
		       "kernel.apparmor_restrict_unprivileged_userns=0 changes "
		       "that)";
	return NULL;
}

bool enclosure_refused(const char *what, int err)
{
	const char *why = obstacle();

	/* Root needs these as well. */
	if (sysctl_read("/proc/sys/user/max_net_namespaces") == 0)
		return inside_error("%s: network namespaces are switched off "
				    "here (sysctl user.max_net_namespaces="
				    "10000 changes that)",
				    what);
	return inside_error("%s: %s; %s", what, why ? why : strerror(err),
			    why ? "root needs none"
				: "a container may forbid it");
}

static pid_t clone_with(struct inside *in, unsigned namespaces)
{
	char *stack = malloc(STACK_BYTES);
	pid_t pid;

	if (!stack)
		return -1;
	in->namespaces = namespaces;
	pid = clone(inside_main, stack + STACK_BYTES, (int)namespaces | SIGCHLD,
		    in);
	free(stack); /* the child has a copy: memory is not shared */
	return pid;
}

static pid_t child_make(struct inside *in, unsigned namespaces)
{
	pid_t pid = -1;

	if (in->uid == 0)
		pid = clone_with(in, namespaces);
	if (pid < 0)
		pid = clone_with(in, namespaces | CLONE_NEWUSER);
	if (pid < 0)
		enclosure_refused("cannot make namespaces", errno);
	return pid;
}

/* The child's first word; 0 where it died. */
static char word_receive(int control, int *tun)
{
	char byte = 0;
	struct iovec v = {&byte, 1};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} u = {0};
	struct msghdr m = {.msg_iov = &v,
			   .msg_iovlen = 1,
			   .msg_control = u.room,
			   .msg_controllen = sizeof u.room};
	struct cmsghdr *c;
	ssize_t n;

	do
		n = recvmsg(control, &m, MSG_CMSG_CLOEXEC);
	while (n < 0 && errno == EINTR);
	if (n != 1)
		return 0;
	c = CMSG_FIRSTHDR(&m);
	if (c && c->cmsg_level == SOL_SOCKET && c->cmsg_type == SCM_RIGHTS)
		memcpy(tun, CMSG_DATA(c), sizeof *tun);
	return byte;
}

static char attempt(struct enclosure *e, const struct enclosure_plan *plan,
		    unsigned namespaces)
{
	struct inside in = {.plan = plan, .uid = geteuid(), .gid = getegid()};
	int pair[2];
	char word;

	*e = (struct enclosure){.pid = -1, .tun = -1, .control = -1};
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		inside_error("cannot make a socket pair: %s", strerror(errno));
		return 0;
	}
	in.control = pair[1];
	in.other = e->control = pair[0];
	e->pid = child_make(&in, namespaces);
	close(pair[1]);
	word = e->pid < 0 ? 0 : word_receive(e->control, &e->tun);
	if (word != INSIDE_READY)
		enclosure_close(e);
	return word;
}

bool enclosure_open(struct enclosure *e, const struct enclosure_plan *plan)
{
	char word = attempt(e, plan, NAMESPACES | CLONE_NEWPID);

	if (word == INSIDE_NO_PROC) {
		log_line(WEIR_WARN, "weir",
			 "/proc cannot be mounted here: what the command "
			 "leaves running may outlive it, without a network");
		word = attempt(e, plan, NAMESPACES);
	}
	return word == INSIDE_READY && e->tun >= 0;
}

bool enclosure_go(struct enclosure *e)
{
	char byte = INSIDE_GO;

	return send(e->control, &byte, 1, MSG_NOSIGNAL) == 1;
}

bool enclosure_status(const struct enclosure *e, int *status)
{
	return recv(e->control, status, sizeof *status, MSG_DONTWAIT) ==
	       sizeof *status;
}

void enclosure_close(struct enclosure *e)
{
	if (e->pid > 0) {
		kill(e->pid, SIGKILL);
		waitpid(e->pid, NULL, 0);
	}
	if (e->control >= 0)
		close(e->control);
	e->pid = e->control = -1;
}
