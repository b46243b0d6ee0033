/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wgload.h - what the two halves of wgload share: clients whose keys follow
 * from their number, and a socket that speaks from an address of each. */
#ifndef TESTS_TOOLS_WGLOAD_H
#define TESTS_TOOLS_WGLOAD_H

#include <netinet/in.h>

#include "plugins/wireguard/aead.h"
#include "plugins/wireguard/cookie.h"
#include "plugins/wireguard/handshake.h"
#include "plugins/wireguard/keytext.h"
#include "tool.h"

#define WGLOAD_CLIENTS_MOST 60000
#define WGLOAD_SECONDS_MOST 3600
#define WGLOAD_ROOM 256 /* bytes: no message that is read is longer */

struct wgload_target {
	struct sockaddr_in address;
	uint8_t public_key[WG_KEY_BYTES];
	int fd;
};

/* Address, port and base64 key. */
void wgload_target(struct wgload_target *, char **words);

void wgload_private_key(unsigned client, uint8_t key[WG_KEY_BYTES]);

/* Send `len` bytes from the address of `client`: 10.77.0.1 and upwards. False:
 * the socket is full. */
bool wgload_send(const struct wgload_target *, unsigned client, void *data,
		 size_t len);

/* A message that has come, if any: its length, or 0. */
size_t wgload_receive(const struct wgload_target *, uint8_t room[WGLOAD_ROOM]);

/* Until there is something to read, at most so long. */
void wgload_wait(const struct wgload_target *, int ms);

/* wgflood.c: KIND RATE SECONDS */
int wgload_flood(const struct wgload_target *, char **words);

#endif
