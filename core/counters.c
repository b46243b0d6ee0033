/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Counters to the log, and what components have to say beside them. */
#include "counters.h"

#include "instance.h"
#include "log.h"

static void put(const char *tag, const char *name, uint64_t value)
{
	log_line(WEIR_INFO, "weir", "counter %s %s %llu", tag, name,
		 (unsigned long long)value);
}

static void put_instance(const struct weir_instance *i)
{
	put(i->tag, "sessions", i->sessions);
	put(i->tag, "up_bytes", i->up_bytes);
	put(i->tag, "down_bytes", i->down_bytes);
	for (const struct instance_counter *c = i->counters; c; c = c->next)
		put(i->tag, c->name, c->value);
	if (i->state == INSTANCE_STARTED && WEIR_HAS(i->component, report) &&
	    i->component->report)
		i->component->report(i->self);
}

void counters_log(const struct core *core)
{
	put("core", "sessions_open", core->session_count);
	put("core", "sessions_refused_full", core->refused_full);
	put("core", "sessions_refused_share", core->refused_share);
	put("core", "flows_evicted", core->flows_evicted);
	for (size_t n = 0; n < core->instance_count; n++)
		put_instance(core->instances[n]);
}
