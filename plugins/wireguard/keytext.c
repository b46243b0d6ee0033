/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Theory of operation: digits are computed by masks, not looked up, and a bad
 * one only sets a flag that is read at the end, so that neither branches nor
 * memory accesses depend on the key. */
#include "keytext.h"

/* All ones where low <= c <= high, else 0. */
static unsigned in_range(unsigned c, unsigned low, unsigned high)
{
	return 0u - (((low - 1u - c) & (c - 1u - high)) >> 31);
}

/* 0..63, or 64 for what is no digit. */
static unsigned base64_value(unsigned char c)
{
	unsigned v = 64u;

	v ^= in_range(c, 'A', 'Z') & (64u ^ (c - 'A'));
	v ^= in_range(c, 'a', 'z') & (64u ^ (c - 'a' + 26u));
	v ^= in_range(c, '0', '9') & (64u ^ (c - '0' + 52u));
	v ^= in_range(c, '+', '+') & (64u ^ 62u);
	v ^= in_range(c, '/', '/') & (64u ^ 63u);
	return v;
}

/* 0..15, or 16 for what is no digit. Lower and upper case. */
static unsigned hex_value(unsigned char c)
{
	unsigned v = 16u;

	v ^= in_range(c, '0', '9') & (16u ^ (c - '0'));
	v ^= in_range(c, 'a', 'f') & (16u ^ (c - 'a' + 10u));
	v ^= in_range(c, 'A', 'F') & (16u ^ (c - 'A' + 10u));
	return v;
}

bool key_from_base64(const char *text, size_t len, uint8_t key[KEY_BYTES])
{
	unsigned held = 0, bits = 0, bad = 0;

	if (len != KEY_BASE64 || text[KEY_BASE64 - 1] != '=')
		return false;
	for (size_t i = 0; i < KEY_BASE64 - 1; i++) {
		unsigned v = base64_value((unsigned char)text[i]);

		bad |= v & 64u;
		held = held << 6 | (v & 63u);
		bits += 6;
		if (bits >= 8) {
			bits -= 8;
			*key++ = (uint8_t)(held >> bits);
		}
	}
	/* 43 digits hold 258 bits: the last two belong to no byte. */
	return !(bad | (held & 3u));
}

bool key_from_hex(const char *text, size_t len, uint8_t key[KEY_BYTES])
{
	unsigned bad = 0;

	if (len != KEY_HEX)
		return false;
	for (size_t i = 0; i < KEY_BYTES; i++) {
		unsigned high = hex_value((unsigned char)text[2 * i]);
		unsigned low = hex_value((unsigned char)text[2 * i + 1]);

		bad |= (high | low) & 16u;
		key[i] = (uint8_t)((high & 15u) << 4 | (low & 15u));
	}
	return !bad;
}

/* The character of v, which is below 64: 'A' and the steps to where the next
 * range of characters begins. */
static char base64_digit(unsigned v)
{
	int c = (int)v + 'A';

	c += (int)(in_range(v, 26, 63) & 6u);
	c -= (int)(in_range(v, 52, 63) & 75u);
	c -= (int)(in_range(v, 62, 63) & 15u);
	c += (int)(in_range(v, 63, 63) & 3u);
	return (char)c;
}

void key_to_base64(const uint8_t key[KEY_BYTES], char text[KEY_BASE64 + 1])
{
	unsigned held = 0, bits = 0;

	for (size_t i = 0; i < KEY_BYTES; i++) {
		held = held << 8 | key[i];
		for (bits += 8; bits >= 6;) {
			bits -= 6;
			*text++ = base64_digit(held >> bits & 63u);
		}
	}
	*text++ = base64_digit(held << (6 - bits) & 63u);
	*text++ = '=';
	*text = '\0';
}

static char hex_digit(unsigned v)
{
	return (char)(v + '0' + (in_range(v, 10, 15) & ('a' - '0' - 10u)));
}

void key_to_hex(const uint8_t key[KEY_BYTES], char text[KEY_HEX + 1])
{
	for (size_t i = 0; i < KEY_BYTES; i++) {
		*text++ = hex_digit(key[i] >> 4);
		*text++ = hex_digit(key[i] & 15u);
	}
	*text = '\0';
}

bool key_is_zero(const uint8_t key[KEY_BYTES])
{
	unsigned any = 0;

	for (size_t i = 0; i < KEY_BYTES; i++)
		any |= key[i];
	return !any;
}
