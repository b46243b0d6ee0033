/* SPDX-License-Identifier: GPL-2.0-or-later */
/* inbound-wireguard - peers come in through a WireGuard tunnel.
 *
 * Theory of operation: the engine opens what peers send, the stack makes
 * sessions of the packets, and each session's source is an address that only
 * one peer may use: so its user is known. Where private targets are not
 * allowed, connections to them are refused (RST), while other packets are
 * dropped before the stack sees them, because one flow of datagrams may have
 * any number of targets. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>

#include "import.h"
#include "inbound.h"

#define IP4_BYTES 20
#define IP6_BYTES 40

/* There are many peers with many questions: a flow of one question and its
 * answer is not kept for as long as a conversation that fell silent. */
#define EXCHANGE_MS 15000

struct inbound {
	struct weir_instance *instance;
	const struct weir_host *host;
	const struct inbound_conf *conf;
	bool begun; /* the tunnel is made */
	struct tunnel tunnel;
	uint64_t *refused_private, *dropped_private;
};

/* ---- what peers may reach */

static bool is_own(const struct inbound *in, bool v6, const uint8_t *ip)
{
	const struct weir_list *own = &in->tunnel.conf.settings->address;
	const struct weir_cidr *a = own->items;

	for (size_t i = 0; i < own->count; i++)
		if ((a[i].base.kind == WEIR_ADDR_IP6) == v6 &&
		    memcmp(a[i].base.ip, ip, v6 ? 16 : 4) == 0)
			return true;
	return false;
}

/* All that the stack answers itself. The fragment that comes first says what
 * the whole is, so a lie in another helps nobody. */
static bool is_icmp(const uint8_t *p, uint32_t len, bool v6)
{
	if (!v6)
		return p[9] == IPPROTO_ICMP;
	if (p[6] == IPPROTO_FRAGMENT && len > IP6_BYTES)
		return p[IP6_BYTES] == IPPROTO_ICMPV6;
	return p[6] == IPPROTO_ICMPV6;
}

/* TCP is refused where there is somebody to tell. What else is sent to our own
 * address would go to whoever has the same one outside. */
static bool inbound_admit(void *owner, const uint8_t *p, uint32_t len)
{
	struct inbound *in = owner;
	bool v6 = len >= IP6_BYTES && p[0] >> 4 == 6;
	const uint8_t *to = p + (v6 ? 24 : 16);

	if (len < IP4_BYTES || p[v6 ? 6 : 9] == IPPROTO_TCP ||
	    !address_is_private(v6, to) ||
	    (is_own(in, v6, to) && is_icmp(p, len, v6)))
		return true;
	++*in->dropped_private;
	return false;
}

static bool may_reach(struct inbound *in, const struct weir_addr *target)
{
	if (in->conf->allow_private ||
	    !address_is_private(target->kind == WEIR_ADDR_IP6, target->ip))
		return true;
	++*in->refused_private;
	return false;
}

/* ---- sessions */

/* Say whose session it is. False: the peer has gone meanwhile. */
static bool sign(struct inbound *in, struct weir_session_info *info,
		 char label[PEER_LABEL_BYTES])
{
	struct wg_peer *p = wg_peer_of(in->tunnel.device, &info->source);
	const struct wg_peer_settings *s = p ? wg_peer_user(p) : NULL;

	if (!p)
		return false;
	info->user = tunnel_peer_label(p, label);
	info->level = s ? s->level : 0;
	return true;
}

static struct weir_end *inbound_stream(void *owner,
				       struct weir_session_info *info,
				       const struct weir_stream_ops *ops,
				       void *s)
{
	struct inbound *in = owner;
	char label[PEER_LABEL_BYTES];

	if (!may_reach(in, &info->target)) {
		if (WEIR_HAS(info, refusal))
			info->refusal = ECONNREFUSED;
		return NULL;
	}
	if (!sign(in, info, label))
		return NULL;
	return in->host->accept_stream(in->instance, info, ops, s);
}

