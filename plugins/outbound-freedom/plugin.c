/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outbound-freedom - sessions go on over the sockets of this machine.
 *
 * A TCP session becomes a connected socket whose errors are handed back as the
 * kernel gave them; a UDP or echo session becomes one unconnected socket a
 * family, so that any peer may answer. Where the instance has a `via`, the
 * session is dialled through that outbound instead and no socket is made here.
 *
 * This file holds the options, the life of an instance and the way in. */
#include <errno.h>
#include <stdlib.h>

#include "via.h"

#define MTU_USUAL 1500 /* of Ethernet */

static void *freedom_open(void *self, struct weir_end *end,
			  const struct weir_addr *target, enum weir_net net)
{
	struct freedom *f = self;
	struct weir_addr to = freedom_target(f, target);
	struct pending *pending = NULL;

	if (via_open(f, end, net == WEIR_NET_ICMP ? target : &to, net,
		     &pending))
		return pending;
	switch (net) {
	case WEIR_NET_TCP:
		return connect_open(f, end, &to);
	case WEIR_NET_UDP:
		udp_open(f, end);
		return NULL;
	case WEIR_NET_ICMP:
		icmp_open(f, end, target);
		return NULL;
	}
	f->host->fail(end, EPROTONOSUPPORT, "unknown network");
	return NULL;
}

static void freedom_abandon(void *self, void *pending)
{
	struct pending *p = pending;

	(void)self;
	if (p)
		p->abandon(p);
}

/* False: it has sockets of its own. */
static bool has_via(const struct freedom *f, uint32_t *mtu)
{
	*mtu = 0;
	errno = ENOENT;
	if (WEIR_HAS(f->host, via_mtu))
		*mtu = f->host->via_mtu(f->instance);
	return *mtu || errno != ENOENT;
}

/* Its own sockets: as what is routed here usually is. */
static uint32_t freedom_mtu(void *self)
{
	uint32_t mtu;

	return has_via(self, &mtu) ? mtu : MTU_USUAL;
}

static void *freedom_create(struct weir_instance *instance,
			    const struct weir_host *host, const void *conf,
			    struct weir_error *e)
{
	struct freedom *f = calloc(1, sizeof *f);

	if (!f) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	freedom_init(f, instance, host, false);
	f->conf = conf;
	return f;
}

static bool outbound_start(void *self, struct weir_error *e)
{
	struct freedom *f = self;
	uint32_t mtu;

	if (f->conf->send_through.count && has_via(f, &mtu))
		f->host->log(f->instance, WEIR_WARN,
			     "send_through has no effect with via: the sockets "
			     "are those of that outbound");
	return freedom_start(f) || weir_error(e, NULL, "out of memory");
}

/* What is open keeps going; what is opened from now on sees the new values. */
static bool freedom_reconfigure(void *self, const void *conf,
				struct weir_error *e)
{
	struct freedom *f = self;

	(void)e;
	f->conf = conf;
	return true;
}

static void freedom_stop(void *self)
{
	struct freedom *f = self;

	f->host->stopped(f->instance);
}

static void freedom_destroy(void *self)
{
	struct freedom *f = self;

	freedom_fini(f);
	free(f);
}

#define DAY_MS (24 * 3600 * 1000)

static const struct weir_option freedom_options[] = {
	{.name = "dial_timeout",
	 .help = "how long to look up a name and connect",
	 .preset = "16s",
	 .type = WEIR_TIME,
	 .at = offsetof(struct freedom_conf, dial_timeout_ms),
	 .min = 10,
	 .max = DAY_MS},
	{.name = "keepalive",
	 .help = "time between TCP keepalive probes; 0 sends none",
	 .preset = "45s",
	 .type = WEIR_TIME,
	 .at = offsetof(struct freedom_conf, keepalive_ms),
	 .min = 0,
	 .max = DAY_MS / 4},
	{.name = "redirect",
	 .help = "go to this host and port instead of the target; "
		 "0.0.0.0 keeps the host, no port keeps the port",
	 .type = WEIR_ADDR,
	 .at = offsetof(struct freedom_conf, redirect)},
	{.name = "send_through",
	 .help = "source address of what is sent, one a family",
	 .type = WEIR_ADDR,
	 .flags = WEIR_LIST | WEIR_NO_NAME | WEIR_NO_PORT,
	 .at = offsetof(struct freedom_conf, send_through)},
};

static bool freedom_check(const void *conf, struct weir_error *e)
{
	const struct freedom_conf *c = conf;
	const struct weir_addr *a = c->send_through.items;
	unsigned kinds = 0;
	char text[WEIR_ADDR_TEXT];

	for (size_t i = 0; i < c->send_through.count; i++) {
		if (kinds & 1u << a[i].kind)
			return weir_error(e, "send_through",
					  "%s is one too many; one address a "
					  "family is taken",
					  weir_addr_text(&a[i], text));
		kinds |= 1u << a[i].kind;
	}
	return true;
}

static const struct weir_schema freedom_schema =
	WEIR_SCHEMA(struct freedom_conf, freedom_options, freedom_check);

static const struct weir_outbound_ops freedom_ops = {
	.size = sizeof freedom_ops,
	.open = freedom_open,
	.abandon = freedom_abandon,
	.nets = WEIR_NET_TCP | WEIR_NET_UDP | WEIR_NET_ICMP,
	.via = true,
	.mtu = freedom_mtu,
};

static const struct weir_component freedom_component = {
	.size = sizeof freedom_component,
	.kind = WEIR_OUTBOUND,
	.type = "freedom",
	.summary = "Direct connections over this machine's own sockets",
	.schema = &freedom_schema,
	.ops = &freedom_ops,
	.create = freedom_create,
	.start = outbound_start,
	.reconfigure = freedom_reconfigure,
	.stop = freedom_stop,
	.destroy = freedom_destroy,
};

WEIR_PLUGIN("outbound-freedom", "1.0", "GPL-2.0-or-later", "",
	    &freedom_component);
