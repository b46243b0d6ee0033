/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The first process of an enclosure.
 *
 * Theory of operation: it is born into its namespaces by clone(2), maps the
 * user to himself, makes the network and the mounts, hands the TUN to weir and
 * waits for the word to go. Then it runs the command as its child, reaps every
 * orphan, passes signals on, sees that the command's resolv.conf stays and
 * tells weir how the command ended. As the init of a process namespace it takes
 * everything with it when it ends; the kernel kills it when weir dies, in
 * whatever way. Without a process namespace (the fallback) only the command
 * itself is sure to be killed. */
#include "inside.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "exec.h"

#define RESOLV_CONF "/etc/resolv.conf"
#define SCRATCH "/proc/self/fdinfo" /* nobody else misses it meanwhile */
#define MISSING_MS 200		    /* between two looks for a resolv.conf */

bool inside_error(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	fprintf(stderr, "weir exec: %s\n", text);
	return false;
}

WEIR_PRINTF(2, 3)
static bool write_file(const char *path, const char *fmt, ...)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	va_list args;
	int n;

	if (fd < 0)
		return false;
	va_start(args, fmt);
	n = vdprintf(fd, fmt, args);
	va_end(args);
	close(fd);
	return n >= 0;
}

static bool map_user(const struct inside *in)
{
	if (!(in->namespaces & CLONE_NEWUSER))
		return true;
	/* Kernels before 3.19 have no such file and want no such word. */
	if (!write_file("/proc/self/setgroups", "deny") && errno != ENOENT)
		return enclosure_refused("cannot write setgroups", errno);
	if (!write_file("/proc/self/uid_map", "%u %u 1\n", in->uid, in->uid) ||
	    !write_file("/proc/self/gid_map", "%u %u 1\n", in->gid, in->gid))
		return enclosure_refused("cannot map the user", errno);
	return true;
}

/* The file that `text` is written to lives in a file system that only the
 * mount on resolv.conf still refers to. 0 or an errno; ENOENT: there is none to
 * replace. */
static int resolv_conf_mount(struct inside *in)
{
	char target[PATH_MAX], source[] = SCRATCH "/resolv.conf";
	const char *text = in->plan->resolv_conf;
	struct stat st;
	int fd, err = 0;

	if (!text || !realpath(RESOLV_CONF, target))
		return ENOENT;
	if (mount("weir", SCRATCH, "tmpfs", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		  "mode=755,size=64k") < 0)
		return errno;
	fd = open(source, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0 || write(fd, text, strlen(text)) != (ssize_t)strlen(text) ||
	    fchmod(fd, 0644) < 0 || fstat(fd, &st) < 0 ||
	    mount(source, target, NULL, MS_BIND, NULL) < 0)
		err = errno;
	else
		in->names = st.st_dev;
	if (fd >= 0)
		close(fd);
	umount2(SCRATCH, MNT_DETACH);
	return err;
}

static bool names_refused(int err)
{
	return inside_error("cannot put a file in place of " RESOLV_CONF ": %s",
			    strerror(err));
}

/* A mount goes with what it is mounted on. So where outside's file is replaced,
 * as programs do that write it, outside's name servers would be seen inside,
 * where nobody answers. False: there is none just now, or its name is still
 * being moved. */
static bool names_keep(struct inside *in)
{
	struct stat st;
	int err;

	if (!in->names ||
	    (stat(RESOLV_CONF, &st) == 0 && st.st_dev == in->names))
		return true;
	err = resolv_conf_mount(in);
	if (err && err != ENOENT) {
		names_refused(err);
		in->names = 0;
	}
	return err != ENOENT;
}

static bool proc_mount(void)
{
	return mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC,
		     NULL) == 0;
}

static bool word_send(int control, enum inside_word word, int tun)
{
	char byte = (char)word;
	struct iovec v = {&byte, 1};
	union {
		struct cmsghdr align;
		char room[CMSG_SPACE(sizeof(int))];
	} u = {0};
	struct msghdr m = {.msg_iov = &v, .msg_iovlen = 1};

	if (tun >= 0) {
		struct cmsghdr *c = &u.align;

		m.msg_control = u.room;
		m.msg_controllen = sizeof u.room;
		c->cmsg_level = SOL_SOCKET;
		c->cmsg_type = SCM_RIGHTS;
		c->cmsg_len = CMSG_LEN(sizeof tun);
		memcpy(CMSG_DATA(c), &tun, sizeof tun);
	}
	return sendmsg(control, &m, MSG_NOSIGNAL) == 1;
}

