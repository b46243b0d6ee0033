/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyfile.c - one key in a file: base64 or hex, white space around it. */
#include "keyfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "keytext.h"

#define OPTION "private_key_file"
#define TEXT_MAX 128 /* a key and some white space */

static bool check_mode(int fd, const char *path, struct weir_error *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return weir_error(e, OPTION, "%s", strerror(errno));
	if (!S_ISREG(st.st_mode))
		return weir_error(e, OPTION, "is not a regular file");
	if (st.st_mode & (S_IROTH | S_IWOTH))
		return weir_error(e, OPTION,
				  "everybody can read or write this file; "
				  "run: chmod o= %.100s",
				  path);
	return true;
}

static bool parse(const char *text, size_t len, uint8_t key[32])
{
	static const char space[] = " \t\r\n";

	while (len && strchr(space, text[len - 1]))
		len--;
	while (len && strchr(space, *text)) {
		text++;
		len--;
	}
	return key_from_base64(text, len, key) || key_from_hex(text, len, key);
}

bool keyfile_read(const char *path, uint8_t key[32], struct weir_error *e)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	char text[TEXT_MAX];
	bool ok = false;
	ssize_t got;

	if (fd < 0)
		return weir_error(e, OPTION, "%s", strerror(errno));
	if (!check_mode(fd, path, e))
		goto out;
	got = read(fd, text, sizeof text);
	ok = got > 0 && (size_t)got < sizeof text &&
	     parse(text, (size_t)got, key);
	if (!ok)
		weir_error(e, OPTION,
			   "the file holds no key; write one with: wg genkey");
out:
	explicit_bzero(text, sizeof text);
	close(fd);
	return ok;
}
