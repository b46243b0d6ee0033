/* SPDX-License-Identifier: GPL-2.0-or-later */
/* reserved.c - [162, 104, 222], "a268de", "0xa268de" or "omje". */
#include "reserved.h"

#include <stdlib.h>

#define BYTES 3u
#define HEX_LEN (2 * BYTES)
#define BASE64_LEN 4u

static bool parse_number(const char *text, uint8_t *byte)
{
	char *end;
	unsigned long n;

	if (*text < '0' || *text > '9')
		return false;
	n = strtoul(text, &end, 10);
	*byte = (uint8_t)n;
	return !*end && n <= UINT8_MAX;
}

static int base64_value(char c)
{
	static const char set[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
				  "abcdefghijklmnopqrstuvwxyz"
				  "0123456789+/";
	const char *at = c ? strchr(set, c) : NULL;

	return at ? (int)(at - set) : -1;
}

static bool parse_base64(const char *text, uint8_t *bytes)
{
	uint32_t bits = 0;

	for (unsigned i = 0; i < BASE64_LEN; i++) {
		int value = base64_value(text[i]);

		if (value < 0)
			return false;
		bits = bits << 6 | (uint32_t)value;
	}
	for (unsigned i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)(bits >> (8 * (BYTES - 1 - i)));
	return true;
}

static bool parse_hex(const char *text, uint8_t *bytes)
{
	char *end;
	unsigned long n = strtoul(text, &end, 16);

	if (strspn(text, "0123456789abcdefABCDEF") != HEX_LEN || *end)
		return false;
	for (unsigned i = 0; i < BYTES; i++)
		bytes[i] = (uint8_t)(n >> (8 * (BYTES - 1 - i)));
	return true;
}

static bool parse_text(const char *text, uint8_t *bytes)
{
	if (strlen(text) == BASE64_LEN)
		return parse_base64(text, bytes);
	if (text[0] == '0' && (text[1] == 'x' || text[1] == 'X'))
		text += 2;
	return strlen(text) == HEX_LEN && parse_hex(text, bytes);
}

bool reserved_parse(const struct weir_list *texts, uint8_t reserved[BYTES],
		    struct weir_error *e)
{
	const char *const *text = texts->items;
	bool ok = true;

	memset(reserved, 0, BYTES);
	if (texts->count == 0)
		return true;
	if (texts->count == 1)
		ok = parse_text(text[0], reserved);
	else if (texts->count == BYTES)
		for (unsigned i = 0; i < BYTES; i++)
			ok = parse_number(text[i], &reserved[i]) && ok;
	else
		ok = false;
	return ok || weir_error(e, "peers",
				"reserved: must be three numbers from 0 to "
				"255, or three bytes in hex or base64");
}
