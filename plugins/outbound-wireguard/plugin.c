/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outbound-wireguard - sessions go on through a WireGuard tunnel.
 *
 * Theory of operation: a link of the netstack has the tunnel's addresses and
 * opens connections, flows and pings from them; its packets go to the engine,
 * which seals them for the peer that their destination belongs to. Nothing is
 * sent before the first session: it opens the sockets and, by its first packet,
 * begins the handshake; the packet waits in the engine meanwhile. With
 * kernel_tun the kernel is the stack (kernel.c).
 *
 * This file holds the life of an instance and the way in. */
#include <stdlib.h>

#include "import.h"
#include "outbound.h"

static uint64_t *counter_of(struct outbound *o, enum weir_net net)
{
	if (net == WEIR_NET_TCP)
		return o->streams;
	return net == WEIR_NET_UDP ? o->flows : o->pings;
}

/* Each session tries again, but a reason is logged only once. 0 or an errno. */
static int socket_open(struct outbound *o)
{
	int err = tunnel_up(&o->tunnel);

	if (err && err != o->socket_err)
		o->host->log(o->instance, WEIR_WARN,
			     "cannot open the tunnel's socket: %s",
			     tunnel_up_error(&o->tunnel, err));
	o->socket_err = err;
	return err;
}

static void *outbound_open(void *self, struct weir_end *end,
			   const struct weir_addr *target, enum weir_net net)
{
	struct outbound *o = self;
	int err = socket_open(o);

	if (err) {
		++*o->failures;
		o->host->fail(end, err, "the tunnel's socket cannot be opened");
		return NULL;
	}
	if (target->kind == WEIR_ADDR_NAME)
		return bridge_open(o, end, target, net);
	++*counter_of(o, net);
	return o->tunnel.stack->open(o->tunnel.link, end, target, net);
}

static void outbound_abandon(void *self, void *pending)
{
	struct outbound *o = self;

	if (pending && !bridge_abandon(o, pending))
		o->tunnel.stack->abandon(o->tunnel.link, pending);
}

/* Nobody comes in through an outbound. */
static struct weir_end *refuse_stream(void *owner,
				      struct weir_session_info *info,
				      const struct weir_stream_ops *ops,
				      void *s)
{
	(void)owner, (void)info, (void)ops, (void)s;
	return NULL;
}

static struct weir_end *refuse_flow(void *owner, struct weir_session_info *info,
				    const struct weir_flow_ops *ops, void *f)
{
	(void)owner, (void)info, (void)ops, (void)f;
	return NULL;
}

static void warn(void *arg, const char *line)
{
	struct outbound *o = arg;

	o->host->log(o->instance, WEIR_WARN, "%s", line);
}

static uint32_t mtu_of(struct outbound *o, const struct wg_settings *s)
{
	if (s->mtu_bytes)
		return s->mtu_bytes;
	if (!via_is_set(o))
		return WG_MTU_PRESET;
	return mtu_through(s, WEIR_HAS(o->host, via_mtu)
				      ? o->host->via_mtu(o->instance)
				      : 0);
}

/* Made from the options alone: a tunnel inside this one may start before it. */
static uint32_t outbound_mtu(void *self)
{
	struct outbound *o = self;
	struct wg_settings *s;
	struct weir_error e;
	uint32_t mtu;

	if (o->begun)
		return o->tunnel.conf.mtu_bytes;
	s = wg_settings_new(&o->conf->wg, NULL, NULL, &e);
	mtu = s ? mtu_of(o, s) : 0;
	wg_settings_free(s);
	return mtu;
}

/* Options of weir's own win over those of a wg-quick file. */
static const struct weir_list *servers_of(const struct outbound *o,
					  const struct wg_settings *s)
{
	return o->conf->dns.count ? &o->conf->dns : &s->dns;
}

/* The DNS of a wg-quick file may be meant to be reached outside the tunnel. */
static void warn_of_servers(const struct outbound *o,
			    const struct weir_list *servers)
{
	const struct weir_addr *a = servers->items;
	char text[WEIR_ADDR_TEXT];

	for (size_t i = 0; i < servers->count; i++)
		if (!wg_peer_of(o->tunnel.device, &a[i]))
			o->host->log(o->instance, WEIR_WARN,
				     "dns: %s cannot be asked through the "
				     "tunnel: no peer's allowed_ips has it",
				     weir_addr_text(&a[i], text));
}

