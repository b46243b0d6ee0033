/* SPDX-License-Identifier: GPL-2.0-or-later */
/* mend.c - a list in words; what it has no room for is left out. */
#include "mend.h"

#include <errno.h>

void mend_note(struct mend *m, int err, const char *what, ...)
{
	char *text = err ? m->failed : m->done;
	size_t at = strlen(text);
	va_list args;

	if (err == EEXIST)
		return;
	if (err && !m->err)
		m->err = err;
	if (at)
		at += (size_t)snprintf(text + at, MEND_BYTES - at, ", ");
	if (at >= MEND_BYTES)
		return;
	va_start(args, what);
	vsnprintf(text + at, MEND_BYTES - at, what, args);
	va_end(args);
}
