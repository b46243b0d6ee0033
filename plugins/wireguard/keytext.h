/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keytext.h - 32-byte keys as people and tools write them. None of these
 * branches or looks up by the bytes of a key. */
#ifndef WIREGUARD_KEYTEXT_H
#define WIREGUARD_KEYTEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_BYTES 32u
#define KEY_BASE64 44u /* characters */
#define KEY_HEX 64u

/* False where `text` is not exactly one key in that form; the 44th character
 * of base64 is '=', and the bits that no byte takes are zero. */
bool key_from_base64(const char *text, size_t len, uint8_t key[KEY_BYTES]);
bool key_from_hex(const char *text, size_t len, uint8_t key[KEY_BYTES]);

/* With a NUL behind. */
void key_to_base64(const uint8_t key[KEY_BYTES], char text[KEY_BASE64 + 1]);
void key_to_hex(const uint8_t key[KEY_BYTES], char text[KEY_HEX + 1]);

bool key_is_zero(const uint8_t key[KEY_BYTES]);

#endif
