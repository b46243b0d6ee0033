/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: digits are computed, not looked up, and a bad one only
 * sets a flag that is read at the end, so that neither branches nor memory
 * accesses depend on the key. */
#include "key.h"

#include <string.h>

#define KEY_BASE64 44u
#define KEY_HEX 64u

/* All ones where low <= c <= high, else 0. */
static unsigned in_range(unsigned c, unsigned low, unsigned high)
{
	return 0u - (((low - 1u - c) & (c - 1u - high)) >> 31);
}

/* 0..63, or 64 for what is no digit. */
static unsigned base64_digit(unsigned char c)
{
	unsigned v = 64u;

	v ^= in_range(c, 'A', 'Z') & (64u ^ (c - 'A'));
	v ^= in_range(c, 'a', 'z') & (64u ^ (c - 'a' + 26u));
	v ^= in_range(c, '0', '9') & (64u ^ (c - '0' + 52u));
	v ^= in_range(c, '+', '+') & (64u ^ 62u);
	v ^= in_range(c, '/', '/') & (64u ^ 63u);
	return v;
}

/* 0..15, or 16 for what is no digit. */
static unsigned hex_digit(unsigned char c)
{
	unsigned v = 16u;

	v ^= in_range(c, '0', '9') & (16u ^ (c - '0'));
	v ^= in_range(c, 'a', 'f') & (16u ^ (c - 'a' + 10u));
	v ^= in_range(c, 'A', 'F') & (16u ^ (c - 'A' + 10u));
	return v;
}

/* 43 digits hold 258 bits: the last two must be 0. */
static bool parse_base64(const char *text, uint8_t *key)
{
	unsigned i, bits = 0, held = 0, bad = 0;

	for (i = 0; i < KEY_BASE64 - 1; i++) {
		unsigned v = base64_digit((unsigned char)text[i]);

		bad |= v & 64u;
		held = held << 6 | (v & 63u);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*key++ = (uint8_t)(held >> bits);
		}
	}
	return !(bad | (held & 3u)) && text[KEY_BASE64 - 1] == '=';
}

static bool parse_hex(const char *text, uint8_t *key)
{
	unsigned i, bad = 0;

	for (i = 0; i < KEY_BYTES; i++) {
		unsigned high = hex_digit((unsigned char)text[2 * i]);
		unsigned low = hex_digit((unsigned char)text[2 * i + 1]);

		bad |= (high | low) & 16u;
		key[i] = (uint8_t)((high & 15u) << 4 | (low & 15u));
	}
	return !bad;
}

bool key_parse(const char *text, uint8_t key[KEY_BYTES])
{
	size_t len = strlen(text);

	if (len == KEY_BASE64)
		return parse_base64(text, key);
	return len == KEY_HEX && parse_hex(text, key);
}
