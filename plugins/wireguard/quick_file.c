/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: the file is opened once and everything that is asked of
 * it is asked of the descriptor. It holds a private key, so it is refused
 * where others can read it, and what was read of it is wiped. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "quick.h"

WEIR_PRINTF(3, 4)
static bool trouble(const char *file, const struct quick_report *to,
		    const char *fmt, ...)
{
	char text[QUICK_REPORT_BYTES];
	va_list args;
	int n = snprintf(text, sizeof text, "%.240s: ", file);

	va_start(args, fmt);
	vsnprintf(text + n, sizeof text - (size_t)n, fmt, args);
	va_end(args);
	to->tell(to->arg, true, text);
	return false;
}

static bool judge(int fd, const char *file, const struct quick_report *to,
		  size_t *len)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return trouble(file, to, "cannot be read: %s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return trouble(file, to, "is not a file");
	if (st.st_mode & (S_IROTH | S_IWOTH))
		return trouble(file, to,
			       "holds keys, and everybody can read or write "
			       "it; run: chmod o= %.240s",
			       file);
	if (st.st_size > (off_t)QUICK_FILE_BYTES_MAX)
		return trouble(file, to, "is too long; the most is %u bytes",
			       QUICK_FILE_BYTES_MAX);
	*len = (size_t)st.st_size;
	return true;
}

/* A file that shrinks meanwhile is as long as what was there to read. */
static bool read_all(int fd, char *text, size_t *len)
{
	size_t room = *len;

	*len = 0;
	while (*len < room) {
		ssize_t n = read(fd, text + *len, room - *len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return false;
		if (!n)
			break;
		*len += (size_t)n;
	}
	return true;
}

static struct quick *load_from(int fd, const char *file, bool strict,
			       const struct quick_report *to)
{
	struct quick *q = NULL;
	size_t len = 0, room;
	char *text;

	if (!judge(fd, file, to, &len))
		return NULL;
	room = len;
	text = malloc(room + 1);
	if (!text || !read_all(fd, text, &len))
		trouble(file, to, "cannot be read: %s", strerror(errno));
	else
		q = quick_parse(file, text, len, strict, to);
	if (text)
		explicit_bzero(text, room);
	free(text);
	return q;
}

struct quick *quick_load(const char *file, bool strict,
			 const struct quick_report *to)
{
	/* Opening a pipe must not wait for its writer. */
	int fd = open(file, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	struct quick *q;

	if (fd < 0) {
		trouble(file, to, "cannot be opened: %s", strerror(errno));
		return NULL;
	}
	q = load_from(fd, file, strict, to);
	close(fd);
	return q;
}
