/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Dispatching: from a session's facts to the outbound that carries it. */
#include "dispatch.h"

#include "flow.h"
#include "instance.h"
#include "log.h"
#include "route.h"
#include "util.h"

#define FDS_RESERVED 128
#define FDS_RESERVED_PART 4 /* one in so many, where they are few */
#define FDS_A_FLOW 2	    /* a socket a family */

/* Descriptors that no session may have: those of weir itself, and of flows
 * that were evicted and end with this turn. */
static uint64_t fds_reserved(const struct core *core)
{
	uint64_t part = core->fd_limit / FDS_RESERVED_PART;

	return part < FDS_RESERVED ? part : FDS_RESERVED;
}

/* Would another session leave too few descriptors? */
static bool fds_short(const struct core *core)
{
	return core->fd_limit &&
	       core->session_count + core->flow_count * (FDS_A_FLOW - 1) +
			       fds_reserved(core) >=
		       core->fd_limit;
}

uint64_t dispatch_room(const struct core *core)
{
	uint64_t room = core->config->max_sessions - core->session_count;
	uint64_t used =
		core->session_count - core->flow_count + fds_reserved(core);
	uint64_t fds = core->fd_limit > used ? core->fd_limit - used : 0;

	return core->fd_limit && fds < room ? fds : room;
}

uint64_t dispatch_flows_most(const struct core *core)
{
	uint64_t most = core->config->max_sessions / 2;
	uint64_t fds = core->fd_limit / 2 / FDS_A_FLOW;

	if (core->fd_limit && fds < most)
		most = fds;
	return most ? most : 1;
}

bool dispatch_admits(struct core *core)
{
	if (core->draining)
		return false;
	if (core->session_count < core->config->max_sessions &&
	    (!fds_short(core) || flow_evict(core)))
		return true;
	core->refused_full++;
	return false;
}

/* An address whose name is our own. */
static struct weir_addr addr_kept(const struct weir_addr *from)
{
	struct weir_addr a = *from;

	if (a.kind == WEIR_ADDR_NAME)
		a.name = xstrdup(a.name);
	return a;
}

static void addr_let_go(const struct weir_addr *a)
{
	if (a->kind == WEIR_ADDR_NAME)
		free((char *)(uintptr_t)a->name);
}

void dispatch_info_init(struct dispatch_info *d,
			const struct weir_instance *inbound,
			const struct weir_session_info *info)
{
	memset(d, 0, sizeof *d);
	d->info.size = sizeof d->info;
	d->info.net = info->net;
	d->info.source = addr_kept(&info->source);
	d->info.target = addr_kept(&info->target);
	d->info.level = inbound->conf->inbound.level;
	if (info->level)
		d->info.level = info->level;
	if (WEIR_HAS(info, exchange_ms))
		d->info.exchange_ms = info->exchange_ms;
	if (info->user)
		d->info.user = xstrdup(info->user);
}

void dispatch_info_fini(struct dispatch_info *d)
{
	free((char *)(uintptr_t)d->info.user);
	addr_let_go(&d->info.source);
	addr_let_go(&d->info.target);
}

struct weir_instance *dispatch_outbound(struct weir_instance *inbound,
					const struct weir_session_info *info,
					const struct weir_addr *target)
{
	struct core *core = inbound->core;
	struct route_facts facts = {
		.inbound = inbound->tag,
		.user = info->user,
		.net = info->net,
		.source = &info->source,
		.target = target,
	};
	const char *tag = route_decide(core->config, &facts);
	struct weir_instance *out = instance_find(core, WEIR_OUTBOUND, tag);

	assert(out); /* decoding made sure of it */
	if (out->state != INSTANCE_STARTED ||
	    !(instance_outbound(out)->nets & info->net))
		return NULL;
	return out;
}

static const char *net_name(enum weir_net net)
{
	return net == WEIR_NET_TCP   ? "tcp"
	       : net == WEIR_NET_UDP ? "udp"
				     : "icmp";
}

void dispatch_log(const struct dispatch_end *e)
{
	char source[WEIR_ADDR_TEXT], target[WEIR_ADDR_TEXT];
	uint64_t ms = (loop_now_us() - e->started_us) / 1000;

	if (log_level_of("session") < WEIR_INFO)
		return;
	log_line(WEIR_INFO, "session",
		 "%s %s -> %s%s%s from %s via %s: up %llu down %llu bytes, "
		 "%llu.%03llu s, %s",
		 net_name(e->info->net),
		 weir_addr_text(&e->info->source, source),
		 weir_addr_text(&e->info->target, target),
		 e->info->user ? " user " : "",
		 e->info->user ? e->info->user : "", e->inbound, e->outbound,
		 (unsigned long long)e->up_bytes,
		 (unsigned long long)e->down_bytes,
		 (unsigned long long)(ms / 1000),
		 (unsigned long long)(ms % 1000), e->why);
}
