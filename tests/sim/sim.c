/* SPDX-License-Identifier: GPL-2.0-or-later */
/* sim.c - a host in virtual time for the network stack.
 *
 * Nothing happens by itself: time stands still until a test lets it pass, and
 * then timers and packets on wires come in the order of their times. The host
 * checks what it is told: a notice for a closed end aborts the test. */
#include "sim.h"

#include <assert.h>
#include <stdlib.h>
#include <sys/random.h>
#include <time.h>

#define COUNTERS 64
#define RANDOM_SEED 88172645463325252ull

extern const struct weir_plugin weir_plugin_1;

struct weir_timer {
	struct weir_timer *next;
	void (*fire)(void *);
	void *arg;
	uint64_t at_us;
};

struct sim sim;
int sim_congestion;
static struct weir_timer *timers;
static struct {
	const char *name;
	uint64_t value;
} counters[COUNTERS];
static uint32_t random_state;

/* Keys and ports are the same in every run: what has passed passes again. */
ssize_t getrandom(void *to, size_t len, unsigned flags)
{
	(void)flags;
	for (size_t i = 0; i < len; i++) {
		random_state = random_state * 1664525u +
			       1013904223u; /* Numerical Recipes */
		((uint8_t *)to)[i] = (uint8_t)(random_state >> 24);
	}
	return (ssize_t)len;
}

static struct weir_end *end_new(const struct weir_session_info *info)
{
	struct weir_end *end = calloc(1, sizeof *end);

	assert(end);
	if (info)
		end->info = *info;
	end->next = sim.ends;
	sim.ends = end;
	return end;
}

static struct weir_end *host_accept_stream(struct weir_instance *i,
					   const struct weir_session_info *info,
					   const struct weir_stream_ops *ops,
					   void *s)
{
	struct weir_end *end = end_new(info);

	(void)i;
	end->stream = ops;
	end->self = s;
	return end;
}

static struct weir_end *host_accept_flow(struct weir_instance *i,
					 const struct weir_session_info *info,
					 const struct weir_flow_ops *ops,
					 void *f)
{
	struct weir_end *end = end_new(info);

	(void)i;
	end->flow = ops;
	end->self = f;
	return end;
}

static void host_stream_ready(struct weir_end *end,
			      const struct weir_stream_ops *ops, void *s)
{
	end->stream = ops;
	end->self = s;
	end->ready = true;
}

static void host_flow_ready(struct weir_end *end,
			    const struct weir_flow_ops *ops, void *f)
{
	end->flow = ops;
	end->self = f;
	end->ready = true;
}

static void host_notify(struct weir_end *end, unsigned events)
{
	assert(end && !end->closed);
	end->events |= events;
}

static void host_deliver(struct weir_end *end, const struct weir_datagram *v,
			 int n)
{
	assert(end && !end->closed);
	end->deliveries++;
	for (int i = 0; i < n; i++) {
		int at = end->datagrams % SIM_DATAGRAMS;

		end->peers[at] = *v[i].peer;
		end->lens[at] = v[i].len;
		end->segments[at] = v[i].segment;
		end->datagrams++;
		free(end->last);
		end->last = malloc(v[i].len + 1);
		memcpy(end->last, v[i].data, v[i].len);
	}
}

static void host_fail(struct weir_end *end, int err, const char *why)
{
	assert(end && !end->closed && !end->failed && why);
	end->failed = err;
	end->why = why;
}

static void host_unreachable(struct weir_end *end, const struct weir_addr *peer,
			     int err)
{
	assert(end && !end->closed && err);
	end->unreachable = err;
	end->lost = *peer;
}

static uint64_t host_now_us(void)
{
	struct timespec t;

	if (!sim.real_clock)
		return sim.now_us;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000 + (uint64_t)t.tv_nsec / 1000;
}

static struct weir_timer *host_timer_new(struct weir_instance *i,
					 void (*fire)(void *), void *arg)
{
	struct weir_timer *t = calloc(1, sizeof *t);

	(void)i;
	t->fire = fire;
	t->arg = arg;
	t->next = timers;
	timers = t;
	return t;
}

static void host_timer_set(struct weir_timer *t, uint64_t after_us)
{
	t->at_us = sim.now_us + after_us;
	t->at_us += !t->at_us;
}

static void host_timer_stop(struct weir_timer *t)
{
	t->at_us = 0;
}

static void host_timer_free(struct weir_timer *t)
{
	struct weir_timer **at = &timers;

	while (*at != t)
		at = &(*at)->next;
	*at = t->next;
	free(t);
}

