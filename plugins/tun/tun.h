/* SPDX-License-Identifier: GPL-2.0-or-later */
/* tun.h - a TUN device: made, taken over or handed in; read and written.
 *
 * The fd belongs to the struct from tun_open or tun_adopt to tun_close, which
 * removes a device that weir made. */
#ifndef TUN_TUN_H
#define TUN_TUN_H

#include <net/if.h>
#include <weir/netstack.h>

struct tun_device {
	int fd;
	char name[IFNAMSIZ];
	bool vnet;	   /* a virtio_net_hdr precedes each packet */
	uint32_t offloads; /* WEIR_LINK_*: what may be written */
};

/* Create or attach to `name`, which may hold one %d. A new one gets this index,
 * by which sockets are bound to it; 0: any. */
bool tun_open(struct tun_device *, const char *name, unsigned index,
	      bool offload, struct weir_error *);
/* An fd that someone else made. It stays theirs on failure: its number may be
 * wrong and name anything, a file of the core's too. */
bool tun_adopt(struct tun_device *, int fd, bool offload, struct weir_error *);
void tun_close(struct tun_device *);
/* Somebody may have given it another name. False: it is gone. */
bool tun_learn_name(struct tun_device *);

/* Read one packet or train to `at`, where there is room for `room` bytes, and
 * say in `p` what it is; its buffer and offset are left alone. It takes less
 * time where 10 or more bytes `ahead` of `at` may be written, too. 0; EAGAIN:
 * there is none; EBADMSG: one was dropped, its header being wrong; anything
 * else: the device is gone. */
int tun_read(struct tun_device *, uint8_t *at, uint32_t ahead, uint32_t room,
	     struct weir_ingress *p);

/* The same for a packet that goes on as it is: `p` shows it by `view`. */
int tun_take(struct tun_device *, uint8_t *at, uint32_t room,
	     struct iovec *view, struct weir_egress *p);

/* 0; EAGAIN: full, try later; EIO: the link is down; EBADFD: the device is
 * gone; anything else: this packet was refused. */
int tun_write(struct tun_device *, const struct weir_egress *p);

#endif
