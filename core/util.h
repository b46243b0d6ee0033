/* SPDX-License-Identifier: GPL-2.0-or-later */
/* util.h - memory that is there, and small shapes everyone needs. */
#ifndef WEIR_CORE_UTIL_H
#define WEIR_CORE_UTIL_H

#include <assert.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define container_of(ptr, type, member)                                        \
	((type *)(void *)((char *)(ptr)-offsetof(type, member)))

/* For weir's own bounded structures: without memory for them it cannot go
 * on. */
static inline _Noreturn void out_of_memory(void)
{
	fputs("weir: out of memory\n", stderr);
	abort();
}

static inline void *must(void *p)
{
	if (!p)
		out_of_memory();
	return p;
}

static inline void *xcalloc(size_t n, size_t size)
{
	return must(calloc(n, size));
}

static inline char *xstrdup(const char *text)
{
	return must(strdup(text));
}

#endif