static struct weir_end *inbound_flow(void *owner,
				     struct weir_session_info *info,
				     const struct weir_flow_ops *ops, void *f)
{
	struct inbound *in = owner;
	char label[PEER_LABEL_BYTES];

	if (!sign(in, info, label))
		return NULL;
	if (WEIR_HAS(info, exchange_ms))
		info->exchange_ms = EXCHANGE_MS;
	return in->host->accept_flow(in->instance, info, ops, f);
}

/* ---- the life of an instance */

static void warn(void *arg, const char *line)
{
	struct inbound *in = arg;

	in->host->log(in->instance, WEIR_WARN, "%s", line);
}

static bool is_any6(const struct weir_addr *a)
{
	static const uint8_t any[16];

	return a->kind == WEIR_ADDR_IP6 && !memcmp(a->ip, any, sizeof any);
}

static bool tunnel_make(struct inbound *in, struct weir_error *e)
{
	const struct inbound_conf *c = in->conf;
	struct tunnel_conf conf = {
		.instance = in->instance,
		.host = in->host,
		.keepalive = true,
		.congestion = (uint32_t)c->wg.congestion,
		.workers = (unsigned)c->wg.workers,
		.interface = c->wg.interface,
		.accept_stream = inbound_stream,
		.accept_flow = inbound_flow,
		.admit = c->allow_private ? NULL : inbound_admit,
		.owner = in,
	};
	struct wg_settings *s = wg_settings_new(&c->wg, warn, in, e);

	if (!s)
		return false;
	if (c->listen.kind != WEIR_ADDR_NONE)
		s->listen_port = c->listen.port;
	else if (!s->listen_port)
		s->listen_port = PORT_PRESET;
	if (!is_any6(&c->listen))
		conf.listen = c->listen;
	conf.settings = s;
	conf.mtu_bytes = s->mtu_bytes ? s->mtu_bytes : WG_MTU_PRESET;
	in->begun = tunnel_init(&in->tunnel, &conf, e);
	if (in->begun)
		wg_options_forget(&c->wg);
	return in->begun;
}

static void inbound_release(struct inbound *in)
{
	if (in->begun)
		tunnel_fini(&in->tunnel);
	in->begun = false;
}

static bool inbound_up(struct inbound *in, struct weir_error *e)
{
	int err = tunnel_up(&in->tunnel);

	if (err)
		return weir_error(e, "listen", "UDP port %u: %s",
				  in->tunnel.port,
				  tunnel_up_error(&in->tunnel, err));
	in->host->log(in->instance, WEIR_INFO, "peers may come to UDP port %u",
		      wg_udp_port(in->tunnel.udp));
	return true;
}

static bool inbound_start(void *self, struct weir_error *e)
{
	struct inbound *in = self;

	if (!tunnel_make(in, e) || !tunnel_start(&in->tunnel, e))
		goto fail;
	if (inbound_up(in, e))
		return true;
	tunnel_stop(&in->tunnel);
fail:
	inbound_release(in);
	return false;
}

static void inbound_report(void *self)
{
	struct inbound *in = self;

	if (in->begun)
		tunnel_report(&in->tunnel);
}

static void *inbound_create(struct weir_instance *instance,
			    const struct weir_host *host, const void *conf,
			    struct weir_error *e)
{
	struct inbound *in = calloc(1, sizeof *in);

	if (!in) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	in->instance = instance;
	in->host = host;
	in->conf = conf;
	in->refused_private = host->counter(instance, "refused_private");
	in->dropped_private = host->counter(instance, "dropped_private");
	return in;
}

static void inbound_stop(void *self)
{
	struct inbound *in = self;

	tunnel_stop(&in->tunnel);
	in->host->stopped(in->instance);
}

static void inbound_destroy(void *self)
{
	struct inbound *in = self;

	inbound_release(in);
	free(in);
}

static const struct weir_component inbound_component = {
	.size = sizeof inbound_component,
	.kind = WEIR_INBOUND,
	.type = "wireguard",
	.summary = "A WireGuard server whose peers are users",
	.schema = &inbound_schema,
	.create = inbound_create,
	.start = inbound_start,
	.stop = inbound_stop,
	.destroy = inbound_destroy,
	.import = import_inbound,
	.report = inbound_report,
};

WEIR_PLUGIN("inbound-wireguard", "1.0", "GPL-2.0-or-later", "netstack/1",
	    &inbound_component);
