/* SPDX-License-Identifier: GPL-2.0-or-later */
/* `weir exec`: a command whose traffic goes through weir.
 *
 * Theory of operation: the command runs in an enclosure (namespaces and a TUN),
 * the daemon outside of it, in this process, with the TUN handed to its
 * inbound by WEIR_TUN_FD. The enclosure is made before the daemon, while there
 * is one thread and no open socket, and may go once the daemon has started.
 * Signals are blocked and read from a signalfd, which tells who sent them:
 * what a terminal sends to its foreground processes the command has had
 * already, all else is passed on. When the command has ended the daemon drains
 * and weir ends as the command did. */
#include "exec.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "daemon.h"
#include "exec_config.h"
#include "inside.h"
#include "loop.h"
#include "setup.h"
#include "util.h"

#define FD_VARIABLE "WEIR_TUN_FD"

static const int passed_on[] = {SIGHUP,	 SIGINT,  SIGQUIT, SIGTERM,
				SIGUSR1, SIGUSR2, SIGALRM, SIGCHLD};

struct exec {
	struct daemon *daemon;
	struct enclosure enclosure;
	sigset_t passed, mask; /* blocked here; blocked before */
	int signals;
	pid_t foreground; /* process group of the terminal, or -1 */
	bool ended;	  /* the command */
	int status;	  /* as wait(2) has it */
};

static void usage(FILE *to)
{
	fputs("usage: weir exec [-c FILE] [-v] [--] COMMAND [ARGUMENT]...\n\n"
	      "Run a command in namespaces of its own, all of its traffic "
	      "through weir.\n"
	      "No privileges are needed. Without -c it goes out directly.\n\n"
	      "  -c, --config FILE  a configuration with an inbound of type "
	      "tun\n"
	      "  -v, --verbose      log sessions\n"
	      "  -h, --help         print this\n",
	      to);
}

static bool signals_block(struct exec *x)
{
	sigemptyset(&x->passed);
	for (size_t i = 0; i < sizeof passed_on / sizeof passed_on[0]; i++)
		sigaddset(&x->passed, passed_on[i]);
	/* If our parent ignores SIGCHLD so do we, and the command's status
	 * would be lost: children would be reaped by the kernel. */
	signal(SIGCHLD, SIG_DFL);
	sigprocmask(SIG_BLOCK, &x->passed, &x->mask);
	x->signals = signalfd(-1, &x->passed, SFD_NONBLOCK | SFD_CLOEXEC);
	return x->signals >= 0 || inside_error("signalfd: %s", strerror(errno));
}

static void child_ended(struct exec *x)
{
	if (x->ended || waitpid(x->enclosure.pid, &x->status, WNOHANG) <= 0)
		return;
	x->ended = true;
	x->enclosure.pid = -1;
	/* If it has told no status it was killed itself: then its own status
	 * stands. */
	(void)enclosure_status(&x->enclosure, &x->status);
	daemon_quit(x->daemon, EXIT_SUCCESS);
}

/* The command has already had what the terminal sends. The exception is SIGHUP,
 * which only the session's leader gets. */
static bool has_reached_command(const struct signalfd_siginfo *info)
{
	return info->ssi_code == SI_KERNEL &&
	       (info->ssi_signo != SIGHUP || getsid(0) != getpid());
}

static void signal_pass(struct exec *x, const struct signalfd_siginfo *info)
{
	int signo = (int)info->ssi_signo;

	if (signo == SIGCHLD)
		child_ended(x);
	else if (!has_reached_command(info) && !x->ended)
		kill(x->enclosure.pid, signo);
}

static void signals_ready(void *arg, unsigned events)
{
	struct exec *x = arg;
	struct signalfd_siginfo info;

	(void)events;
	while (read(x->signals, &info, sizeof info) == sizeof info)
		signal_pass(x, &info);
}

/* Serve until the command has ended, or weir cannot go on. */
static void serve(struct exec *x)
{
	struct loop_owner owner;

	loop_owner_init(&owner, daemon_loop(x->daemon));
	if (!loop_watch_new(&owner, x->signals,
			    WEIR_READABLE | WEIR_LEVEL_TRIGGERED, signals_ready,
			    x)) {
		inside_error("cannot watch signals: %s", strerror(errno));
	} else if (enclosure_go(&x->enclosure)) {
		daemon_run(x->daemon);
		child_ended(x);
	}
	loop_owner_sweep(&owner);
}

static bool tun_hand_over(const struct exec *x, struct weir_error *e)
{
	char number[16];

	snprintf(number, sizeof number, "%d", x->enclosure.tun);
	return setenv(FD_VARIABLE, number, 1) == 0 ||
	       weir_error(e, NULL, "cannot set %s: %s", FD_VARIABLE,
			  strerror(errno));
}

static void run(struct exec *x, struct config *c, struct registry *r)
{
	struct weir_error e;

	x->daemon = daemon_new(c, r, &e);
	if (x->daemon && tun_hand_over(x, &e) && daemon_start(x->daemon, &e))
		serve(x);
	else
		inside_error("%s", e.text);
	enclosure_close(&x->enclosure);
	daemon_free(x->daemon);
}

static void terminal_save(struct exec *x)
{
	x->foreground = tcgetpgrp(STDIN_FILENO);
	if (x->foreground != getpgrp())
		x->foreground = -1;
}

/* A shell inside leaves its own, dead group in the foreground: it could not
 * see ours from its process namespace. */
static void terminal_restore(const struct exec *x)
{
	if (x->foreground < 0)
		return;
	signal(SIGTTOU, SIG_IGN);
	(void)tcsetpgrp(STDIN_FILENO, x->foreground);
}

/* End as the command did. */
static int end_alike(const struct exec *x)
{
	const struct rlimit none = {0, 0};
	sigset_t only;
	int signo;

	if (!x->ended)
		return EXIT_FAILURE;
	if (WIFEXITED(x->status))
		return WEXITSTATUS(x->status);
	signo = WTERMSIG(x->status);
	setrlimit(RLIMIT_CORE, &none);
	signal(signo, SIG_DFL);
	sigemptyset(&only);
	sigaddset(&only, signo);
	raise(signo);
	sigprocmask(SIG_UNBLOCK, &only, NULL);
	return 128 + signo;
}

static int exec_command(const struct options *o, char **argv,
			struct registry *r)
{
	struct exec x = {.signals = -1};
	struct exec_config config;
	struct enclosure_plan plan;
	int status = EXIT_CONFIG;

	if (!exec_config_load(&config, o, r))
		goto out;
	status = EXIT_FAILURE;
	exec_config_plan(&config, &plan);
	plan.argv = argv;
	plan.mask = &x.mask;
	plan.passed = &x.passed;
	terminal_save(&x);
	if (!signals_block(&x))
		goto out;
	if (enclosure_open(&x.enclosure, &plan)) {
		run(&x, config.config, r);
		terminal_restore(&x);
		status = EXIT_SUCCESS;
	}
out:
	exec_config_free(&config);
	registry_free(r);
	if (x.signals >= 0)
		close(x.signals);
	return status == EXIT_SUCCESS ? end_alike(&x) : status;
}

int exec_run(const struct options *global, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"verbose", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options o = *global;
	struct registry *r;
	int opt;

	while ((opt = getopt_long(argc, argv, "+c:vh", longs, NULL)) != -1) {
		if (opt == 'c') {
			o.config = optarg;
		} else if (opt == 'v') {
			o.verbose = true;
		} else {
			usage(opt == 'h' ? stdout : stderr);
			return opt == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	r = setup_registry(&o);
	return r ? exec_command(&o, argv + optind, r) : EXIT_FAILURE;
}
