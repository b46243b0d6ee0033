/* SPDX-License-Identifier: GPL-2.0-or-later */
/* utf8.h - is this text, and if not, where does it stop being so? */
#ifndef WEIR_CORE_UTF8_H
#define WEIR_CORE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* Well-formed UTF-8 (RFC 3629) without control characters but tab and line
 * ends. Where not: line and column, from 1, of the first bad character. */
bool utf8_valid(const char *text, size_t len, unsigned *line, unsigned *column);

/* Put ? in the place of control characters (below space, DEL, and C1 in its two
 * bytes), so that no terminal obeys what somebody else wrote. */
void utf8_blot(char *text, size_t len);

#endif
