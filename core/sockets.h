/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sockets.h - sockets that may leave weir. */
#ifndef WEIR_CORE_SOCKETS_H
#define WEIR_CORE_SOCKETS_H

#include "config.h"

/* Whether sockets can be had as the configuration wants them, so that who
 * starts weir is told, and not each session. An interface that is not there may
 * come: that is a warning. */
bool sockets_try(const struct config *, struct weir_error *);
/* Nonblocking, close-on-exec, with mark and interface of the configuration,
 * without which its traffic could loop back into a TUN. -1 with errno. */
int sockets_new(const struct config *, int domain, int type, int protocol);
/* The same without the interface: for peers on the loopback, to which no other
 * interface leads. */
int sockets_new_local(const struct config *, int domain, int type,
		      int protocol);
/* connect(2) for one that is local so far: it gets the interface first where
 * the peer is not on the loopback. -1 with errno. */
int sockets_connect(const struct config *, int fd, const struct sockaddr *,
		    socklen_t);

#endif
