/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * The core knows no format but its own. The components are asked in turn
 * whether they know the text; the first that says YES prints its options, and
 * the core puts them into a whole configuration: an item of that type, and on
 * the other side the plainest inbound or outbound there is. What came out is
 * then read as any configuration is, so that nothing is printed that would
 * not work. Text that may hold keys is wiped. */
#include "import.h"

#include <getopt.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "setup.h"
#include "source.h"
#include "tree.h"
#include "util.h"

#define TAG_BYTES 32 /* of a file's name */

struct import {
	const char *file;
	int kind; /* of the component; -1: any */
	const char *type;
	const struct weir_component *component;
	bool failed, too_long;

	/* What is printed in the end. */
	char *yaml;
	size_t used;
	unsigned indent; /* of the component's lines */
	bool line_open;
};

static void usage(FILE *to)
{
	fputs("usage: weir import [--inbound | --outbound] [--type TYPE] FILE\n"
	      "\n"
	      "Print a configuration that does what a file of another program "
	      "does,\nsuch as wg-quick's. Nothing in the file is executed.\n\n"
	      "      --inbound    as an inbound\n"
	      "      --outbound   as an outbound\n"
	      "  -t, --type TYPE  of this type; without these, whichever knows "
	      "the file\n"
	      "  -h, --help       print this\n",
	      to);
}

/* ---- the text that is printed ---- */

static void put(struct import *m, const char *text, size_t len)
{
	if (len > YAML_BYTES_MAX - m->used) {
		m->failed = m->too_long = true;
		return;
	}
	memcpy(m->yaml + m->used, text, len);
	m->used += len;
}

/* Indent each line that is not empty. */
static void put_lines(struct import *m, const char *text)
{
	for (; *text; text++) {
		if (!m->line_open && *text != '\n')
			for (unsigned i = 0; i < m->indent; i++)
				put(m, " ", 1);
		m->line_open = *text != '\n';
		put(m, text, 1);
	}
}

WEIR_PRINTF(2, 3)
static void print(void *arg, const char *fmt, ...)
{
	struct import *m = arg;
	char *text;
	va_list args;
	int n;

	va_start(args, fmt);
	n = vasprintf(&text, fmt, args);
	va_end(args);
	if (n < 0)
		out_of_memory();
	put_lines(m, text);
	explicit_bzero(text, (size_t)n);
	free(text);
}

static void tell(void *arg, bool is_error, const char *line)
{
	struct import *m = arg;

	m->failed = m->failed || is_error;
	fprintf(stderr, "%s%s\n", line, is_error ? "" : " (warning)");
}

/* ---- the configuration around a component ---- */

/* "/etc/wireguard/my vpn.conf" to "my-vpn". */
static void tag_of(const char *file, const char *type, char tag[TAG_BYTES + 1])
{
	static const char allowed[] = "abcdefghijklmnopqrstuvwxyz"
				      "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				      "0123456789-_.";
	const char *slash = strrchr(file, '/');
	const char *name = slash ? slash + 1 : file;
	const char *dot = strrchr(name, '.');
	size_t len = dot && dot > name ? (size_t)(dot - name) : strlen(name);

	if (len > TAG_BYTES)
		len = TAG_BYTES;
	if (!len || strcmp(file, "-") == 0) {
		snprintf(tag, TAG_BYTES + 1, "%s", type);
		return;
	}
	for (size_t i = 0; i < len; i++)
		tag[i] = (char)(strchr(allowed, name[i]) ? name[i] : '-');
	tag[len] = '\0';
}

static void put_head(struct import *m)
{
	print(m, "# Made by `weir import`. It holds keys: keep it from others "
		 "(chmod 600).\n");
	if (m->component->kind == WEIR_OUTBOUND)
		print(m, "# Try it: weir exec -c FILE -- COMMAND\n"
			 "inbounds:\n"
			 "  - type: tun\n"
			 "outbounds:\n");
	else
		print(m, "inbounds:\n");
}

static void put_foot(struct import *m)
{
	if (m->component->kind == WEIR_INBOUND)
		print(m, "outbounds:\n"
			 "  - type: freedom\n"
			 "    tag: direct\n");
}

/* ---- asking the components ---- */

static bool may_ask(const struct import *m, const struct weir_component *c)
{
	return WEIR_HAS(c, import) && c->import &&
	       (c->kind == WEIR_INBOUND || c->kind == WEIR_OUTBOUND) &&
	       (m->kind < 0 || (int)c->kind == m->kind) &&
	       (!m->type || strcmp(m->type, c->type) == 0);
}

