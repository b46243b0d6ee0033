/* SPDX-License-Identifier: GPL-2.0-or-later */
/* keyfile.h - a file that holds one key, as `wg genkey` prints it. */
#ifndef WIREGUARD_KEYFILE_H
#define WIREGUARD_KEYFILE_H

#include <weir/base.h>

/* A file that others can read is refused. */
bool keyfile_read(const char *path, uint8_t key[32], struct weir_error *);

#endif
