/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: the file is opened once, and everything that is asked
 * of it is asked of the descriptor. It may be a pipe, so that a program can
 * write a configuration, hence its length is known only by reading it to the
 * bound. The buffer is wiped: it may hold keys.
 *
 * A file that everybody can read or write may hold no secrets; whether it does
 * is found out later, so `exposed` only says what to answer then. */
#include "source.h"

#include "tree.h"
#include "util.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

WEIR_PRINTF(2, 3)
static bool trouble(struct source *s, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(s->problem, sizeof s->problem, fmt, args);
	va_end(args);
	return false;
}

/* The folder of `file`, with symbolic links resolved where it exists. */
static char *folder_of(const char *file)
{
	const char *slash = strrchr(file, '/');
	size_t len = slash ? (size_t)(slash - file) + 1 : 0;
	char *part = must(strndup(file, len)), *real;

	real = realpath(len ? part : ".", NULL);
	if (!real && *part == '/') {
		if (len > 1)
			part[len - 1] = '\0';
		return part;
	}
	free(part);
	return real ? real : must(strdup("/"));
}

static bool judge(struct source *s, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return trouble(s, "cannot be read: %s", strerror(errno));
	if (S_ISDIR(st.st_mode))
		return trouble(s, "is a folder; a file is wanted");
	if (S_ISBLK(st.st_mode) || S_ISSOCK(st.st_mode))
		return trouble(s, "is neither a file nor a pipe");
	if (S_ISREG(st.st_mode) && st.st_size > (off_t)YAML_BYTES_MAX)
		return trouble(s, "is too long; the most is %u bytes",
			       YAML_BYTES_MAX);
	if (S_ISREG(st.st_mode) && (st.st_mode & (S_IROTH | S_IWOTH)))
		snprintf(s->exposed, sizeof s->exposed,
			 "everybody can read or write this file; run: "
			 "chmod o= %.120s",
			 s->name);
	return true;
}

static bool read_all(struct source *s, int fd)
{
	size_t room = YAML_BYTES_MAX + 1;

	s->held = must(malloc(room));
	s->text = s->held;
	while (s->len < room) {
		ssize_t n = read(fd, s->held + s->len, room - s->len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return trouble(s, "cannot be read: %s",
				       strerror(errno));
		if (!n)
			return true;
		s->len += (size_t)n;
	}
	return trouble(s, "is too long; the most is %u bytes", YAML_BYTES_MAX);
}

void source_open(struct source *s, const char *file)
{
	bool standard = strcmp(file, "-") == 0;
	int fd = STDIN_FILENO;

	*s = (struct source){.name = standard ? "standard input" : file};
	s->folder = folder_of(standard ? "" : file);
	if (!standard)
		fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	if (fd < 0) {
		trouble(s, "cannot be opened: %s", strerror(errno));
		return;
	}
	if (judge(s, fd))
		read_all(s, fd);
	if (!standard)
		close(fd);
}

void source_borrow(struct source *s, const char *name, const char *text,
		   size_t len)
{
	*s = (struct source){.name = name, .text = text, .len = len};
	s->folder = folder_of(name);
}

void source_close(struct source *s)
{
	if (s->held)
		explicit_bzero(s->held, s->len);
	free(s->held);
	free(s->folder);
}
