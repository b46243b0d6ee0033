/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * run serves. check, schema and plugin load the plugins as run would, say what
 * they were asked for on standard output and what is wrong on standard error,
 * and end. They make no instance, so they need no privilege and have no
 * effect. */
#include "command.h"

#include <getopt.h>
#include <signal.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "daemon.h"
#include "load.h"
#include "schema.h"
#include "setup.h"
#include "util.h"

static const struct option help_only[] = {
	{"help", no_argument, NULL, 'h'},
	{0},
};

static int usage_error(const char *usage)
{
	fputs(usage, stderr);
	return EXIT_USAGE;
}

/* Options of a command that takes only --help. Returns -1 to go on, otherwise
 * the exit status. */
static int take_help(int argc, char **argv, const char *usage)
{
	int opt = getopt_long(argc, argv, "+h", help_only, NULL);

	if (opt == -1)
		return -1;
	fputs(usage, opt == 'h' ? stdout : stderr);
	return opt == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
}

/* The same for a command that reads a configuration, which -c may name. */
static int take_config(int argc, char **argv, const char *usage,
		       struct options *o)
{
	static const struct option longs[] = {
		{"config", required_argument, NULL, 'c'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "c:h", longs, NULL)) == 'c')
		o->config = optarg;
	if (opt == -1)
		return optind < argc ? usage_error(usage) : -1;
	fputs(usage, opt == 'h' ? stdout : stderr);
	return opt == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
}

/* Run a command that needs a configuration: `use` is called if it is valid. */
static int with_config(const struct options *global, int argc, char **argv,
		       const char *usage,
		       int (*use)(struct config *, struct registry *))
{
	struct options o = *global;
	int status = take_config(argc, argv, usage, &o);
	struct registry *r;
	struct config *c;

	if (status >= 0)
		return status;
	r = setup_registry(&o);
	if (!r)
		return EXIT_FAILURE;
	c = setup_config(&o, r);
	status = c ? use(c, r) : EXIT_CONFIG;
	config_free(c);
	registry_free(r);
	return status;
}

/* ---- weir run ---- */

static const char run_usage[] =
	"usage: weir run [-c FILE]\n\n"
	"Serve until SIGTERM, SIGINT or SIGHUP; SIGUSR1 logs the counters.\n\n"
	"  -c, --config FILE  default: " WEIR_SYSCONFDIR "/weir/weir.yaml\n"
	"  -h, --help         print this\n";

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

int command_run(const struct options *global, int argc, char **argv)
{
	signal(SIGUSR1, SIG_IGN); /* until there are counters to log */
	return with_config(global, argc, argv, run_usage, serve);
}

/* ---- weir check ---- */

static const char check_usage[] =
	"usage: weir check [-c FILE]\n\n"
	"Read a configuration, report every error in it, start nothing.\n"
	"Exit status: 0 it is good, 78 it is not.\n\n"
	"  -c, --config FILE  default: " WEIR_SYSCONFDIR "/weir/weir.yaml\n"
	"  -h, --help         print this\n";

static int tell_good(struct config *c, struct registry *r)
{
	(void)r;
	printf("%s: ok\n", c->file);
	return EXIT_SUCCESS;
}

int command_check(const struct options *global, int argc, char **argv)
{
	return with_config(global, argc, argv, check_usage, tell_good);
}

/* ---- weir schema ---- */

static const char schema_usage[] =
	"usage: weir schema\n\n"
	"Print the JSON Schema of the configuration, with the options of every\n"
	"loaded plugin: for editors that complete and check YAML.\n\n"
	"  -h, --help  print this\n";

int command_schema(const struct options *o, int argc, char **argv)
{
	int status = take_help(argc, argv, schema_usage);
	struct registry *r;

	if (status >= 0)
		return status;
	if (optind < argc)
		return usage_error(schema_usage);
	r = setup_registry(o);
	if (!r)
		return EXIT_FAILURE;
	schema_json(r, stdout);
	registry_free(r);
	return EXIT_SUCCESS;
}

/* ---- weir plugin list ---- */

enum { NAME, VERSION, LICENCE, KIND, TYPE, SUMMARY, COLUMNS };

static void row_of(const struct registry_entry *entry, const char *row[COLUMNS])
{
	row[NAME] = entry->plugin->name;
	row[VERSION] = entry->plugin->version;
	row[LICENCE] = entry->plugin->licence;
	row[KIND] = kind_name(entry->component->kind);
	row[TYPE] = entry->component->type;
	row[SUMMARY] = entry->component->summary;
}

static void row_print(const char *row[COLUMNS], const int width[COLUMNS])
{
	for (int i = 0; i < SUMMARY; i++)
		printf("%-*s  ", width[i], row[i]);
	printf("%s\n", row[SUMMARY]);
}

