/* SPDX-License-Identifier: GPL-2.0-or-later */
/* train.h - sealed datagrams that one system call sends. Made by train_for,
 * gone when the socket took it. */
#ifndef WIREGUARD_TRAIN_H
#define WIREGUARD_TRAIN_H

#include "device.h"
#include "workers.h"

struct train {
	struct train *next;   /* the one begun after it; or the next free one */
	struct wg_peer *peer; /* NULL: forgotten while a worker had it */
	uint32_t len;	      /* bytes of all datagrams so far */
	uint32_t gone;	      /* of those, sent before the socket was full */
	uint32_t datagrams;
	uint16_t segment; /* bytes of each but the last */
	uint8_t tos;
	bool closed;	  /* has its shorter last */
	bool given;	  /* to a worker: it grows no more */
	uint64_t keypair; /* serial number of the one that seals it */
	struct work work; /* with workers */
	uint8_t buffer[WG_HEADROOM + WG_DATAGRAM_MAX + WG_TAIL];
};

static inline uint8_t *train_bytes(struct train *t)
{
	return t->buffer + WG_HEADROOM;
}

/* A train with room for one more datagram of `len` bytes under the present key;
 * NULL: none. */
struct train *train_for(struct wg_peer *p, uint32_t len, uint8_t tos);
/* The datagram, whose bytes are in place at train_bytes(t) + t->len. */
void train_add(struct train *t, uint32_t len);

/* Make room for a whole egress; false: the socket is full, or what is there is
 * not sealed yet. */
bool trains_spare(struct wg_device *d);
/* Send all; false: as above. */
bool trains_flush(struct wg_device *d);
/* Is one being sealed? */
bool trains_wait(const struct wg_device *d);
void trains_forget(struct wg_peer *p);
/* Keep no memory for trains that are free. */
void trains_trim(struct wg_device *d);
void trains_fini(struct wg_device *d);

#endif
