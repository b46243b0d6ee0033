/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation.
 *
 * Loading a plugin runs its code as us. So nobody but root and the running
 * user may be able to write the file, or to exchange it or a folder above it:
 * each must be owned by one of the two and not be writable by others, nor by a
 * group other than root's (an ACL shows in the group bits too).
 *
 * A sticky folder (mode 1777, as for temporary files) lets others add entries
 * but not exchange ours; it is accepted *above* the plugin folder, since the
 * walk demands that the entry below it is owned by root or us, but not as the
 * plugin folder itself, where others could add plugins.
 *
 * Symbolic links on the way are followed if they are root's or ours: both the
 * path as given and what it resolves to are walked. The plugin's file itself
 * must not be one. Once all of that holds, nobody else can change what the
 * path names between check and use, so the file may be loaded by its name. */
#include "trust.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define MODE_BITS 07777u

/* What is wrong with who may write this entry; "" where nothing is. */
static const char *entry_fault(const struct stat *st, bool last)
{
	bool sticky = S_ISDIR(st->st_mode) && (st->st_mode & S_ISVTX);

	if (st->st_uid != 0 && st->st_uid != geteuid())
		return "owned by neither root nor the running user";
	if (S_ISLNK(st->st_mode) || (sticky && !last))
		return "";
	if (st->st_mode & S_IWOTH)
		return "writable by others";
	if ((st->st_mode & S_IWGRP) && st->st_gid != 0)
		return "writable by a group";
	return "";
}

static bool entry_check(const char *what, const char *path,
			const struct stat *st, bool last, struct weir_error *e)
{
	const char *fault = entry_fault(st, last);

	return !*fault || weir_error(e, NULL, "%s %s (owner %u, mode %04o): %s",
				     what, fault, (unsigned)st->st_uid,
				     st->st_mode & MODE_BITS, path);
}

/* Check every prefix of an absolute path: "/", "/a", "/a/b". */
static bool walk(const char *path, struct weir_error *e)
{
	size_t len = 1, whole = strlen(path);
	char part[PATH_MAX];
	struct stat st;

	while (whole > 1 && path[whole - 1] == '/')
		whole--;
	for (;;) {
		snprintf(part, sizeof part, "%.*s", (int)len, path);
		if (lstat(part, &st) < 0)
			return weir_error(e, NULL, "%s: %s", strerror(errno),
					  part);
		if (!entry_check("folder", part, &st, len == whole, e))
			return false;
		if (len == whole)
			return true;
		len += strspn(path + len, "/");
		len += strcspn(path + len, "/");
	}
}

bool trust_folder(const char *dir, struct weir_error *e)
{
	char real[PATH_MAX];
	struct stat st;

	if (dir[0] != '/')
		return weir_error(e, NULL, "not an absolute folder: %s", dir);
	if (strlen(dir) >= sizeof real)
		return weir_error(e, NULL, "%s", strerror(ENAMETOOLONG));
	if (!realpath(dir, real) || stat(real, &st) < 0)
		return weir_error(e, NULL, "%s: %s", strerror(errno), dir);
	if (!S_ISDIR(st.st_mode))
		return weir_error(e, NULL, "not a folder: %s", dir);
	return walk(dir, e) && walk(real, e);
}

int trust_open(const char *path, struct weir_error *e)
{
	struct stat st;
	int fd;

	/* Asked first: opening a device can have effects of its own. */
	if (lstat(path, &st) == 0 && !S_ISREG(st.st_mode)) {
		weir_error(e, NULL,
			   S_ISLNK(st.st_mode)
				   ? "a symbolic link, not a regular file"
				   : "not a regular file");
		return -1;
	}
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0) {
		weir_error(e, NULL, "cannot open it: %s", strerror(errno));
	} else if (!S_ISREG(st.st_mode)) {
		weir_error(e, NULL, "not a regular file");
	} else if (entry_check("file", path, &st, true, e)) {
		return fd;
	}
	if (fd >= 0)
		close(fd);
	return -1;
}
