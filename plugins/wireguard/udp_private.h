/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp_private.h - what udp.c, udp_receive.c and udp_send.c share. */
#ifndef WIREGUARD_UDP_PRIVATE_H
#define WIREGUARD_UDP_PRIVATE_H

#include "sockaddr.h"
#include "trains.h"
#include "udp.h"

enum { WG_V4, WG_V6, WG_FAMILIES };

enum wg_udp_count {
	WG_UDP_SENT,
	WG_UDP_SENT_TRAINS,
	WG_UDP_RECEIVED,
	WG_UDP_RECEIVED_TRAINS,
	WG_UDP_FULL,
	WG_UDP_FAILED,
	WG_UDP_COUNTS,
};

struct wg_udp_socket {
	struct wg_udp *udp;
	struct weir_watch *watch;
	struct weir_watch *full;  /* waits for room; NULL: it is not full */
	int fd;			  /* -1: this family is not open */
	int full_fd;		  /* the same socket, for that watch */
	uint64_t singly_until_us; /* a device could send no trains; 0: none */
	bool unread;		  /* had more than its share of a turn */
};

struct wg_udp {
	struct weir_instance *instance;
	const struct weir_host *host;
	const struct wg_udp_ops *ops;
	void *arg;
	struct wg_udp_socket socket[WG_FAMILIES];
	uint16_t port;
	uint8_t *room; /* of one receive call; made when first opened */
	struct weir_task resume;

	uint64_t *count[WG_UDP_COUNTS];
};

socklen_t wg_sockaddr_of(const struct wg_endpoint *, union sockaddr_any *);
void wg_endpoint_of(struct wg_endpoint *, const union sockaddr_any *);

/* The socket is full: ops->writable will say when it no longer is. False: it
 * cannot be watched. */
bool wg_udp_await_room(struct wg_udp_socket *);

/* udp_receive.c: read what is there, hand it on, read on next turn. */
void wg_udp_read(struct wg_udp_socket *);
void wg_udp_resume(struct weir_task *);
bool wg_udp_room(struct wg_udp *); /* false: out of memory */

#endif