static uint64_t *host_counter(struct weir_instance *i, const char *name)
{
	int n = 0;

	(void)i;
	while (counters[n].name && strcmp(counters[n].name, name) != 0)
		n++;
	assert(n < COUNTERS - 1);
	counters[n].name = name;
	return &counters[n].value;
}

static void host_stopped(struct weir_instance *i)
{
	(void)i;
}

static const struct weir_host host = {
	.size = sizeof host,
	.major = WEIR_MAJOR,
	.minor = WEIR_MINOR,
	.accept_stream = host_accept_stream,
	.accept_flow = host_accept_flow,
	.stream_ready = host_stream_ready,
	.flow_ready = host_flow_ready,
	.notify = host_notify,
	.deliver = host_deliver,
	.unreachable = host_unreachable,
	.fail = host_fail,
	.now_us = host_now_us,
	.timer_new = host_timer_new,
	.timer_set = host_timer_set,
	.timer_stop = host_timer_stop,
	.timer_free = host_timer_free,
	.counter = host_counter,
	.stopped = host_stopped,
};

uint64_t sim_counter(const char *name)
{
	return *host_counter(NULL, name);
}

void sim_start(const struct sim_conf *conf)
{
	static struct {
		struct sim_conf conf; /* as the plugin's begins */
		int congestion;
	} kept;
	struct weir_error e;

	memset(&sim, 0, sizeof sim);
	memset(counters, 0, sizeof counters);
	random_state = 1;
	sim.now_us = 1000 * SIM_MS;
	sim.random = RANDOM_SEED;
	kept.conf = (struct sim_conf){65535, 65535, 256u << 20, 4u << 20};
	if (conf)
		kept.conf = *conf;
	kept.congestion = sim_congestion;
	sim.ops = weir_plugin_1.components[0]->ops;
	sim.stack = weir_plugin_1.components[0]->create(NULL, &host, &kept, &e);
	assert(sim.stack);
}

void sim_close(struct weir_end *end, int err)
{
	struct weir_end **at = &sim.ends;

	end->closed = true;
	if (end->self && end->stream)
		end->stream->close(end->self, err);
	else if (end->self && end->flow)
		end->flow->close(end->self, err);
	while (*at != end)
		at = &(*at)->next;
	*at = end->next;
	free(end->last);
	free(end);
}

void sim_stop(void)
{
	weir_plugin_1.components[0]->stop(sim.stack);
	while (sim.ends)
		sim_close(sim.ends, 0);
	assert(sim_counter("connections") == 0);
	assert(sim_counter("flows") == 0);
	assert(sim_counter("half_open") == 0);
	assert(sim_counter("held_bytes") == 0);
	assert(sim_counter("memory_bytes") == 0);
	weir_plugin_1.components[0]->destroy(sim.stack);
	assert(!timers);
	wire_free(&sim.wire);
}

/* ---- links ---- */

static struct sim_packet *packet_of(const struct weir_egress *e)
{
	struct sim_packet *p;
	uint32_t len = 0;

	for (int i = 0; i < e->views; i++)
		len += (uint32_t)e->view[i].iov_len;
	p = calloc(1, sizeof *p + len);
	for (int i = 0; i < e->views; i++) {
		memcpy(p->data + p->len, e->view[i].iov_base,
		       e->view[i].iov_len);
		p->len += (uint32_t)e->view[i].iov_len;
	}
	p->gso = e->gso;
	p->gso_size = e->gso_size;
	p->flags = e->flags;
	return p;
}

static void count_burst(struct sim_link *l, uint32_t bytes)
{
	if (l->burst_us != sim.now_us)
		l->burst = 0;
	l->burst_us = sim.now_us;
	l->burst += bytes;
	if (l->burst > l->burst_most)
		l->burst_most = l->burst;
}

static int link_output(void *owner, const struct weir_egress *v, int n)
{
	struct sim_link *l = owner;

	if (l->full)
		return 0;
	for (int i = 0; i < n; i++) {
		struct sim_packet *p = packet_of(&v[i]);

		l->packets++;
		l->bytes += p->len;
		count_burst(l, p->len);
		if (l->far) {
			wire_put(&sim.wire, l, p);
			continue;
		}
		*l->out_end = p;
		l->out_end = &p->next;
	}
	return n;
}

static struct weir_end *link_accept_stream(void *owner,
					   struct weir_session_info *info,
					   const struct weir_stream_ops *ops,
					   void *s)
{
	struct sim_link *l = owner;

	info->refusal = l->refusal;
	return l->refuse ? NULL : host.accept_stream(NULL, info, ops, s);
}

