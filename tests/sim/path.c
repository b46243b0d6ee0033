/* SPDX-License-Identifier: GPL-2.0-or-later */
/* path.c - see path.h. Each stream always has something to say, unless it is
 * paused, and its far end reads at once. */
#include "path.h"

#include <assert.h>
#include <stdlib.h>

#define BLOCK 50000u

struct sim_link near_, far_;
struct stream streams[PATH_STREAMS];

void path_open(const struct path_conf *p, int congestion)
{
	struct weir_link_conf conf = sim_link_conf();

	conf.offloads = p->offloads;
	if (p->mtu_bytes)
		conf.mtu_bytes = p->mtu_bytes;
	sim_congestion = congestion;
	sim_start(NULL);
	sim_attach(&near_, &conf);
	sim_attach(&far_, &conf);
	sim_connect(&near_, &far_, p->rtt_us / 2);
	near_.rate = p->rate;
	near_.queue_us = p->queue_us;
	near_.loss = p->loss;
}

void stream_open(struct stream *s, bool v6)
{
	struct weir_addr to = {.kind = v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4,
			       .port = 443};

	inet_pton(v6 ? AF_INET6 : AF_INET, v6 ? "2001:db8::9" : "203.0.113.9",
		  to.ip);
	*s = (struct stream){.from = calloc(1, sizeof *s->from)};
	s->from->next = sim.ends;
	sim.ends = s->from;
	sim.ops->open(near_.link, s->from, &to, WEIR_NET_TCP);
	for (int i = 0; i < 100 && sim.ends == s->from; i++)
		sim_run(100 * SIM_MS);
	s->to = sim.ends;
	assert(s->to != s->from);
	s->to->stream->accept(s->to->self);
	for (int i = 0; i < 100 && !s->from->ready; i++)
		sim_run(100 * SIM_MS);
	assert(s->from->ready);
}

static void stream_work(struct stream *s)
{
	static uint8_t block[BLOCK];
	struct iovec v = {block, sizeof block}, view[16];
	int n;

	while (!s->paused && s->from->stream->write(s->from->self, &v, 1) ==
				     (ssize_t)sizeof block)
		;
	while ((n = s->to->stream->peek(s->to->self, view, 16)) > 0) {
		size_t total = 0;

		for (int i = 0; i < n; i++)
			total += view[i].iov_len;
		s->to->stream->consume(s->to->self, total);
		s->got += total;
	}
	assert(s->from->failed == 0);
}

struct seen work_for(uint64_t us)
{
	struct seen seen = {.queue_least_us = UINT64_MAX};
	uint64_t before[PATH_STREAMS], total = 0, progress_us = sim.now_us;
	uint64_t queue, got;

	for (int i = 0; i < PATH_STREAMS; i++)
		before[i] = streams[i].got;
	for (uint64_t at = 0; at < us; at += SIM_MS) {
		got = streams[0].got;
		for (int i = 0; i < PATH_STREAMS; i++)
			if (streams[i].from)
				stream_work(&streams[i]);
		if (streams[0].got != got)
			progress_us = sim.now_us;
		if (sim.now_us - progress_us > seen.stall_us)
			seen.stall_us = sim.now_us - progress_us;
		sim_run(SIM_MS);
		queue = near_.busy_us > sim.now_us ? near_.busy_us - sim.now_us
						   : 0;
		if (queue < seen.queue_least_us)
			seen.queue_least_us = queue;
		if (queue > seen.queue_most_us)
			seen.queue_most_us = queue;
		total += queue;
	}
	seen.queue_mean_us = us ? total / (us / SIM_MS) : 0;
	for (int i = 0; i < PATH_STREAMS; i++)
		seen.mbit[i] = us ? (double)(streams[i].got - before[i]) * 8 /
					       (double)us
				  : 0;
	return seen;
}

void path_close(void)
{
	for (int i = 0; i < PATH_STREAMS; i++)
		if (streams[i].from) {
			sim_close(streams[i].from, 1);
			sim_run(SECOND);
			sim_close(streams[i].to, 1);
			streams[i].from = NULL;
		}
	sim_run(200 * SECOND);
	assert(sim_counter("connections") == 0);
	sim_stop();
}