static int plugin_list(const struct options *o, int argc, char **argv)
{
	static const char *heads[COLUMNS] = {"NAME", "VERSION", "LICENCE",
					     "KIND", "TYPE",	"SUMMARY"};
	const struct registry_entry *entry;
	const char *row[COLUMNS];
	int width[COLUMNS];
	struct registry *r;

	(void)argv;
	if (argc > 1)
		return EXIT_USAGE;
	r = setup_registry(o);
	if (!r)
		return EXIT_FAILURE;
	for (int c = 0; c < COLUMNS; c++)
		width[c] = (int)strlen(heads[c]);
	for (size_t i = 0; (entry = registry_at(r, i)); i++) {
		row_of(entry, row);
		for (int c = 0; c < COLUMNS; c++)
			if ((int)strlen(row[c]) > width[c])
				width[c] = (int)strlen(row[c]);
	}
	row_print(heads, width);
	for (size_t i = 0; (entry = registry_at(r, i)); i++) {
		row_of(entry, row);
		row_print(row, width);
	}
	registry_free(r);
	return EXIT_SUCCESS;
}

/* ---- weir plugin help ---- */

/* "tun", "inbound-tun" and "inbound/tun" all mean the inbound tun. */
static bool is_called(const struct weir_component *c, const char *name)
{
	const char *kind = kind_name(c->kind);
	size_t n = strlen(kind);

	if (strcmp(c->type, name) == 0)
		return true;
	return strncmp(name, kind, n) == 0 &&
	       (name[n] == '-' || name[n] == '/') &&
	       strcmp(name + n + 1, c->type) == 0;
}

static int plugin_help(const struct options *o, int argc, char **argv)
{
	const char *name = argc > 1 ? argv[1] : NULL;
	const struct registry_entry *entry;
	struct registry *r;
	int found = 0;

	if (argc > 2)
		return EXIT_USAGE;
	r = setup_registry(o);
	if (!r)
		return EXIT_FAILURE;
	for (size_t i = 0; (entry = registry_at(r, i)); i++) {
		if (name && !is_called(entry->component, name))
			continue;
		if (found++)
			putchar('\n');
		schema_help(entry->component, stdout);
	}
	registry_free(r);
	if (found || !name)
		return EXIT_SUCCESS;
	fprintf(stderr,
		"weir: no plugin offers the type \"%s\"; see `weir "
		"plugin list`\n",
		name);
	return EXIT_FAILURE;
}

/* ---- weir plugin check ---- */

static void print_identity(const struct weir_identity *id)
{
	if (id->name[0])
		printf("  %s %s, %s, SDK %u.%u%s%s\n", id->name, id->version,
		       id->licence, id->major, id->minor,
		       id->needs[0] ? ", needs " : "", id->needs);
}

static bool check_file(const char *file)
{
	const struct registry_entry *entry;
	struct registry *r = registry_new();
	struct load_report report = {0};
	char cwd[PATH_MAX], path[2 * PATH_MAX];
	struct weir_error e = {0};
	bool ok;

	if (file[0] != '/' && getcwd(cwd, sizeof cwd))
		snprintf(path, sizeof path, "%s/%s", cwd, file);
	else
		snprintf(path, sizeof path, "%s", file);
	ok = load_checked(r, path, &report, &e);
	printf("%s\n", file);
	print_identity(&report.identity);
	for (int i = 0; i < report.count; i++)
		printf("  %-6s  %s\n", report.steps[i].ok ? "ok" : "FAILED",
		       report.steps[i].promise);
	for (size_t i = 0; (entry = registry_at(r, i)); i++)
		printf("  offers  %s %s: %s\n",
		       kind_name(entry->component->kind),
		       entry->component->type, entry->component->summary);
	printf("%s: %s%s\n", file, ok ? "ok" : "refused: ", e.text);
	registry_free(r);
	return ok;
}

static int plugin_check(const struct options *o, int argc, char **argv)
{
	int status = EXIT_SUCCESS;

	(void)o;
	if (argc < 2)
		return EXIT_USAGE;
	for (int i = 1; i < argc; i++)
		if (!check_file(argv[i]))
			status = EXIT_FAILURE;
	return status;
}

/* ---- weir plugin ---- */

static const char plugin_usage[] =
	"usage: weir plugin list\n"
	"       weir plugin help [TYPE]\n"
	"       weir plugin check FILE...\n\n"
	"  list   every component of every plugin that loads\n"
	"  help   the options of one type, or of all\n"
	"  check  try to load a plugin, say each check and the verdict\n\n"
	"  -h, --help  print this\n";

static const struct {
	const char *name;
	int (*run)(const struct options *, int argc, char **argv);
} plugin_verbs[] = {
	{"list", plugin_list},
	{"help", plugin_help},
	{"check", plugin_check},
};

int command_plugin(const struct options *o, int argc, char **argv)
{
	int status = take_help(argc, argv, plugin_usage);

	if (status >= 0)
		return status;
	argc -= optind;
	argv += optind;
	for (size_t i = 0; i < sizeof plugin_verbs / sizeof plugin_verbs[0];
	     i++) {
		if (!argc || strcmp(argv[0], plugin_verbs[i].name) != 0)
			continue;
		optind = 0;
		status = take_help(argc, argv, plugin_usage);
		if (status >= 0)
			return status;
		status = plugin_verbs[i].run(o, argc, argv);
		return status == EXIT_USAGE ? usage_error(plugin_usage)
					    : status;
	}
	return usage_error(plugin_usage);
}
