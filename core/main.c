/* SPDX-License-Identifier: GPL-2.0-or-later */
/* weir: arguments, start, exit codes. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "daemon.h"
#include "exec.h"
#include "import.h"
#include "log.h"
#include "options.h"
#include "setup.h"
#include "util.h"

struct command {
	const char *name;
	int (*run)(const struct options *, int argc, char **argv);
	const char *summary;
};

static int command_run(const struct options *, int argc, char **argv);

static const struct command commands[] = {
	{"run", command_run, "serve a configuration in the foreground"},
	{"check", command_check, "say what is wrong with a configuration"},
	{"exec", exec_run, "run a command whose traffic goes through weir"},
	{"import", import_run,
	 "print another program's file as a configuration"},
	{"plugin", command_plugin, "list, help, check: look at plugins"},
	{"schema", command_schema, "print the configuration's JSON Schema"},
};

#define COMMANDS (sizeof commands / sizeof commands[0])

static void usage(FILE *to)
{
	fputs("usage: weir [--plugin-dir DIR] COMMAND [OPTION]...\n\n", to);
	for (size_t i = 0; i < COMMANDS; i++)
		fprintf(to, "  %-8s %s\n", commands[i].name,
			commands[i].summary);
	fputs("\n"
	      "  --plugin-dir DIR  load plugins from DIR (absolute)\n"
	      "  --version         print the version\n"
	      "  --help            print this; `weir COMMAND --help` for more\n",
	      to);
}

static void run_usage(FILE *to)
{
	fprintf(to,
		"usage: weir run [-c FILE]\n\n"
		"Serve until SIGTERM, SIGINT or SIGHUP; SIGUSR1 logs the "
		"counters.\n\n"
		"  -c, --config FILE  default: %s\n"
		"  -h, --help         print this\n",
		setup_config_file(&(struct options){0}));
}

static int serve(struct config *c, struct registry *r)
{
	struct weir_error e;
	struct daemon *d = daemon_new(c, r, &e);
	int status = EXIT_FAILURE;

	if (d && daemon_start(d, &e))
		status = daemon_run(d);
	else
		fprintf(stderr, "%s\n", e.text);
	daemon_free(d);
	return status;
}

static int command_run(const struct options *global, int argc, char **argv)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options o = *global;
	struct registry *r;
	struct config *c;
	int opt, status = EXIT_CONFIG;

	while ((opt = getopt_long(argc, argv, "c:h", longs, NULL)) != -1) {
		if (opt == 'c') {
			o.config = optarg;
		} else {
			run_usage(opt == 'h' ? stdout : stderr);
			return opt == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
		}
	}
	if (optind < argc) {
		run_usage(stderr);
		return EXIT_USAGE;
	}
	r = setup_registry(&o);
	if (!r)
		return EXIT_FAILURE;
	c = setup_config(&o, r);
	if (c)
		status = serve(c, r);
	config_free(c);
	registry_free(r);
	return status;
}

static int run_command(const struct options *o, int argc, char **argv)
{
	for (size_t i = 0; i < COMMANDS; i++)
		if (strcmp(argv[0], commands[i].name) == 0) {
			optind = 0; /* a new vector: start over */
			return commands[i].run(o, argc, argv);
		}
	fprintf(stderr, "weir: %s is not a command\n\n", argv[0]);
	usage(stderr);
	return EXIT_USAGE;
}

/* Who starts us with one of them closed would have the log written to whatever
 * is opened next: a client's connection. */
static bool standard_files_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
}

/* It may be a full disk or a closed pipe: then we failed, whatever it was that
 * we had to say. */
static int written(int status)
{
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	perror("weir: standard output");
	return EXIT_FAILURE;
}

static int weir(int argc, char **argv)
{
	static const struct option longs[] = {
		{"plugin-dir", required_argument, NULL, 'p'},
		{"version", no_argument, NULL, 'v'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	struct options o = {0};
	int opt;

	while ((opt = getopt_long(argc, argv, "+h", longs, NULL)) != -1) {
		switch (opt) {
		case 'p':
			o.plugin_dir = optarg;
			if (*optarg == '/')
				break;
			fprintf(stderr,
				"weir: --plugin-dir: %s is not absolute\n",
				optarg);
			return EXIT_USAGE;
		case 'v':
			printf("weir %s, plugin interface %d.%d\n",
			       PACKAGE_VERSION, WEIR_MAJOR, WEIR_MINOR);
			return EXIT_SUCCESS;
		default:
			usage(opt == 'h' ? stdout : stderr);
			return opt == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
		}
	}
	if (optind == argc) {
		usage(stderr);
		return EXIT_USAGE;
	}
	return run_command(&o, argc - optind, argv + optind);
}

int main(int argc, char **argv)
{
	return standard_files_open() ? written(weir(argc, argv)) : EXIT_FAILURE;
}
