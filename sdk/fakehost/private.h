/* SPDX-License-Identifier: MIT */
/* private.h - what the files of the fake host share. */
#ifndef WEIR_FAKEHOST_PRIVATE_H
#define WEIR_FAKEHOST_PRIVATE_H

#include <stdatomic.h>

#include <weir/fakehost.h>

struct weir_timer {
	struct weir_instance *instance;
	void (*fire)(void *arg);
	void *arg;
	uint64_t due_us;
	bool set;
	struct weir_timer *next;
};

struct weir_watch {
	struct weir_instance *instance;
	int fd;
	unsigned events;
	void (*ready)(void *arg, unsigned events);
	void *arg;
	bool dead; /* freed while watches are walked */
	struct weir_watch *next;
};

struct script { /* of a name */
	char name[256];
	int err, count;
	struct weir_addr addrs[8];
	struct script *next;
};

struct weir_query {
	struct weir_instance *instance;
	char name[256];
	unsigned families;
	void (*done)(void *arg, int err, const struct weir_addr *, int n);
	void *arg;
	struct weir_query *next;
};

struct offer {
	char name[64];
	unsigned major;
	const void *ops;
	void *self;
	struct offer *next;
};

struct counter {
	char name[64];
	uint64_t value;
	struct counter *next;
};

struct posted {
	struct weir_instance *instance;
	void (*fn)(void *arg);
	void *arg;
	struct posted *next;
};

struct weir_instance {
	struct fakehost *fake;
	const struct weir_component *component;
	char tag[64], lost[120];
	void *self;
	bool stopping;
	bool stopped; /* its handles stay until destroy, but call nobody */
	struct counter *counters;
	struct weir_instance *next;
};

struct fakehost {
	uint64_t now_us;
	struct weir_instance *instances;
	struct weir_timer *timers;
	struct weir_watch *watches;
	struct weir_query *queries;
	struct script *scripts;
	struct offer *offers;
	struct weir_task *tasks, **tasks_end;
	_Atomic(struct posted *) posts;
	struct weir_end *ends, **ends_end;
	struct weir_dial *dials, **dials_end;
	bool refuse, let_dial;
	uint32_t via_mtu;
	char *log;
	size_t log_len;
};

/* The one of this thread. */
extern _Thread_local struct fakehost *fakehost_current;
extern const struct weir_host fakehost_host;

/* The plugin broke its promise: say which and abort. */
__attribute__((noreturn)) void fakehost_broken(const char *promise);
void *fakehost_alloc(size_t size);
/* Copy an address; a name goes to `name` (256 bytes). */
void fakehost_copy_addr(struct weir_addr *to, char *name,
			const struct weir_addr *from);

/* time.c */
void fakehost_log_line(struct weir_instance *, enum weir_level, const char *fmt,
		       ...) WEIR_PRINTF(3, 4);
bool fakehost_log_on(struct weir_instance *, enum weir_level);
uint64_t fakehost_now_us(void);
struct weir_timer *fakehost_timer_new(struct weir_instance *,
				      void (*fire)(void *), void *arg);
void fakehost_timer_set(struct weir_timer *, uint64_t after_us);
void fakehost_timer_stop(struct weir_timer *);
void fakehost_timer_free(struct weir_timer *);
struct weir_watch *fakehost_watch_new(struct weir_instance *, int fd,
				      unsigned events,
				      void (*ready)(void *, unsigned),
				      void *arg);
void fakehost_watch_free(struct weir_watch *);
void fakehost_defer(struct weir_instance *, struct weir_task *);
void fakehost_post(struct weir_instance *, void (*fn)(void *), void *arg);
struct weir_query *
fakehost_resolve(struct weir_instance *, const char *name, unsigned families,
		 void (*done)(void *, int, const struct weir_addr *, int),
		 void *arg);
void fakehost_resolve_cancel(struct weir_query *);
void fakehost_answer_names(struct fakehost *);
void fakehost_sweep(struct weir_instance *); /* timers, watches, queries */

/* ends.c */
struct weir_end *fakehost_accept_stream(struct weir_instance *,
					const struct weir_session_info *,
					const struct weir_stream_ops *,
					void *s);
struct weir_end *fakehost_accept_flow(struct weir_instance *,
				      const struct weir_session_info *,
				      const struct weir_flow_ops *, void *f);
void fakehost_stream_ready(struct weir_end *, const struct weir_stream_ops *,
			   void *s);
void fakehost_flow_ready(struct weir_end *, const struct weir_flow_ops *,
			 void *f);
void fakehost_notify(struct weir_end *, unsigned events);
void fakehost_deliver(struct weir_end *, const struct weir_datagram *, int n);
void fakehost_unreachable(struct weir_end *, const struct weir_addr *, int);
void fakehost_fail(struct weir_end *, int err, const char *why);
const struct weir_policy *fakehost_policy(struct weir_end *);
const struct weir_session_info *fakehost_info(struct weir_end *);

/* dial.c */
struct weir_dial *fakehost_dial(struct weir_instance *, const char *tag,
				const struct weir_addr *, enum weir_net,
				const struct weir_dialer_ops *, void *arg);
void fakehost_hang_up(struct weir_dial *, int err);
uint32_t fakehost_tell_via_mtu(struct weir_instance *);

#endif
