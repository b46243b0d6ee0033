/* SPDX-License-Identifier: GPL-2.0-or-later */
/* workers.h - threads that seal and open, and what they are given.
 *
 * A thread sees a key, bytes and their counters, nothing of peers or the
 * device. What is given is done in any order; who gave it keeps it in a line of
 * its own, and takes it out of there in order. */
#ifndef WIREGUARD_WORKERS_H
#define WIREGUARD_WORKERS_H

#include "aead.h"

#include <stdatomic.h>

#define WORK_DATAGRAMS_MAX 64u /* the bits of `failed` */

/* Data messages of `segment` bytes each, the last maybe shorter, with their
 * headers, sealed or opened in place. The giver's; whoever was given it must
 * not touch it until it is done. */
struct work {
	const struct aead_ops *aead;
	enum aead_direction direction;
	uint16_t segment;
	uint32_t len;
	uint8_t *bytes;
	uint8_t key[WG_KEY_BYTES]; /* zero once it is done */
	uint64_t failed;	   /* bit i: datagram i was forged; no memory */
	atomic_bool done;
};

struct workers;

/* `told` is called by a thread when something was done, once until the next
 * workers_heard. NULL with errno: no memory or no threads. */
struct workers *workers_new(unsigned threads, void (*told)(void *arg),
			    void *arg);
/* Waits for what is under way. NULL is fine. */
void workers_free(struct workers *w);

/* At most WORK_WAITING_MAX pieces may be under way. */
#define WORK_WAITING_MAX 64u
void workers_give(struct workers *w, struct work *work);
/* Do it here and now. */
void work_do(struct work *work);

/* To be called before looking at what is done: what is done later is told
 * again. */
void workers_heard(struct workers *w);

static inline bool work_is_done(struct work *work)
{
	return atomic_load_explicit(&work->done, memory_order_acquire);
}

#endif
