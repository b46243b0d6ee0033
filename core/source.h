/* SPDX-License-Identifier: GPL-2.0-or-later */
/* source.h - the text of a configuration, and what its file tells of it. */
#ifndef WEIR_CORE_SOURCE_H
#define WEIR_CORE_SOURCE_H

#include <stddef.h>

struct source {
	const char *name; /* borrowed; stands for the file in messages */
	const char *text; /* borrowed or `held` */
	size_t len;
	char *held;	   /* wiped by source_close */
	char *folder;	   /* absolute; where relative paths begin */
	char problem[200]; /* why there is no text, or empty */
	char exposed[200]; /* why no secret may stand in it, or empty */
};

/* Read a file, or standard input where it is "-". */
void source_open(struct source *, const char *file);
void source_borrow(struct source *, const char *name, const char *text,
		   size_t len);
void source_close(struct source *);

#endif
