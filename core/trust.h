/* SPDX-License-Identifier: GPL-2.0-or-later */
/* trust.h - whether a file can have been put there by root or us alone. */
#ifndef WEIR_CORE_TRUST_H
#define WEIR_CORE_TRUST_H

#include <weir/base.h>

/* A folder, given absolutely, in which and above which only root and the
 * running user can exchange entries. */
bool trust_folder(const char *dir, struct weir_error *);

/* Open a regular file, not a symbolic link, that only root and the running
 * user can write. Its folder is the caller's to check. -1 with the error. */
int trust_open(const char *path, struct weir_error *);

#endif