static bool go_await(int control)
{
	char byte = 0;
	ssize_t n;

	do
		n = recv(control, &byte, 1, 0);
	while (n < 0 && errno == EINTR);
	return n == 1 && byte == INSIDE_GO; /* else: weir is gone */
}

/* Everything before the command. */
static bool prepare(struct inside *in)
{
	bool enclosed = in->namespaces & CLONE_NEWPID;
	int tun, err;

	if (!map_user(in))
		return false;
	/* After the change of user, which would clear it. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (!enclosed)
		prctl(PR_SET_CHILD_SUBREAPER, 1);
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return inside_error("cannot make mounts private: %s",
				    strerror(errno));
	tun = inside_network(in->plan);
	if (tun < 0)
		return false;
	/* ping without privileges; nothing is lost where that fails. */
	(void)write_file("/proc/sys/net/ipv4/ping_group_range", "%u %u\n",
			 in->gid, in->gid);
	if (enclosed && !proc_mount()) {
		word_send(in->control, INSIDE_NO_PROC, -1);
		return false;
	}
	err = resolv_conf_mount(in);
	if (err && err != ENOENT) /* of that a warning has told */
		return names_refused(err);
	if (!word_send(in->control, INSIDE_READY, tun))
		return false;
	close(tun);
	return go_await(in->control);
}

/* Returns only where it failed, with the status to end with. */
static int command_exec(const struct inside *in)
{
	char *const *argv = in->plan->argv;
	int err;

	/* Without a process namespace this is all that ties it to weir. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigprocmask(SIG_SETMASK, in->plan->mask, NULL);
	execvp(argv[0], argv);
	err = errno;
	inside_error("%s: %s", argv[0],
		     err == ENOENT ? "command not found" : strerror(err));
	return err == ENOENT ? EXIT_NOT_FOUND : EXIT_CANNOT_EXECUTE;
}

/* Reap until nothing more has ended; true when the command has. */
static bool reap(pid_t command, int *status)
{
	int ended;
	pid_t pid;

	while ((pid = waitpid(-1, &ended, WNOHANG)) > 0)
		if (pid == command) {
			*status = ended;
			return true;
		}
	return false;
}

/* What the terminal sends has reached the command already. */
static bool is_from_terminal(const struct signalfd_siginfo *info)
{
	return info->ssi_code == SI_KERNEL;
}

static int command_wait(struct inside *in, pid_t command, int signals)
{
	struct signalfd_siginfo info;
	struct pollfd fds[] = {
		{.fd = signals, .events = POLLIN},
		/* Tells of every change of the mounts. */
		{.fd = open("/proc/self/mounts", O_RDONLY | O_CLOEXEC),
		 .events = POLLPRI},
	};
	int status;

	for (;;) {
		poll(fds, 2, names_keep(in) ? -1 : MISSING_MS);
		if (read(signals, &info, sizeof info) != sizeof info)
			continue;
		if (info.ssi_signo != SIGCHLD) {
			if (!is_from_terminal(&info))
				kill(command, (int)info.ssi_signo);
		} else if (reap(command, &status)) {
			return status;
		}
	}
}

/* What is returned here is the status of the process: clone(2) ends it by
 * _exit(2), so that nothing of weir's is flushed or freed twice. */
int inside_main(void *arg)
{
	struct inside *in = arg;
	int status, signals;
	pid_t command = -1;

	close(in->other);
	if (!prepare(in))
		return EXIT_FAILURE;
	signals = signalfd(-1, in->plan->passed, SFD_NONBLOCK | SFD_CLOEXEC);
	if (signals >= 0)
		command = fork();
	if (command == 0)
		return command_exec(in);
	if (command < 0) {
		inside_error("cannot make a process: %s", strerror(errno));
		return EXIT_FAILURE;
	}
	status = command_wait(in, command, signals);
	if (send(in->control, &status, sizeof status, MSG_NOSIGNAL) < 0)
		return EXIT_FAILURE; /* which weir takes for the command's */
	return EXIT_SUCCESS;
}
