/* SPDX-License-Identifier: GPL-2.0-or-later */
/* realhost_table.h - the handles of realhost, shared by its two files. */
#ifndef WEIR_REALHOST_TABLE_H
#define WEIR_REALHOST_TABLE_H

#include <stdlib.h>

#include "realhost.h"

#define COUNTERS_MAX 32

struct weir_timer {
	struct weir_timer *next;
	struct weir_instance *host;
	void (*fire)(void *);
	void *arg;
	uint64_t due_us; /* 0: not set */
};

struct weir_watch {
	struct weir_watch *next; /* in the dead list */
	struct weir_instance *host;
	int fd;
	bool dead;
	void (*ready)(void *, unsigned);
	void *arg;
};

struct weir_query {
	struct weir_query *next;
	struct weir_instance *host;
	void (*done)(void *, int, const struct weir_addr *, int);
	void *arg;
	const struct real_name *answer[2];
	uint64_t due_us;
};

struct weir_dial {
	struct weir_end *end;
	struct weir_instance *host;
	const struct weir_dialer_ops *ops;
	void *arg, *pending;
	struct weir_addr target;
	enum weir_net net;
	bool opened, answered;
	struct weir_dial *next;
};

struct weir_instance {
	const struct weir_component *component;
	void *self;
	const struct real_name *names;
	int epoll, fds;
	unsigned watches, lookups;
	struct weir_timer *timers;
	struct weir_watch *dead;
	struct weir_query *queries;
	struct weir_dial *dials;
	struct weir_task *tasks;
	struct {
		const char *name;
		uint64_t value;
	} counter[COUNTERS_MAX];
	int refuse_domain, refuse_type, refuse_err;
	struct weir_instance *via;
	void *pending; /* of the last open */
	bool stopped;
};

static inline void must(bool so)
{
	if (!so)
		abort();
}

extern const struct weir_host real_host;

/* The instance's time, pushed forward or not. */
uint64_t real_us(void);

#endif
