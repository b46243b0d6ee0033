/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The fake core's configuration, components and loop. */
#include "fake.h"

#include "core/addr.h"
#include "core/util.h"
#include "tests/suite.h"

/* Of a dial: to open, to be ready, to be told, to be read to its end. */
#define WAIT_TURNS 12

static void note(struct fake_part *p, const char *what)
{
	char *to = p->fake->order;
	size_t used = strlen(to);

	snprintf(to + used, sizeof p->fake->order - used, "%s %s;", what,
		 p->conf.tag);
}

static void *part_create(struct weir_instance *i, const struct weir_host *host,
			 const void *conf, struct weir_error *e)
{
	struct fake_part *p = (struct fake_part *)(uintptr_t)conf;

	note(p, "create");
	p->instance = i;
	p->host = host;
	if (p->on_create)
		p->on_create(p);
	if (!p->fail_create)
		return p;
	weir_error(e, "mtu", "no such thing");
	return NULL;
}

static bool part_start(void *self, struct weir_error *e)
{
	struct fake_part *p = self;

	note(p, "start");
	if (p->on_start)
		p->on_start(p);
	return !p->fail_start || weir_error(e, NULL, "device is busy");
}

static void say_stopped(void *arg)
{
	struct fake_part *p = arg;

	note(p, "stopped");
	p->host->stopped(p->instance);
}

static void part_stop(void *self)
{
	struct fake_part *p = self;

	note(p, "stop");
	if (p->on_stop)
		p->on_stop(p);
	if (p->slow_for_ever)
		return;
	if (p->slow_stop)
		p->host->timer_set(
			p->host->timer_new(p->instance, say_stopped, p), 20000);
	else
		p->host->stopped(p->instance);
}

static void part_destroy(void *self)
{
	struct fake_part *p = self;

	note(p, "destroy");
	if (p->on_destroy)
		p->on_destroy(p);
}

static void *part_open(void *self, struct weir_end *end,
		       const struct weir_addr *target, enum weir_net net)
{
	struct fake_part *p = self;
	struct fake_open *o = xcalloc(1, sizeof *o);

	ck_assert_int_lt(p->open_count, FAKE_OPENS);
	p->opens[p->open_count++] = o;
	o->part = p;
	o->end = end;
	o->target = *target;
	o->net = net;
	fake_end_init(&o->stream, FAKE_PEEK | FAKE_WRITE);
	fake_flow_init(&o->flow);
	o->stream.ops.accept = NULL;
	o->flow.ops.unreachable = NULL;
	o->stream.host = o->flow.host = p->host;
	if (p->answer == FAKE_READY)
		fake_open_ready(o);
	else if (p->answer == FAKE_REFUSE)
		fake_open_fail(o, p->refuse_errno, "refused");
	return o;
}

static void part_abandon(void *self, void *pending)
{
	struct fake_open *o = pending;

	ck_assert_ptr_eq(o->part, self);
	ck_assert_ptr_nonnull(o->end);
	o->abandons++;
	o->end = NULL;
}

static const struct weir_outbound_ops outbound_ops = {
	.size = sizeof outbound_ops,
	.open = part_open,
	.abandon = part_abandon,
	.nets = WEIR_NET_TCP | WEIR_NET_UDP | WEIR_NET_ICMP,
	.via = true,
};

static void list_of(struct weir_list *list, void *items)
{
	list->items = items;
}

struct fake *fake_new(void)
{
	struct fake *f = xcalloc(1, sizeof *f);
	struct config *c = &f->config;

	c->file = "test.yaml";
	c->log_level = WEIR_ERROR;
	c->max_sessions = 1000;
	c->dns_cache_entries = 16;
	list_of(&c->inbounds, f->inbounds);
	list_of(&c->outbounds, f->outbounds);
	list_of(&c->services, f->services);
	list_of(&c->levels, f->levels);
	c->levels.count = 1;
	f->levels[0].policy = (struct weir_policy){
		.size = sizeof(struct weir_policy),
		.handshake_ms = 60000,
		.idle_ms = 60000,
		.uplink_only_ms = 60000,
		.downlink_only_ms = 60000,
		.buffer_bytes = 4096,
	};
	f->plugin.name = "fake";
	return f;
}

struct fake_part *fake_add(struct fake *f, enum weir_kind kind, const char *tag)
{
	struct fake_part *p = &f->parts[f->part_count++];
	struct weir_list *list = kind == WEIR_INBOUND	? &f->config.inbounds
				 : kind == WEIR_SERVICE ? &f->config.services
							: &f->config.outbounds;

	ck_assert_int_le(f->part_count, FAKE_PARTS);
	p->fake = f;
	p->component = (struct weir_component){
		.size = sizeof p->component,
		.kind = kind,
		.type = tag,
		.ops = kind == WEIR_OUTBOUND ? &outbound_ops : NULL,
		.create = part_create,
		.start = part_start,
		.stop = part_stop,
		.destroy = part_destroy,
	};
	p->conf = (struct config_component){
		.tag = tag,
		.component = &p->component,
		.plugin = &f->plugin,
		.conf = p,
		.mark = {(unsigned)f->part_count, 5},
	};
	((struct config_component *)list->items)[list->count++] = p->conf;
	if (kind == WEIR_OUTBOUND && !f->config.default_outbound)
		f->config.default_outbound = tag;
	return p;
}

