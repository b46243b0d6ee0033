/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * A plugin is looked at in steps, each of which may refuse it with a reason:
 * who can write its folders and its file (trust.c), the identity in its note
 * and the version there (note.c), only then dlopen() - its constructors run
 * now - then what it did to our signals, and what its one symbol describes
 * (descriptor.c).
 *
 * The file is loaded by its own name, not by /proc/self/fd/N: after trust.c
 * nobody but root and ourselves can exchange what the name stands for, and
 * debuggers, profilers and dlerror() show a name that means something.
 *
 * Code is never unmapped (RTLD_NODELETE), so a refused plugin that got as far
 * as dlopen() stays in memory, unused. Symbols stay its own (RTLD_LOCAL), and
 * all must resolve at once (RTLD_NOW): a missing one is a reason given here,
 * not a crash in a year. */
#include "load.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <signal.h>
#include <unistd.h>

#include "descriptor.h"
#include "log.h"
#include "note.h"
#include "trust.h"
#include "util.h"

/* ---- signals ---- */

struct signals {
	struct sigaction at[NSIG];
};

static void signals_save(struct signals *s)
{
	memset(s, 0, sizeof *s);
	for (int n = 1; n < NSIG; n++)
		sigaction(n, NULL, &s->at[n]);
}

/* Put back what changed; returns the first signal that did, or 0. */
static int signals_restore(const struct signals *s)
{
	int stolen = 0;

	for (int n = 1; n < NSIG; n++) {
		const struct sigaction *was = &s->at[n];
		struct sigaction now = {0};

		if (sigaction(n, NULL, &now) < 0 ||
		    (now.sa_handler == was->sa_handler &&
		     now.sa_flags == was->sa_flags))
			continue;
		sigaction(n, was, NULL);
		if (!stolen)
			stolen = n;
	}
	return stolen;
}

/* ---- the steps ---- */

static bool version_check(const struct weir_identity *id, const char *path,
			  struct weir_error *e)
{
	if (id->major != WEIR_MAJOR)
		return weir_error(
			e, NULL,
			"built for SDK %u.%u, this weir offers %u.%u: "
			"the major version differs",
			id->major, id->minor, WEIR_MAJOR, WEIR_MINOR);
	/* A plugin of a newer minor asks WEIR_HAS before it uses what we
	 * lack. */
	if (id->minor > WEIR_MINOR)
		log_line(
			WEIR_INFO, "weir",
			"plugin %s: built for SDK %u.%u, this weir offers %u.%u",
			path, id->major, id->minor, WEIR_MAJOR, WEIR_MINOR);
	return true;
}

static void *open_object(const char *path, struct weir_error *e)
{
	struct signals signals;
	const char *why;
	void *handle;
	int stolen;

	signals_save(&signals);
	handle = dlopen(path, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	stolen = signals_restore(&signals);
	if (!handle) {
		size_t n = strlen(path);

		why = dlerror();
		if (why && strncmp(why, path, n) == 0 && why[n] == ':')
			why += n + 1 + (why[n + 1] == ' ');
		weir_error(e, NULL, "%s", why ? why : "cannot load it");
		return NULL;
	}
	if (stolen) {
		weir_error(e, NULL, "it took over signal %d (%s) when loaded",
			   stolen, strsignal(stolen));
		dlclose(handle);
		return NULL;
	}
	return handle;
}

static bool step(struct load_report *report, const char *promise, bool ok)
{
	if (report && report->count < LOAD_STEPS)
		report->steps[report->count++] =
			(struct load_step){promise, ok};
	return ok;
}

/* Everything that can be known without running any of its code. */
static bool file_check(const char *path, struct load_report *report,
		       struct weir_error *e)
{
	char dir[PATH_MAX];
	int fd, len = (int)(strrchr(path, '/') - path);
	bool ok;

	snprintf(dir, sizeof dir, "%.*s", len ? len : 1, path);
	if (!step(report, "only root and we can write its folders",
		  trust_folder(dir, e)))
		return false;
	fd = trust_open(path, e);
	if (!step(report,
		  "it is a regular file that only root and we can "
		  "write",
		  fd >= 0))
		return false;
	ok = note_read_fd(fd, &report->identity, e);
	close(fd);
	return step(report,
		    "it is an ELF object of this machine with a valid "
		    "note",
		    ok) &&
	       step(report, "it was built for this major of the SDK",
		    version_check(&report->identity, path, e));
}

bool load_checked(struct registry *r, const char *path,
		  struct load_report *report, struct weir_error *e)
{
	const struct weir_plugin *plugin;
	void *handle;
	bool ok;

	*report = (struct load_report){0};
	if (path[0] != '/' || strlen(path) >= PATH_MAX)
		return weir_error(e, NULL, "its path is not absolute");
	if (!file_check(path, report, e))
		return false;
	handle = open_object(path, e);
	if (!step(report,
		  "it loads, every symbol resolves, signals are left "
		  "alone",
		  handle))
		return false;
	plugin = descriptor_get(handle, &report->identity, e);
	ok = step(report, "its entry symbol agrees with its note", plugin) &&
	     step(report, "its components are complete and their types free",
		  registry_add(r, plugin, path, e));
	dlclose(handle); /* stays mapped */
	return ok;
}

/* Begin the reason with the file's name: the whole path may leave no room. */
static bool name_file(const char *path, const struct weir_error *why,
		      struct weir_error *e)
{
	const char *slash = strrchr(path, '/');

	return weir_error(e, NULL, "%.48s: %.148s", slash ? slash + 1 : path,
			  why->text);
}

static bool load_plugin(struct registry *r, const char *path,
			struct weir_error *e)
{
	struct load_report report;
	struct weir_error why;

	return load_checked(r, path, &report, &why) || name_file(path, &why, e);
}

/* ---- a folder ---- */

static int is_plugin_name(const struct dirent *d)
{
	size_t len = strlen(d->d_name);

	return len > 3 && d->d_name[0] != '.' &&
	       strcmp(d->d_name + len - 3, ".so") == 0;
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

/* Drop a plugin whose service is missing. That may take away another's, so
 * this is asked until nothing changes. */
static bool drop_unserved(struct registry *r,
			  void (*refused)(void *arg, const char *path,
					  const struct weir_error *),
			  void *arg)
{
	const struct registry_entry *entry;

	for (size_t i = 0; (entry = registry_at(r, i)); i++) {
		struct weir_error e, why;

		if (registry_serves(r, entry->plugin->needs, &why))
			continue;
		name_file(entry->path, &why, &e);
		if (refused)
			refused(arg, entry->path, &e);
		registry_drop(r, entry->plugin);
		return true;
	}
	return false;
}

int load_dir(struct registry *r, const char *dir,
	     void (*refused)(void *arg, const char *path,
			     const struct weir_error *),
	     void *arg, struct weir_error *e)
{
	struct dirent **names;
	char path[PATH_MAX];
	int n, loaded = 0;

	if (!trust_folder(dir, e))
		return -1;
	n = scandir(dir, &names, is_plugin_name, by_name);
	if (n < 0) {
		weir_error(e, NULL, "%s: %s", strerror(errno), dir);
		return -1;
	}
	for (int i = 0; i < n; i++) {
		struct weir_error why;

		snprintf(path, sizeof path, "%s/%s", dir, names[i]->d_name);
		if (load_plugin(r, path, &why))
			loaded++;
		else if (refused)
			refused(arg, path, &why);
		free(names[i]);
	}
	free(names);
	while (drop_unserved(r, refused, arg))
		loaded--;
	return loaded;
}
