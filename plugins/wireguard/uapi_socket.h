/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uapi_socket.h - the unix socket at which `wg` finds a device. */
#ifndef WIREGUARD_UAPI_SOCKET_H
#define WIREGUARD_UAPI_SOCKET_H

#include <weir/host.h>

#include "uapi.h"

#define UAPI_FOLDER "/var/run/wireguard" /* where wg looks */
#define UAPI_CLIENTS_MAX 16u
#define UAPI_PIECE_BYTES 65536u /* held a client and direction */

struct uapi_socket_conf {
	const struct weir_host *host;
	struct weir_instance *instance;
	const char *folder; /* made (mode 0700) where it is missing */
	const char *name;   /* of the device: FOLDER/NAME.sock */
	struct uapi_device device;
};

/* Listen. A socket that nobody listens on any more is replaced. */
struct uapi_socket *uapi_socket_open(const struct uapi_socket_conf *,
				     struct weir_error *);
/* Every client is cut off, the socket's file removed. NULL is fine. */
void uapi_socket_close(struct uapi_socket *);

/* Whether a device may be called so: what an interface may be called. The error
 * is one of the option `interface`. */
bool uapi_name_check(const char *name, struct weir_error *);

#endif
