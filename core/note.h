/* SPDX-License-Identifier: GPL-2.0-or-later */
/* note.h - a plugin's identity, read from its file without loading it. */
#ifndef WEIR_CORE_NOTE_H
#define WEIR_CORE_NOTE_H

#include <weir/plugin.h>

/* The identity inside an ELF shared object of this machine's kind. Every
 * string of it is NUL-terminated, printable and well-formed afterwards; which
 * SDK version it names is the caller's to judge. */
bool note_parse(const void *file, size_t len, struct weir_identity *,
		struct weir_error *);

/* The same of an open file, or of a path. A FIFO does not block it. */
bool note_read_fd(int fd, struct weir_identity *, struct weir_error *);
bool note_read(const char *path, struct weir_identity *, struct weir_error *);

/* One service a plugin needs: "netstack/1". */
struct note_need {
	char name[sizeof((struct weir_identity *)0)->needs];
	unsigned major;
};

/* Take the first of `needs` ("netstack/1 other/2"). Returns what follows it,
 * NULL where it is malformed; an empty name says that there was none. */
const char *note_need(const char *needs, struct note_need *);

#endif
