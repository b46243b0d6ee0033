/* SPDX-License-Identifier: GPL-2.0-or-later */
/* weir: arguments, start, exit codes. */
#include <fcntl.h>
#include <getopt.h>
#include <stdio.h>
#include <unistd.h>

#include "command.h"
#include "exec.h"
#include "import.h"
#include "log.h"
#include "options.h"
#include "util.h"

struct command {
	const char *name;
	int (*run)(const struct options *, int argc, char **argv);
	const char *summary;
};

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

/* If one of them were closed, whatever is opened next would get its number, and
 * the log would be written to a client's connection. */
static bool standard_files_open(void)
{
	int fd;

	do
		fd = open("/dev/null", O_RDWR);
	while (fd >= 0 && fd <= STDERR_FILENO);
	return fd >= 0 && close(fd) == 0;
}

/* Where the disk is full or the pipe closed, what we had to say is lost: that
 * is a failure. */
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
	if (!standard_files_open()) {
		perror("weir: /dev/null");
		return EXIT_FAILURE;
	}
	return written(weir(argc, argv));
}
