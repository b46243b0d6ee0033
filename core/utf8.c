/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: one pass that measures each character; a measure of 0
 * is a malformed one. Overlong forms, surrogates and what lies beyond U+10FFFF
 * are told by the range of the second byte, as in the table of RFC 3629. */
#include "utf8.h"

#include <stdint.h>

/* Bytes of the character at `p`, of which `left` are there. */
static size_t character(const uint8_t *p, size_t left)
{
	uint8_t low = 0x80, high = 0xbf;
	size_t len, i;

	if (*p < 0x80)
		return (*p >= 0x20 && *p != 0x7f) || *p == '\t' || *p == '\n' ||
		       *p == '\r';
	if (*p < 0xc2 || *p > 0xf4)
		return 0;
	len = *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : 4;
	if (len > left)
		return 0;
	if (*p == 0xe0)
		low = 0xa0;
	else if (*p == 0xf0)
		low = 0x90;
	else if (*p == 0xed)
		high = 0x9f;
	else if (*p == 0xf4)
		high = 0x8f;
	if (p[1] < low || p[1] > high)
		return 0;
	for (i = 2; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	}
	return len;
}

bool utf8_valid(const char *text, size_t len, unsigned *line, unsigned *column)
{
	const uint8_t *p = (const uint8_t *)text, *end = p + len;

	*line = *column = 1;
	while (p < end) {
		size_t n = character(p, (size_t)(end - p));

		if (!n)
			return false;
		if (*p == '\n' ||
		    (*p == '\r' && (p + 1 == end || p[1] != '\n'))) {
			++*line;
			*column = 0;
		}
		++*column;
		p += n;
	}
	return true;
}

void utf8_blot(char *text, size_t len)
{
	unsigned char *p = (unsigned char *)text, *end = p + len;

	for (; p < end; p++) {
		if (*p < 0x20 || *p == 0x7f)
			*p = '?';
		else if (*p == 0xc2 && p + 1 < end && (p[1] & 0xe0) == 0x80)
			p[0] = p[1] = '?';
	}
}
