/* SPDX-License-Identifier: GPL-2.0-or-later */
/* loop.h - time, fds and signals. The sole face of libevent.
 *
 * One loop a process, one thread a loop; only loop_post may be called from
 * another thread. A turn: events, then `after_turn`. Timers and watches
 * belong to an owner, which can sweep whatever was left behind. */
#ifndef WEIR_CORE_LOOP_H
#define WEIR_CORE_LOOP_H

#include <stdint.h>

struct loop;
struct loop_timer;
struct loop_watch;
struct loop_signal;

struct loop_owner {
	struct loop *loop;
	struct loop_watch *watches;
	struct loop_timer *timers;
};

/* NULL with errno where fds or memory are out. */
struct loop *loop_new(void (*after_turn)(void *arg), void *arg);
void loop_run(struct loop *); /* until loop_stop */
void loop_stop(struct loop *);
void loop_free(struct loop *); /* after every owner was swept */
uint64_t loop_now_us(void);    /* monotonic, fresh */

void loop_owner_init(struct loop_owner *, struct loop *);
void loop_owner_hush(struct loop_owner *);  /* they stay, and call nobody */
void loop_owner_sweep(struct loop_owner *); /* frees all it still owns */

/* One-shot; the callback may free its timer. Never NULL. */
struct loop_timer *loop_timer_new(struct loop_owner *, void (*fire)(void *),
				  void *arg);
void loop_timer_set(struct loop_timer *, uint64_t after_us);
void loop_timer_stop(struct loop_timer *);
void loop_timer_free(struct loop_timer *); /* NULL is fine */

/* WEIR_READABLE | WEIR_WRITABLE | WEIR_LEVEL_TRIGGERED of <weir/host.h>, which
 * says what is told; NULL with errno where the kernel refuses the fd. */
struct loop_watch *loop_watch_new(struct loop_owner *, int fd, unsigned events,
				  void (*ready)(void *, unsigned), void *arg);
void loop_watch_free(struct loop_watch *); /* NULL is fine */

/* NULL where it cannot be heard. */
struct loop_signal *loop_signal_new(struct loop *, int signo,
				    void (*fire)(void *), void *arg);
void loop_signal_free(struct loop_signal *); /* NULL is fine */

void loop_run_posts(struct loop *); /* now: what was posted so far */
void loop_again(struct loop *);	    /* the next turn does not wait */
void loop_post(struct loop *, void (*fn)(void *), void *arg); /* any thread */

#endif
