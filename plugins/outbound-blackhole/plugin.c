/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outbound-blackhole - where sessions end that shall not go anywhere.
 *
 * Silent: a stream is failed with WEIR_ESILENT, so that the client's SYN is
 * never answered; a flow swallows what it is given. Refuse: a stream is failed
 * with ECONNREFUSED; a flow reports each peer it is asked to reach as refusing,
 * which a client sees as a closed port. */
#include <errno.h>
#include <stdlib.h>

#include <weir/plugin.h>

enum response { SILENT, REFUSE };

struct blackhole_conf {
	int response;
};

struct blackhole {
	struct weir_instance *instance;
	const struct weir_host *host;
	const struct blackhole_conf *conf;
	uint64_t *streams, *flows, *datagrams, *bytes;
};

/* A flow: only as much as it needs to answer a refusal. */
struct hole {
	struct blackhole *blackhole;
	struct weir_end *end;
};

static int hole_send(void *self, const struct weir_datagram *v, int n)
{
	struct hole *hole = self;
	struct blackhole *b = hole->blackhole;
	const struct weir_addr *told = NULL;

	for (int i = 0; i < n; i++) {
		++*b->datagrams;
		*b->bytes += v[i].len;
		if (b->conf->response != REFUSE)
			continue;
		if (told && weir_addr_equal(told, v[i].peer))
			continue;
		told = v[i].peer;
		b->host->unreachable(hole->end, told, ECONNREFUSED);
	}
	return n;
}

static void hole_close(void *self, int err)
{
	(void)err;
	free(self);
}

static const struct weir_flow_ops hole_ops = {
	.size = sizeof hole_ops,
	.send = hole_send,
	.close = hole_close,
};

static void *blackhole_open(void *self, struct weir_end *end,
			    const struct weir_addr *target, enum weir_net net)
{
	struct blackhole *b = self;
	struct hole *hole;

	(void)target;
	if (net == WEIR_NET_TCP) {
		bool refuse = b->conf->response == REFUSE;

		++*b->streams;
		b->host->fail(end, refuse ? ECONNREFUSED : WEIR_ESILENT,
			      refuse ? "refused by rule" : "dropped by rule");
		return NULL;
	}
	hole = calloc(1, sizeof *hole);
	if (!hole) {
		b->host->fail(end, ENOMEM, "out of memory");
		return NULL;
	}
	hole->blackhole = b;
	hole->end = end;
	++*b->flows;
	b->host->flow_ready(end, &hole_ops, hole);
	return NULL;
}

/* Every open is answered at once. */
static void blackhole_abandon(void *self, void *pending)
{
	(void)self;
	(void)pending;
}

static void *blackhole_create(struct weir_instance *instance,
			      const struct weir_host *host, const void *conf,
			      struct weir_error *e)
{
	struct blackhole *b = calloc(1, sizeof *b);

	if (!b) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	b->instance = instance;
	b->host = host;
	b->conf = conf;
	b->streams = host->counter(instance, "streams");
	b->flows = host->counter(instance, "flows");
	b->datagrams = host->counter(instance, "datagrams");
	b->bytes = host->counter(instance, "bytes");
	return b;
}

static bool blackhole_start(void *self, struct weir_error *e)
{
	(void)self;
	(void)e;
	return true;
}

static bool blackhole_reconfigure(void *self, const void *conf,
				  struct weir_error *e)
{
	struct blackhole *b = self;

	(void)e;
	b->conf = conf;
	return true;
}

static void blackhole_stop(void *self)
{
	struct blackhole *b = self;

	b->host->stopped(b->instance);
}

static const char *const responses[] = {"silent", "refuse", NULL};

static const struct weir_option blackhole_options[] = {
	{.name = "response",
	 .help = "what the client is told: nothing, or that it is refused",
	 .preset = "silent",
	 .type = WEIR_ENUM,
	 .at = offsetof(struct blackhole_conf, response),
	 .choices = responses},
};

static const struct weir_schema blackhole_schema =
	WEIR_SCHEMA(struct blackhole_conf, blackhole_options, NULL);

static const struct weir_outbound_ops blackhole_ops = {
	.size = sizeof blackhole_ops,
	.open = blackhole_open,
	.abandon = blackhole_abandon,
	.nets = WEIR_NET_TCP | WEIR_NET_UDP | WEIR_NET_ICMP,
};

static const struct weir_component blackhole_component = {
	.size = sizeof blackhole_component,
	.kind = WEIR_OUTBOUND,
	.type = "blackhole",
	.summary = "Swallows or refuses every session",
	.schema = &blackhole_schema,
	.ops = &blackhole_ops,
	.create = blackhole_create,
	.start = blackhole_start,
	.reconfigure = blackhole_reconfigure,
	.stop = blackhole_stop,
	.destroy = free,
};

WEIR_PLUGIN("outbound-blackhole", "1.0", "GPL-2.0-or-later", "",
	    &blackhole_component);