/* False: kernel_tun is on and cannot be. */
static bool kernel_make(struct outbound *o, struct tunnel_conf *conf,
			struct weir_error *e)
{
	if (o->conf->kernel_tun == KERNEL_TUN_OFF)
		return true;
	o->kernel = kernel_new(o, &conf->settings->address, conf->mtu_bytes, e);
	if (o->kernel) {
		conf->stack = &kernel_stack;
		conf->stack_self = o->kernel;
		return true;
	}
	if (o->conf->kernel_tun == KERNEL_TUN_ON) {
		e->option = "kernel_tun";
		return false;
	}
	o->host->log(o->instance, WEIR_INFO,
		     "kernel_tun: %s; weir's own TCP is used", e->text);
	return true;
}

static bool parts_make(struct outbound *o, struct weir_error *e)
{
	const struct weir_list *servers;
	struct tunnel_conf conf = {
		.instance = o->instance,
		.host = o->host,
		.congestion = (uint32_t)o->conf->wg.congestion,
		.workers = (unsigned)o->conf->wg.workers,
		.interface = o->conf->wg.interface,
		.accept_stream = refuse_stream,
		.accept_flow = refuse_flow,
		.owner = o,
	};

	if (via_is_set(o)) {
		o->via = via_new(o);
		if (!o->via)
			return weir_error(e, NULL, "out of memory");
		conf.wire = &via_wire;
		conf.wire_self = o->via;
	}
	conf.settings = wg_settings_new(&o->conf->wg, warn, o, e);
	if (!conf.settings)
		return false;
	if (o->via && conf.settings->listen_port)
		warn(o, "listen_port has no effect with via: the socket is "
			"that outbound's");
	conf.mtu_bytes = mtu_of(o, conf.settings);
	if (!kernel_make(o, &conf, e)) {
		wg_settings_free(conf.settings);
		return false;
	}
	if (!tunnel_init(&o->tunnel, &conf, e))
		return false;
	o->begun = true;
	wg_options_forget(&o->conf->wg);
	servers = servers_of(o, conf.settings);
	warn_of_servers(o, servers);
	o->names = names_new(o, servers);
	return o->names || weir_error(e, NULL, "out of memory");
}

static void parts_free(struct outbound *o)
{
	names_free(o->names);
	if (o->begun)
		tunnel_fini(&o->tunnel);
	via_free(o->via);
	kernel_free(o->kernel);
	o->kernel = NULL;
	o->names = NULL;
	o->begun = false;
	o->via = NULL;
}

static bool outbound_start(void *self, struct weir_error *e)
{
	struct outbound *o = self;

	if (parts_make(o, e) && tunnel_start(&o->tunnel, e))
		return true;
	parts_free(o);
	return false;
}

static void outbound_report(void *self)
{
	struct outbound *o = self;

	if (o->begun)
		tunnel_report(&o->tunnel);
}

static void *outbound_create(struct weir_instance *instance,
			     const struct weir_host *host, const void *conf,
			     struct weir_error *e)
{
	struct outbound *o = calloc(1, sizeof *o);

	if (!o) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	o->instance = instance;
	o->host = host;
	o->conf = conf;
	o->streams = host->counter(instance, "tcp_connects");
	o->flows = host->counter(instance, "udp_flows");
	o->pings = host->counter(instance, "icmp_flows");
	o->failures = host->counter(instance, "failures");
	o->unresolved = host->counter(instance, "unresolved");
	return o;
}

static void outbound_stop(void *self)
{
	struct outbound *o = self;

	tunnel_stop(&o->tunnel);
	o->host->stopped(o->instance);
}

static void outbound_destroy(void *self)
{
	struct outbound *o = self;

	parts_free(o);
	free(o);
}

static const struct weir_outbound_ops outbound_ops = {
	.size = sizeof outbound_ops,
	.open = outbound_open,
	.abandon = outbound_abandon,
	.nets = WEIR_NET_TCP | WEIR_NET_UDP | WEIR_NET_ICMP,
	.via = true,
	.mtu = outbound_mtu,
};

static const struct weir_component outbound_component = {
	.size = sizeof outbound_component,
	.kind = WEIR_OUTBOUND,
	.type = "wireguard",
	.summary = "Through a WireGuard tunnel, as a peer of it",
	.schema = &outbound_schema,
	.ops = &outbound_ops,
	.create = outbound_create,
	.start = outbound_start,
	.stop = outbound_stop,
	.destroy = outbound_destroy,
	.import = import_outbound,
	.report = outbound_report,
};

WEIR_PLUGIN("outbound-wireguard", "1.0", "GPL-2.0-or-later", "netstack/1",
	    &outbound_component);
