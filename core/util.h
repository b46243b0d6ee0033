/* SPDX-License-Identifier: GPL-2.0-or-later */
/* util.h - memory that is there, and small shapes everyone needs. */
#ifndef WEIR_CORE_UTIL_H
#define WEIR_CORE_UTIL_H

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define container_of(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* Memory for weir's own bounded structures: without it there is no going on. */
static inline void *xcalloc(size_t n, size_t size)
{
	void *p = calloc(n, size);

	if (!p)
		abort();
	return p;
}

static inline char *xstrdup(const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		abort();
	return copy;
}

#endif
