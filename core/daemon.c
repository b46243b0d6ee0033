/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The daemon.
 *
 * Theory of operation: services, outbounds and inbounds stand in one list in
 * the order in which they start; they stop from its end, one after the other,
 * each by its own word (or after STOP_MS without one). A stop has phases that
 * after_turn walks through, never a plugin's call: draining, while streams come
 * to their end; then every session is closed; then instances stop; then the
 * loop ends. */
#include "daemon.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>

#include "counters.h"
#include "flow.h"
#include "instance.h"
#include "log.h"
#include "notify.h"
#include "session.h"
#include "sockets.h"
#include "util.h"

#define DRAIN_MS 2000
#define STOP_MS 5000 /* for one instance to say that it has stopped */
#define FDS_LEAST 64 /* weir itself takes a dozen */
#define FDS_FEW 512  /* fewer are soon too few: a warning */

enum phase { SERVING, DRAINING, ENDING, STOPPING };

struct daemon {
	struct core core;
	enum phase phase;
	int status;
	struct loop_timer *timer;
	struct loop_signal *signals[4];
};

static struct daemon *daemon_of(struct core *core)
{
	return container_of(core, struct daemon, core);
}

/* The last instance that has not stopped; all after it have. */
static struct weir_instance *last_running(struct core *core)
{
	for (size_t n = core->instance_count; n-- > 0;) {
		struct weir_instance *i = core->instances[n];

		if (i->state == INSTANCE_STARTED ||
		    i->state == INSTANCE_STOPPING)
			return i;
	}
	return NULL;
}

static void stop_next(struct daemon *d)
{
	struct weir_instance *i;

	while ((i = last_running(&d->core)) && i->state == INSTANCE_STARTED) {
		loop_timer_set(d->timer, STOP_MS * UINT64_C(1000));
		instance_stop(i);
	}
	if (!i)
		loop_stop(d->core.loop);
}

static void begin_stop(struct daemon *d)
{
	d->phase = STOPPING;
	d->core.draining = true;
	session_end_all(&d->core);
	flow_end_all(&d->core);
}

static void after_turn(void *arg)
{
	struct daemon *d = arg;

	if (turn_run(&d->core.turn))
		loop_again(d->core.loop);
	if (d->phase == ENDING || (d->phase == DRAINING && !d->core.sessions))
		begin_stop(d);
	if (d->phase == STOPPING)
		stop_next(d);
}

static void timer_fired(void *arg)
{
	struct daemon *d = arg;
	struct weir_instance *i;

	if (d->phase == DRAINING) {
		d->phase = ENDING;
	} else if (d->phase == STOPPING && (i = last_running(&d->core))) {
		log_line(WEIR_ERROR, i->tag, "did not stop in %d ms", STOP_MS);
		instance_stopped(i);
	}
}

/* The caller may be a plugin in the middle of an end's call, so this only sets
 * the phase; after_turn acts on it. */
void daemon_end(struct daemon *d, int status)
{
	if (d->phase >= ENDING)
		return;
	if (d->phase == SERVING) {
		d->status = status;
		notify_manager("STOPPING=1");
	}
	d->phase = ENDING;
	d->core.draining = true;
	loop_again(d->core.loop);
}

void daemon_quit(struct daemon *d, int status)
{
	if (d->phase != SERVING) {
		daemon_end(d, status);
		return;
	}
	d->status = status;
	d->phase = DRAINING;
	d->core.draining = true;
	notify_manager("STOPPING=1");
	log_line(WEIR_INFO, "weir", "stopping, %llu sessions open",
		 (unsigned long long)d->core.session_count);
	loop_timer_set(d->timer, DRAIN_MS * UINT64_C(1000));
	loop_again(d->core.loop);
}

static void on_terminate(void *arg)
{
	daemon_quit(arg, 0);
}

static void on_usr1(void *arg)
{
	struct daemon *d = arg;

	counters_log(&d->core);
}

/* Weir goes on as long as one inbound serves. */
static void on_lost(struct core *core)
{
	for (size_t n = 0; n < core->instance_count; n++) {
		struct weir_instance *i = core->instances[n];

		if (i->component->kind == WEIR_SERVICE && i->lost)
			break;
		if (i->component->kind == WEIR_INBOUND && !i->lost)
			return;
	}
	daemon_end(daemon_of(core), EXIT_FAILURE);
}

/* Every connection is an fd. */
static uint64_t raise_fd_limit(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0)
		return 0;
	limit.rlim_cur = limit.rlim_max;
	setrlimit(RLIMIT_NOFILE, &limit);
	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 ||
	    limit.rlim_cur == RLIM_INFINITY)
		return 0;
	return limit.rlim_cur;
}

static bool fds_suffice(uint64_t limit, struct weir_error *e)
{
	if (limit && limit < FDS_LEAST)
		return weir_error(e, NULL,
				  "%llu file descriptors (RLIMIT_NOFILE) are "
				  "too few; the least is %d",
				  (unsigned long long)limit, FDS_LEAST);
	if (limit && limit < FDS_FEW)
		log_line(WEIR_WARN, "weir",
			 "only %llu file descriptors (RLIMIT_NOFILE): each "
			 "session takes one",
			 (unsigned long long)limit);
	return true;
}

