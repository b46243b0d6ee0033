/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Plugins and configuration, the way every command needs them. */
#include "setup.h"

#include <stdio.h>

#include "load.h"
#include "log.h"

/* The file of -c, or the system's. */
static const char *setup_config_file(const struct options *o)
{
	return o->config ? o->config : WEIR_SYSCONFDIR "/weir/weir.yaml";
}

static void refused(void *arg, const char *path, const struct weir_error *e)
{
	(void)arg, (void)path; /* the text names the file */
	log_line(WEIR_WARN, "weir", "plugin %s", e->text);
}

struct registry *setup_registry(const struct options *o)
{
	const char *dir = o->plugin_dir ? o->plugin_dir : WEIR_PLUGIN_DIR;
	struct registry *r = registry_new();
	struct weir_error e;

	if (load_dir(r, dir, refused, NULL, &e) < 0) {
		fprintf(stderr, "weir: %s\n", e.text);
		registry_free(r);
		return NULL;
	}
	return r;
}

static void print(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s\n", line);
}

static void warn(void *arg, const char *line)
{
	(void)arg;
	fprintf(stderr, "%s (warning)\n", line);
}

static const struct config_report report = {.error = print, .warning = warn};

struct config *setup_config(const struct options *o, const struct registry *r)
{
	return config_load(setup_config_file(o), r, &report);
}

struct config *setup_config_text(const char *name, const char *text,
				 const struct registry *r)
{
	return config_parse(name, text, strlen(text), r, &report);
}