struct fake_part *fake_part(struct fake *f, const char *tag)
{
	for (int i = 0; i < f->part_count; i++)
		if (strcmp(f->parts[i].conf.tag, tag) == 0)
			return &f->parts[i];
	ck_abort_msg("no part %s", tag);
	return NULL;
}

bool fake_try(struct fake *f, struct weir_error *e)
{
	f->daemon = daemon_new(&f->config, NULL, e);
	if (!f->daemon)
		return false;
	loop_owner_init(&f->owner, daemon_loop(f->daemon));
	return daemon_start(f->daemon, e);
}

void fake_start(struct fake *f)
{
	struct weir_error e;
	bool started = fake_try(f, &e);

	ck_assert_msg(started, "%s", e.text);
}

static void wait_over(void *arg)
{
	loop_stop(arg);
}

static void run_for(struct fake *f, uint64_t us)
{
	struct loop *l = daemon_loop(f->daemon);
	struct loop_timer *t = loop_timer_new(&f->owner, wait_over, l);

	loop_timer_set(t, us);
	loop_run(l);
	loop_timer_free(t);
}

/* Where this process is held up, the time may have but one turn. */
void fake_wait(struct fake *f, unsigned ms)
{
	run_for(f, ms * UINT64_C(1000));
	for (int turn = 0; turn < WAIT_TURNS; turn++)
		fake_turn(f);
}

void fake_turn(struct fake *f)
{
	run_for(f, 0);
}

int fake_stop(struct fake *f)
{
	int status;

	daemon_end(f->daemon, 0);
	status = daemon_run(f->daemon);
	loop_owner_sweep(&f->owner);
	daemon_free(f->daemon);
	for (int i = 0; i < f->part_count; i++)
		for (int n = 0; n < f->parts[i].open_count; n++)
			free(f->parts[i].opens[n]);
	free(f);
	return status;
}

struct fake *fake_pair(void)
{
	struct fake *f = fake_new();

	fake_add(f, WEIR_INBOUND, "in");
	fake_add(f, WEIR_OUTBOUND, "out");
	return f;
}

struct core *fake_core(struct fake *f)
{
	return f->parts[0].instance->core;
}

struct weir_addr fake_addr(const char *text)
{
	struct weir_addr a;

	ck_assert_msg(addr_parse(text, &a, NULL), "%s", text);
	return a;
}

static struct weir_session_info info_of(enum weir_net net, const char *target)
{
	return (struct weir_session_info){
		.size = sizeof(struct weir_session_info),
		.net = net,
		.source = fake_addr("198.18.0.2:40000"),
		.target = fake_addr(target),
	};
}

struct weir_end *fake_accept(struct fake_part *p, struct fake_end *e,
			     const char *target)
{
	struct weir_session_info info = info_of(WEIR_NET_TCP, target);

	info.level = e->level;
	e->host = p->host;
	e->calling = true;
	e->handle = p->host->accept_stream(p->instance, &info, &e->ops, e);
	e->calling = false;
	return e->handle;
}

struct weir_end *fake_accept_flow(struct fake_part *p, struct fake_flow *f,
				  const char *target)
{
	struct weir_session_info info = info_of(WEIR_NET_UDP, target);

	info.exchange_ms = f->exchange_ms;
	info.level = f->level;
	f->host = p->host;
	f->calling = true;
	f->handle = p->host->accept_flow(p->instance, &info, &f->ops, f);
	f->calling = false;
	return f->handle;
}

struct fake_open *fake_opened(struct fake_part *p, int n)
{
	ck_assert_int_gt(p->open_count, n);
	return p->opens[n];
}

void fake_open_ready(struct fake_open *o)
{
	const struct weir_host *host = o->part->host;

	if (o->net == WEIR_NET_TCP) {
		o->stream.handle = o->end;
		o->stream.calling = true;
		host->stream_ready(o->end, &o->stream.ops, &o->stream);
		o->stream.calling = false;
	} else {
		o->flow.handle = o->end;
		o->flow.calling = true;
		host->flow_ready(o->end, &o->flow.ops, &o->flow);
		o->flow.calling = false;
	}
}

void fake_open_fail(struct fake_open *o, int err, const char *why)
{
	o->part->host->fail(o->end, err, why);
}

int fake_main(const char *name, const TTest *const *tests, int n)
{
	Suite *suite = suite_create(name);
	TCase *tc = tcase_create(name);

	tcase_set_timeout(tc, 20);
	for (int i = 0; i < n; i++)
		tcase_add_test(tc, tests[i]);
	suite_add_tcase(suite, tc);
	return suite_run(suite);
}
