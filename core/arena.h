/* SPDX-License-Identifier: GPL-2.0-or-later */
/* arena.h - memory that is freed all at once, such as a decoded configuration.
 *
 * Owned by whoever called arena_new; everything allocated from it dies with
 * it. Secrets allocated through arena_secret are wiped first. */
#ifndef WEIR_CORE_ARENA_H
#define WEIR_CORE_ARENA_H

#include <stddef.h>

struct arena;

struct arena *arena_new(void);
void *arena_alloc(struct arena *,
		  size_t size); /* zeroed, aligned, never NULL */
void *arena_secret(struct arena *, size_t size); /* the same, wiped on free */
char *arena_strndup(struct arena *, const char *text, size_t len);
void arena_free(struct arena *); /* NULL is fine */

#endif
