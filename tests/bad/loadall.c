/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Loads every plugin of a folder and tells what became of each: "refused"
 * lines with file and reason, "loaded" lines, then whether the signals that
 * plugins like to take are still as they were. */
#include <signal.h>
#include <stdio.h>

#include "load.h"

static void print_refused(void *arg, const char *path,
			  const struct weir_error *e)
{
	(void)arg;
	printf("refused %s | %s\n", path, e->text);
}

static bool is_default(int signal)
{
	struct sigaction sa;

	return sigaction(signal, NULL, &sa) == 0 && sa.sa_handler == SIG_DFL;
}

int main(int argc, char **argv)
{
	const struct registry_entry *entry;
	struct registry *r = registry_new();
	struct weir_error e;
	int n;

	if (argc != 2)
		return 64;
	signal(SIGTERM, SIG_DFL);
	signal(SIGSEGV, SIG_DFL);
	n = load_dir(r, argv[1], print_refused, NULL, &e);
	if (n < 0)
		printf("folder refused | %s\n", e.text);
	for (size_t i = 0; (entry = registry_at(r, i)); i++)
		printf("loaded %s %s\n", entry->plugin->name,
		       entry->component->type);
	printf("signals %s\n",
	       is_default(SIGTERM) && is_default(SIGSEGV) ? "kept" : "lost");
	registry_free(r);
	return n < 0;
}