static bool ask(struct import *m, const struct weir_component *c,
		const struct source *s)
{
	char tag[TAG_BYTES + 1];
	const struct weir_import request = {
		.size = sizeof request,
		.named = m->kind >= 0,
		.file = s->name,
		.text = s->text,
		.len = s->len,
		.exposed = *s->exposed ? s->exposed : NULL,
		.print = print,
		.tell = tell,
		.arg = m,
	};
	bool known;

	m->component = c;
	m->used = 0;
	m->indent = 0;
	tag_of(m->file, c->type, tag);
	put_head(m);
	print(m, "  - type: %s\n    tag: \"%s\"\n", c->type, tag);
	m->indent = 4;
	known = c->import(&request) == WEIR_YES;
	m->indent = 0;
	put_foot(m);
	return known;
}

static bool ask_all(struct import *m, const struct registry *r,
		    const struct source *s)
{
	const struct registry_entry *entry;
	bool asked = false;

	for (size_t i = 0; (entry = registry_at(r, i)); i++) {
		if (!may_ask(m, entry->component))
			continue;
		asked = true;
		if (ask(m, entry->component, s))
			return true;
	}
	fprintf(stderr, "%s: %s\n", s->name,
		asked ? "is of no format that a loaded plugin knows"
		      : "no loaded plugin that was asked for imports files");
	return false;
}

/* ---- the command ---- */

/* A shell that redirects to a file usually makes it readable by everybody. */
static void advise(void)
{
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) == 0 && S_ISREG(st.st_mode) &&
	    (st.st_mode & S_IROTH))
		fputs("weir: what was printed holds keys, and everybody can "
		      "read that file; run: chmod 600 FILE\n",
		      stderr);
}

static int finish(struct import *m, const struct registry *r)
{
	char name[64];
	struct config *c;

	if (m->too_long)
		fprintf(stderr,
			"%s: makes a configuration of more than %u bytes\n",
			m->file, YAML_BYTES_MAX);
	if (m->failed)
		return EXIT_CONFIG;
	m->yaml[m->used] = '\0';
	snprintf(name, sizeof name, "%.50s as YAML", m->file);
	c = setup_config_text(name, m->yaml, r);
	if (!c)
		return EXIT_CONFIG;
	config_free(c);
	fwrite(m->yaml, 1, m->used, stdout);
	if (fflush(stdout) == 0 && !ferror(stdout))
		advise(); /* else main tells */
	return EXIT_SUCCESS;
}

static int import_file(struct import *m, const struct registry *r)
{
	struct source s;
	int status = EXIT_CONFIG;

	source_open(&s, m->file);
	m->yaml = xcalloc(1, YAML_BYTES_MAX + 1);
	if (*s.problem) {
		fprintf(stderr, "%s: %s\n", s.name, s.problem);
	} else {
		s.held[s.len] = '\0';
		if (ask_all(m, r, &s))
			status = finish(m, r);
	}
	explicit_bzero(m->yaml, YAML_BYTES_MAX + 1);
	free(m->yaml);
	source_close(&s);
	return status;
}

static bool take_kind(struct import *m, enum weir_kind kind)
{
	if (m->kind >= 0 && m->kind != (int)kind) {
		fputs("weir: --inbound and --outbound exclude each other\n",
		      stderr);
		return false;
	}
	m->kind = (int)kind;
	return true;
}

/* -1: go on; else the status to end with. */
static int take_options(struct import *m, int argc, char **argv)
{
	static const struct option longs[] = {
		{"inbound", no_argument, NULL, 'i'},
		{"outbound", no_argument, NULL, 'o'},
		{"type", required_argument, NULL, 't'},
		{"help", no_argument, NULL, 'h'},
		{0},
	};
	int opt;

	while ((opt = getopt_long(argc, argv, "t:h", longs, NULL)) != -1) {
		if (opt == 't') {
			m->type = optarg;
		} else if (opt == 'i' || opt == 'o') {
			if (!take_kind(m, opt == 'i' ? WEIR_INBOUND
						     : WEIR_OUTBOUND))
				return EXIT_USAGE;
		} else {
			usage(opt == 'h' ? stdout : stderr);
			return opt == 'h' ? EXIT_SUCCESS : EXIT_USAGE;
		}
	}
	if (optind + 1 == argc) {
		m->file = argv[optind];
		return -1;
	}
	usage(stderr);
	return EXIT_USAGE;
}

int import_run(const struct options *o, int argc, char **argv)
{
	struct import m = {.kind = -1};
	int status = take_options(&m, argc, argv);
	struct registry *r;

	if (status >= 0)
		return status;
	r = setup_registry(o);
	if (!r)
		return EXIT_FAILURE;
	status = import_file(&m, r);
	registry_free(r);
	return status;
}
