/* SPDX-License-Identifier: GPL-2.0-or-later */
/* no_table.h - hash tables that find no memory, for a test that is linked with
 * --wrap=malloc and --wrap=calloc: all other memory is there. Compilers make
 * one calloc() of uthash's malloc() and memset(). */
#ifndef WEIR_TESTS_NO_TABLE_H
#define WEIR_TESTS_NO_TABLE_H

#include <stdbool.h>
#include <stdlib.h>
#include <uthash.h>

static bool no_table;

/* The linker has every call come here. */
void *__real_malloc(size_t bytes);
void *__real_calloc(size_t n, size_t bytes);
void *__wrap_malloc(size_t bytes);
void *__wrap_calloc(size_t n, size_t bytes);

void *__wrap_malloc(size_t bytes)
{
	return no_table && bytes == sizeof(UT_hash_table)
		       ? NULL
		       : __real_malloc(bytes);
}

void *__wrap_calloc(size_t n, size_t bytes)
{
	return no_table && n * bytes == sizeof(UT_hash_table)
		       ? NULL
		       : __real_calloc(n, bytes);
}

#endif
