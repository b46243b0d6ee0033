/* SPDX-License-Identifier: GPL-2.0-or-later */
/* key.h - a key of 32 bytes, written in base64 or hex. */
#ifndef WEIR_CORE_KEY_H
#define WEIR_CORE_KEY_H

#include <stdbool.h>
#include <stdint.h>

#define KEY_BYTES 32u

/* Exactly 44 characters of base64 or 64 of hex. Takes the same time for every
 * key of the same form. */
bool key_parse(const char *text, uint8_t key[KEY_BYTES]);

#endif