static struct weir_end *link_accept_flow(void *owner,
					 struct weir_session_info *info,
					 const struct weir_flow_ops *ops,
					 void *f)
{
	struct sim_link *l = owner;

	return l->refuse ? NULL : host.accept_flow(NULL, info, ops, f);
}

static uint64_t link_holder(void *owner, const struct weir_addr *client)
{
	struct sim_link *l = owner;

	return l->holder ? l->holder(client) : 0;
}

static const struct weir_link_ops link_ops = {
	.size = sizeof link_ops,
	.output = link_output,
	.accept_stream = link_accept_stream,
	.accept_flow = link_accept_flow,
	.holder = link_holder,
};

struct weir_link_conf sim_link_conf(void)
{
	static struct weir_cidr addresses[2];

	addresses[0].base.kind = WEIR_ADDR_IP4;
	addresses[1].base.kind = WEIR_ADDR_IP6;
	inet_pton(AF_INET, "10.9.0.1", addresses[0].base.ip);
	inet_pton(AF_INET6, "fd09::1", addresses[1].base.ip);
	return (struct weir_link_conf){
		.size = sizeof(struct weir_link_conf),
		.mtu_bytes = 1500,
		.addresses = addresses,
		.address_count = 2,
	};
}

void sim_attach(struct sim_link *l, const struct weir_link_conf *conf)
{
	struct weir_link_conf preset = sim_link_conf();
	struct weir_error e;

	memset(l, 0, sizeof *l);
	l->out_end = &l->out;
	l->link = sim.ops->attach(sim.stack, conf ? conf : &preset, &link_ops,
				  l, &e);
	assert(l->link);
}

void sim_input_train(struct sim_link *l, const void *data, uint32_t len,
		     uint8_t gso, uint16_t gso_size, uint8_t flags)
{
	struct weir_ingress in = {
		.buffer = sim.ops->buffer_get(sim.stack),
		.offset = 16,
		.len = len,
		.gso = gso,
		.gso_size = gso_size,
		.flags = flags,
	};

	if (!in.buffer)
		return;
	assert(len + in.offset <= in.buffer->capacity);
	memcpy(in.buffer->data + in.offset, data, len);
	sim.ops->input(l->link, &in, 1);
}

void sim_input(struct sim_link *l, const void *data, uint32_t len)
{
	sim_input_train(l, data, len, WEIR_GSO_NONE, 0, 0);
}

struct sim_packet *sim_output(struct sim_link *l)
{
	struct sim_packet *p = l->out;

	if (!p)
		return NULL;
	l->out = p->next;
	if (!l->out)
		l->out_end = &l->out;
	p->next = NULL;
	return p;
}

void sim_flush(struct sim_link *l)
{
	struct sim_packet *p;

	while ((p = sim_output(l)))
		free(p);
}

/* ---- time ---- */

static struct weir_timer *next_timer(void)
{
	struct weir_timer *first = NULL;

	for (struct weir_timer *t = timers; t; t = t->next)
		if (t->at_us && (!first || t->at_us < first->at_us))
			first = t;
	return first;
}

void sim_at(uint64_t at_us, void (*fire)(void *arg, uint64_t number), void *arg,
	    uint64_t number)
{
	struct sim_packet *p = calloc(1, sizeof *p);

	assert(p);
	p->at_us = at_us;
	p->fire = fire;
	p->arg = arg;
	p->fire_number = number;
	wire_add(&sim.wire, p);
}

static void packet_arrives(struct sim_packet *p)
{
	if (p->fire)
		p->fire(p->arg, p->fire_number);
	else
		sim_input_train(p->to, p->data, p->len, p->gso, p->gso_size,
				p->flags);
	free(p);
}

void sim_run(uint64_t us)
{
	uint64_t until = sim.now_us + us;

	for (;;) {
		struct weir_timer *t = next_timer();
		struct sim_packet *p = wire_first(&sim.wire);

		if (p && p->at_us <= until && (!t || p->at_us <= t->at_us)) {
			if (p->at_us > sim.now_us)
				sim.now_us = p->at_us;
			packet_arrives(wire_take(&sim.wire));
		} else if (t && t->at_us <= until) {
			if (t->at_us > sim.now_us)
				sim.now_us = t->at_us;
			t->at_us = 0;
			sim.timer_wakeups++;
			t->fire(t->arg);
		} else {
			break;
		}
	}
	sim.now_us = until;
}
