/* SPDX-License-Identifier: GPL-2.0-or-later */
/* instance.h - a configured component: its life, and what it holds.
 *
 * The core owns instances from instance_new to instance_free. Timers, watches,
 * queries and dials a component left behind are swept when it has stopped, and
 * also after a failed create. */
#ifndef WEIR_CORE_INSTANCE_H
#define WEIR_CORE_INSTANCE_H

#include "core.h"

enum instance_state {
	INSTANCE_NEW,
	INSTANCE_CREATED,
	INSTANCE_STARTED,
	INSTANCE_STOPPING,
	INSTANCE_STOPPED,
	INSTANCE_DESTROYED,
};

struct instance_counter {
	struct instance_counter *next;
	const char *name;
	uint64_t value;
};

struct weir_instance {
	struct core *core;
	const struct config_component *conf;
	const struct weir_component *component;
	const char *tag;
	enum weir_level log_level;
	enum instance_state state;
	bool lost;
	void *self;
	struct loop_owner owner;
	struct weir_query *queries;
	struct weir_dial *dials;
	struct instance_counter *counters;
	uint64_t up_bytes, down_bytes, sessions; /* of sessions through it,
						  * open ones too */
};

struct weir_instance *instance_new(struct core *,
				   const struct config_component *);
bool instance_create(struct weir_instance *, struct weir_error *);
bool instance_start(struct weir_instance *, struct weir_error *);
void instance_stop(struct weir_instance *);    /* ends by stopped() */
void instance_stopped(struct weir_instance *); /* the component's word */
void instance_destroy(struct weir_instance *); /* sweeps as well */
void instance_free(struct weir_instance *);    /* after all are destroyed */

uint64_t *instance_counter(struct weir_instance *, const char *name);
struct weir_instance *instance_find(struct core *, enum weir_kind,
				    const char *tag);
const void *instance_service(struct weir_instance *, const char *name,
			     unsigned major, void **self);
static inline void instance_carried(struct weir_instance *i, uint64_t up_bytes,
				    uint64_t down_bytes)
{
	i->up_bytes += up_bytes;
	i->down_bytes += down_bytes;
}

const struct weir_outbound_ops *instance_outbound(const struct weir_instance *);
/* Whether the end that it hands over has what its use takes; if not its plugin
 * is to blame, and the log says so. */
bool instance_stream_whole(const struct weir_instance *,
			   const struct weir_stream_ops *);
bool instance_flow_whole(const struct weir_instance *,
			 const struct weir_flow_ops *);

#endif
