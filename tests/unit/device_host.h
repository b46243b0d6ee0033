/* SPDX-License-Identifier: GPL-2.0-or-later */
/* device_host.h - an instance that is nothing but a device with a socket, and
 * only remembers. For one test program: it holds functions. */
#ifndef WEIR_DEVICE_HOST_H
#define WEIR_DEVICE_HOST_H

#include <errno.h>
#include <weir/fakehost.h>

#include "plugins/wireguard/uapi_socket.h"
#include "tests/unit/idle.h"
#include "tests/unit/wg_fake.h"

static struct world {
	struct fakehost *host;
	struct weir_instance *instance;
	struct wg_device wg;
	struct uapi_socket *socket;
	uint16_t port;
	uint32_t mark;
	char folder[64], path[100];
} w;

static void socket_get(void *arg, uint16_t *port, uint32_t *mark)
{
	(void)arg;
	*port = w.port;
	*mark = w.mark;
}

static int socket_set(void *arg, uint16_t port, uint32_t mark)
{
	(void)arg;
	if (port == 53)
		return EADDRINUSE;
	w.port = port ? port : 40000;
	w.mark = mark;
	return 0;
}

#endif
