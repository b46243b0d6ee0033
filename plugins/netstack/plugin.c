/* SPDX-License-Identifier: GPL-2.0-or-later */
/* plugin.c - the service "netstack/1" as the core and other plugins see it. */
#include "buffer.h"
#include "connect.h"
#include "flow.h"
#include "holder.h"
#include "input.h"
#include "memory.h"
#include "stack.h"

#include <weir/plugin.h>

#include <errno.h>

static const char *const congestions[] = {"cubic", "bbr", NULL};

static const struct weir_option options[] = {
	{
		.name = "congestion",
		.help = "how TCP finds the rate of a path, on links that do "
			"not choose for themselves",
		.preset = "cubic",
		.type = WEIR_ENUM,
		.at = offsetof(struct netstack_conf, congestion),
		.choices = congestions,
	},
	{
		.name = "max_connections",
		.help = "most TCP connections at a time",
		.preset = "65535",
		.type = WEIR_INT,
		.at = offsetof(struct netstack_conf, max_connections),
		.min = 1,
		.max = 1048576,
	},
	{
		.name = "max_half_open",
		.help = "most TCP connections whose handshake is not complete",
		.preset = "4096",
		.type = WEIR_INT,
		.at = offsetof(struct netstack_conf, max_half_open),
		.min = 1,
		.max = 1048576,
	},
	{
		.name = "memory",
		.help = "most memory for all that waits in the stack: unread "
			"and unacknowledged payload, packets, fragments; a "
			"quarter of what the machine or the control group "
			"has if absent",
		.type = WEIR_SIZE,
		.at = offsetof(struct netstack_conf, memory),
		.min = MEMORY_LEAST,
		.max = 1ll << 40,
	},
	{
		.name = "fragment_memory",
		.help = "how much of it fragments that await the rest may take",
		.preset = "4m",
		.type = WEIR_SIZE,
		.at = offsetof(struct netstack_conf, fragment_memory),
		.min = 256 << 10,
		.max = 1ll << 32,
	},
};

static const struct weir_schema schema =
	WEIR_SCHEMA(struct netstack_conf, options, NULL);

static void *link_open(struct weir_link *link, struct weir_end *end,
		       const struct weir_addr *target, enum weir_net net)
{
	if (net == WEIR_NET_TCP)
		return connect_open(link, end, target);
	if (target->kind == WEIR_ADDR_IP4 || target->kind == WEIR_ADDR_IP6)
		flow_open(link, end, target, net);
	else
		link->stack->host->fail(end, EINVAL,
					"the link goes to addresses only");
	return NULL;
}

/* What was short is in nobody's queue: senders repeat it on their own. */
static void link_writable(struct weir_link *link)
{
	(void)link;
}

static const struct weir_netstack_ops ops = {
	.size = sizeof(struct weir_netstack_ops),
	.attach = link_attach,
	.detach = link_detach,
	.buffer_get = buffer_get,
	.buffer_put = buffer_put,
	.input = link_input,
	.open = link_open,
	.abandon = connect_abandon,
	.writable = link_writable,
	.room = gro_room,
	.put = gro_put,
	.flush = gro_flush,
	.recheck = holder_recheck,
};

static void *netstack_create(struct weir_instance *instance,
			     const struct weir_host *host, const void *conf,
			     struct weir_error *e)
{
	return stack_new(instance, host, conf, e);
}

static bool netstack_start(void *self, struct weir_error *e)
{
	(void)self;
	(void)e;
	return true;
}

static void netstack_stop(void *self)
{
	struct netstack *s = self;

	while (s->links)
		link_detach(s->links);
	s->host->stopped(s->instance);
}

static void netstack_destroy(void *self)
{
	stack_free(self);
}

static const struct weir_component netstack = {
	.size = sizeof(struct weir_component),
	.kind = WEIR_SERVICE,
	.type = "netstack",
	.summary =
		"TCP, UDP and ping in user space, for links that carry packets",
	.schema = &schema,
	.ops = &ops,
	.create = netstack_create,
	.start = netstack_start,
	.stop = netstack_stop,
	.destroy = netstack_destroy,
};

WEIR_PLUGIN("netstack", "1.0", "GPL-2.0-or-later", "", &netstack);
