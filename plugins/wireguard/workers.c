/* SPDX-License-Identifier: GPL-2.0-or-later */
/* workers.c - threads that seal and open.
 *
 * Each has a ring that the loop writes and the thread reads, and a semaphore
 * on which it sleeps while the ring is empty. Work goes to one after the other.
 * No lock is taken by either side: a ring has room for all that may be under
 * way, and what is done says so itself. */
#include "workers.h"

#include "message.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>
#include <stdlib.h>

#define STACK_BYTES (128u << 10)
#define RING_PLACES (2 * WORK_WAITING_MAX) /* a power of 2; and the end */

struct worker {
	struct workers *all;
	pthread_t thread;
	sem_t given; /* as often as there is something in the ring, or to end */
	struct work *ring[RING_PLACES];
	unsigned next_in;  /* the loop's */
	unsigned next_out; /* the thread's */
};

struct workers {
	void (*told)(void *arg);
	void *arg;
	atomic_bool silent; /* it was told, and has not looked yet */
	unsigned count, turn;
	struct worker each[];
};

static bool datagram_do(struct aead *a, uint8_t *bytes, uint32_t len)
{
	const struct message_data *header = (const void *)bytes;
	uint64_t counter = message_get64(header->counter);
	uint8_t *at = bytes + MESSAGE_DATA_HEADER_BYTES;

	len -= MESSAGE_DATA_HEADER_BYTES;
	if (a->direction == AEAD_SEAL)
		return aead_seal(a, at, at, len - WG_TAG_BYTES, counter);
	return aead_open(a, at, at, len, counter);
}

void work_do(struct work *work)
{
	uint32_t left = work->len;
	uint8_t *at = work->bytes;
	struct aead a;

	aead_init(&a, work->aead, work->direction, work->key);
	work->failed = 0;
	for (unsigned i = 0; left; i++) {
		uint32_t len = left < work->segment ? left : work->segment;

		if (!datagram_do(&a, at, len))
			work->failed |= UINT64_C(1) << i;
		at += len;
		left -= len;
	}
	aead_wipe(&a);
	crypto_wipe(work->key, sizeof work->key);
	atomic_store_explicit(&work->done, true, memory_order_release);
}

static void *worker_run(void *arg)
{
	struct worker *w = arg;
	struct work *work;

	for (;;) {
		while (sem_wait(&w->given) < 0)
			; /* a debugger's signal */
		work = w->ring[w->next_out++ % RING_PLACES];
		if (!work)
			return NULL;
		work_do(work);
		if (!atomic_exchange(&w->all->silent, true))
			w->all->told(w->all->arg);
	}
}

static void worker_give(struct worker *w, struct work *work)
{
	w->ring[w->next_in++ % RING_PLACES] = work;
	sem_post(&w->given); /* also makes the ring's entry visible */
}

void workers_give(struct workers *w, struct work *work)
{
	worker_give(&w->each[w->turn], work);
	w->turn = (w->turn + 1) % w->count;
}

/* An exchange, not a store: a store could become visible only after the looks
 * that follow. A thread that did not tell, since `silent` was set, has its work
 * seen as done by these looks. */
void workers_heard(struct workers *w)
{
	atomic_exchange(&w->silent, false);
}

/* Signals are the loop's. 0 or an errno. */
static int worker_start(struct worker *w)
{
	pthread_attr_t attributes;
	sigset_t all, former;
	int err = pthread_attr_init(&attributes);

	if (err)
		return err;
	sem_init(&w->given, 0, 0);
	pthread_attr_setstacksize(&attributes, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	err = pthread_create(&w->thread, &attributes, worker_run, w);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	pthread_attr_destroy(&attributes);
	return err;
}

struct workers *workers_new(unsigned threads, void (*told)(void *arg),
			    void *arg)
{
	struct workers *w = calloc(1, sizeof *w + threads * sizeof *w->each);
	int err = 0;

	if (!w)
		return NULL;
	w->told = told;
	w->arg = arg;
	while (!err && w->count < threads) {
		struct worker *next = &w->each[w->count];

		next->all = w;
		err = worker_start(next);
		w->count += !err;
	}
	if (!err)
		return w;
	workers_free(w);
	errno = err;
	return NULL;
}

void workers_free(struct workers *w)
{
	if (!w)
		return;
	for (unsigned i = 0; i < w->count; i++)
		worker_give(&w->each[i], NULL);
	for (unsigned i = 0; i < w->count; i++) {
		pthread_join(w->each[i].thread, NULL);
		sem_destroy(&w->each[i].given);
	}
	free(w);
}
