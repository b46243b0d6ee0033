/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Instances.
 *
 * Theory of operation: a component's create() must have no side effects, so a
 * configuration is tried by creating everything before starting anything.
 * stop() may take its time; the component ends it with stopped(). From then on
 * its timers, watches, queries and dials call nobody: it may have freed what
 * they would be called with, though others take longer to stop. The handles
 * stay, for destroy() may free them. Its queued tasks have one more turn,
 * destroy() runs, and what it still left behind is swept. */
#include "instance.h"

#include <errno.h>
#include <stdio.h>

#include "dial.h"
#include "host.h"
#include "log.h"
#include "relay.h"
#include "util.h"

#define SERVICE_BYTES 64 /* "netstack/1" */

struct weir_instance *instance_new(struct core *core,
				   const struct config_component *conf)
{
	struct weir_instance *i = xcalloc(1, sizeof *i);

	i->core = core;
	i->conf = conf;
	i->component = conf->component;
	i->tag = conf->tag;
	i->log_level = log_level_of(conf->tag);
	loop_owner_init(&i->owner, core->loop);
	return i;
}

static void sweep(struct weir_instance *i)
{
	while (i->dials)
		dial_hang_up(i->dials, ECANCELED);
	while (i->queries)
		resolver_cancel(i->queries);
	loop_owner_sweep(&i->owner);
}

bool instance_create(struct weir_instance *i, struct weir_error *e)
{
	weir_error(e, NULL, "could not be created");
	i->self = i->component->create(i, &host_table, i->conf->conf, e);
	if (!i->self) {
		sweep(i);
		return false;
	}
	i->state = INSTANCE_CREATED;
	return true;
}

bool instance_start(struct weir_instance *i, struct weir_error *e)
{
	weir_error(e, NULL, "could not be started");
	if (i->component->start && !i->component->start(i->self, e))
		return false;
	i->state = INSTANCE_STARTED;
	return true;
}

void instance_stopped(struct weir_instance *i)
{
	if (i->state != INSTANCE_STOPPING)
		return;
	i->state = INSTANCE_STOPPED;
	loop_owner_hush(&i->owner);
	resolver_hush(i->queries);
	dial_hush(i);
	loop_again(i->core->loop);
}

void instance_stop(struct weir_instance *i)
{
	if (i->state != INSTANCE_STARTED)
		return;
	i->state = INSTANCE_STOPPING;
	if (i->component->kind == WEIR_OUTBOUND)
		dial_cut(i);
	if (i->component->stop)
		i->component->stop(i->self);
	else
		instance_stopped(i);
}

void instance_destroy(struct weir_instance *i)
{
	if (i->state >= INSTANCE_CREATED && i->component->destroy)
		i->component->destroy(i->self);
	i->state = INSTANCE_DESTROYED;
	sweep(i);
}

void instance_free(struct weir_instance *i)
{
	while (i->counters) {
		struct instance_counter *c = i->counters;

		i->counters = c->next;
		free(c);
	}
	free(i);
}

uint64_t *instance_counter(struct weir_instance *i, const char *name)
{
	struct instance_counter **at = &i->counters;

	for (; *at; at = &(*at)->next)
		if (strcmp((*at)->name, name) == 0)
			return &(*at)->value;
	*at = xcalloc(1, sizeof **at);
	(*at)->name = name;
	return &(*at)->value;
}

struct weir_instance *instance_find(struct core *core, enum weir_kind kind,
				    const char *tag)
{
	for (size_t n = 0; n < core->instance_count; n++) {
		struct weir_instance *i = core->instances[n];

		if (i->component->kind == kind && strcmp(i->tag, tag) == 0)
			return i;
	}
	return NULL;
}

/* A plugin gets only the services that its note names: a packager could not
 * know of any other dependency. */
static bool is_needed(const struct weir_plugin *plugin, const char *want)
{
	char list[sizeof((struct weir_identity *)0)->needs];
	char *word, *rest = list;

	snprintf(list, sizeof list, "%s", plugin->needs ? plugin->needs : "");
	while ((word = strsep(&rest, " ")))
		if (strcmp(word, want) == 0)
			return true;
	return false;
}

/* A service's type may end in its major; without one it is major 1. */
static bool offers(const struct weir_instance *s, const char *want,
		   const char *name, unsigned major)
{
	const char *type = s->component->type;

	return s->component->kind == WEIR_SERVICE &&
	       s->state >= INSTANCE_CREATED &&
	       (strcmp(type, want) == 0 ||
		(major == 1 && strcmp(type, name) == 0));
}

const void *instance_service(struct weir_instance *i, const char *name,
			     unsigned major, void **self)
{
	struct core *core = i->core;
	char want[SERVICE_BYTES];

	snprintf(want, sizeof want, "%s/%u", name, major);
	if (!is_needed(i->conf->plugin, want))
		return NULL;
	for (size_t n = 0; n < core->instance_count; n++) {
		struct weir_instance *s = core->instances[n];

		if (!offers(s, want, name, major))
			continue;
		*self = s->self;
		return s->component->ops;
	}
	return NULL;
}

const struct weir_outbound_ops *instance_outbound(const struct weir_instance *i)
{
	return i->component->ops;
}

static bool is_whole(const struct weir_instance *i, bool whole,
		     const char *what)
{
	if (!whole)
		log_line(WEIR_ERROR, i->tag,
			 "plugin %s made a %s that lacks functions it needs",
			 i->conf->plugin->name, what);
	return whole;
}

bool instance_stream_whole(const struct weir_instance *i,
			   const struct weir_stream_ops *ops)
{
	return is_whole(i, relay_can(ops), "stream");
}

bool instance_flow_whole(const struct weir_instance *i,
			 const struct weir_flow_ops *ops)
{
	return is_whole(i, ops->send && ops->close, "flow");
}
