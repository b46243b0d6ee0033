/* SPDX-License-Identifier: GPL-2.0-or-later */
/* udp.h - the sockets under a WireGuard device: one a family on one port,
 * never connected, so that any peer may come from anywhere.
 *
 * Datagrams cross in trains: equal ones one after the other, the last may be
 * shorter. The kernel cuts what is sent (UDP_SEGMENT) and joins what comes in
 * (UDP_GRO). An endpoint names both sides, because a reply must leave from the
 * address that its question was sent to. */
#ifndef WIREGUARD_UDP_H
#define WIREGUARD_UDP_H

#include "wg.h"

struct wg_udp_ops {
	/* What came in; the bytes are the receiver's to write on during the
	 * call. It may close the sockets. */
	void (*receive)(void *arg, const struct wg_datagrams *v, int n);
	/* May more be read? False: wg_udp_read_on will be called. */
	bool (*may_receive)(void *arg);
	/* There is room again after a send that found none. */
	void (*writable)(void *arg);
	/* Something to `to` could not be sent, with this errno, although there
	 * was room: lost. It must not open or close the sockets. */
	void (*failed)(void *arg, const struct wg_endpoint *to, int err);
};

struct wg_udp;

/* Makes no socket yet. NULL: out of memory. */
struct wg_udp *wg_udp_new(struct weir_instance *, const struct weir_host *,
			  const struct wg_udp_ops *, void *arg);
void wg_udp_free(struct wg_udp *);

/* (Re)open on `address` (kind NONE: every address of both families), port 0:
 * any free one. `mark`, if not 0, is used instead of the configured one. What
 * was open before is closed first. 0, or an errno: nothing is open then. */
int wg_udp_open(struct wg_udp *, const struct weir_addr *address, uint16_t port,
		uint32_t mark);
/* Give back memory that was kept for the next burst. */
void wg_udp_trim(struct wg_udp *);
void wg_udp_close(struct wg_udp *);
/* Read what was left unread. */
void wg_udp_read_on(struct wg_udp *);
uint16_t wg_udp_port(const struct wg_udp *); /* 0: not open */

/* Send a train as wg_ops.send has it. */
struct wg_sent wg_udp_send(struct wg_udp *, const struct wg_endpoint *to,
			   uint8_t *data, uint32_t len, uint16_t segment,
			   uint8_t tos);

#endif