static void add_all(struct core *core, const struct weir_list *list)
{
	const struct config_component *items = list->items;

	for (size_t i = 0; i < list->count; i++)
		core->instances[core->instance_count++] =
			instance_new(core, &items[i]);
}

static void core_init(struct core *core, struct config *c, struct registry *r)
{
	size_t count =
		c->services.count + c->outbounds.count + c->inbounds.count;

	core->config = c;
	core->registry = r;
	core->lost = on_lost;
	turn_init(&core->turn);
	loop_owner_init(&core->owner, core->loop);
	core->instances = xcalloc(count ? count : 1, sizeof *core->instances);
	add_all(core, &c->services);
	add_all(core, &c->outbounds);
	add_all(core, &c->inbounds);
}

static bool is_ignored(int signo)
{
	struct sigaction now;

	return sigaction(signo, NULL, &now) == 0 && now.sa_handler == SIG_IGN;
}

/* A terminal that goes away takes weir with it in order, unless whoever
 * started weir has had that ignored, as nohup(1) does. */
static bool signals_take(struct daemon *d)
{
	struct loop *l = d->core.loop;
	bool all_heard;

	d->signals[0] = loop_signal_new(l, SIGTERM, on_terminate, d);
	d->signals[1] = loop_signal_new(l, SIGINT, on_terminate, d);
	d->signals[2] = loop_signal_new(l, SIGUSR1, on_usr1, d);
	all_heard = d->signals[0] && d->signals[1] && d->signals[2];
	if (is_ignored(SIGHUP))
		return all_heard;
	d->signals[3] = loop_signal_new(l, SIGHUP, on_terminate, d);
	return all_heard && d->signals[3];
}

struct daemon *daemon_new(struct config *c, struct registry *r,
			  struct weir_error *e)
{
	uint64_t fd_limit = raise_fd_limit();
	struct daemon *d;

	log_configure(c->log_level, &c->log_tags);
	if (!fds_suffice(fd_limit, e))
		return NULL;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN); /* a log that may not grow drops lines */
	d = xcalloc(1, sizeof *d);
	d->core.fd_limit = fd_limit;
	d->core.loop = loop_new(after_turn, d);
	if (!d->core.loop) {
		weir_error(e, NULL, "cannot make an event loop: %s",
			   strerror(errno));
		free(d);
		return NULL;
	}
	core_init(&d->core, c, r);
	d->timer = loop_timer_new(&d->core.owner, timer_fired, d);
	if (signals_take(d))
		return d;
	weir_error(e, NULL, "cannot hear signals: out of memory");
	daemon_free(d);
	return NULL;
}

static bool at_fault(const struct weir_instance *i, struct weir_error *e)
{
	struct weir_error cause = *e;

	return weir_error(e, cause.option, "%s:%u:%u: %s%s%s: %.120s",
			  i->core->config->file, i->conf->mark.line,
			  i->conf->mark.column, i->tag, cause.option ? "." : "",
			  cause.option ? cause.option : "", cause.text);
}

static bool bring_up(struct core *core,
		     bool (*step)(struct weir_instance *, struct weir_error *),
		     struct weir_error *e)
{
	for (size_t n = 0; n < core->instance_count; n++)
		if (!step(core->instances[n], e))
			return at_fault(core->instances[n], e);
	return true;
}

bool daemon_start(struct daemon *d, struct weir_error *e)
{
	struct core *core = &d->core;

	if (!sockets_try(core->config, e))
		return false;
	core->resolver = resolver_new(core->config, core->loop, &core->turn, e);
	if (!core->resolver)
		return false;
	if (bring_up(core, instance_create, e) &&
	    bring_up(core, instance_start, e)) {
		loop_again(core->loop);
		return true;
	}
	begin_stop(d);
	loop_again(core->loop);
	loop_run(core->loop);
	return false;
}

int daemon_run(struct daemon *d)
{
	notify_manager("READY=1");
	log_line(WEIR_INFO, "weir", "ready");
	loop_run(d->core.loop);
	return d->status;
}

struct loop *daemon_loop(struct daemon *d)
{
	return d->core.loop;
}

void daemon_free(struct daemon *d)
{
	struct core *core;

	if (!d)
		return;
	core = &d->core;
	turn_run(&core->turn); /* the last of what plugins deferred */
	/* Instances hold handles to each other, and anything may be posted to
	 * any of them: destroy all before the first is freed. */
	for (size_t n = core->instance_count; n-- > 0;)
		instance_destroy(core->instances[n]);
	loop_run_posts(core->loop);
	while (core->instance_count)
		instance_free(core->instances[--core->instance_count]);
	free(core->instances);
	resolver_free(core->resolver);
	for (size_t i = 0; i < sizeof d->signals / sizeof d->signals[0]; i++)
		loop_signal_free(d->signals[i]);
	loop_owner_sweep(&core->owner);
	loop_free(core->loop);
	free(d);
}
