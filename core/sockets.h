/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockets.h - sockets that may leave weir. */
#ifndef WEIR_CORE_SOCKETS_H
#define WEIR_CORE_SOCKETS_H

#include "config.h"

/* Whether sockets can be had as the configuration wants them, so that who
 * starts weir is told, and not each session. An interface that is not there may
 * come: that is a warning. */
bool sockets_try(const struct config *, struct weir_error *);
/* Mark and interface of the configuration; -1 with errno: the socket must not
 * be used then, or its traffic could loop back into a TUN. */
int sockets_guard(const struct config *, int fd);
/* Nonblocking, close-on-exec, guarded. -1 with errno. */
int sockets_new(const struct config *, int domain, int type, int protocol);

#endif
