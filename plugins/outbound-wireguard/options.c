/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of an outbound of type wireguard, and the rules that span
 * them. */
#include "outbound.h"

#include <net/if.h>

#define DAY_MS (24 * 3600 * 1000)

static const struct weir_option peer_options[] = {
	{.name = "public_key",
	 .help = "whom the tunnel leads to",
	 .type = WEIR_KEY,
	 .flags = WEIR_REQUIRED,
	 .at = offsetof(struct wg_peer_options, public_key)},
	{.name = "pre_shared_key",
	 .help = "a secret that both ends were given beside their keys",
	 .type = WEIR_KEY,
	 .flags = WEIR_SECRET,
	 .at = offsetof(struct wg_peer_options, pre_shared_key)},
	{.name = "endpoint",
	 .help = "where the peer is, an address or a name, with its port",
	 .type = WEIR_ADDR,
	 .flags = WEIR_WITH_PORT,
	 .at = offsetof(struct wg_peer_options, endpoint)},
	{.name = "allowed_ips",
	 .help = "destinations that are sent to this peer, and the only "
		 "sources taken from it",
	 .preset = "[0.0.0.0/0, \"::/0\"]",
	 .type = WEIR_CIDR,
	 .flags = WEIR_LIST,
	 .at = offsetof(struct wg_peer_options, allowed_ips)},
	{.name = "keepalive",
	 .help = "send something this often, so that firewalls on the way keep "
		 "the tunnel open; 0: only what is needed",
	 .preset = "0",
	 .type = WEIR_TIME,
	 .at = offsetof(struct wg_peer_options, keepalive_ms),
	 .max = WG_KEEPALIVE_MS_MAX},
	{.name = "reserved",
	 .help = "three bytes that some servers want in each message: numbers, "
		 "hex or base64",
	 .type = WEIR_STRING,
	 .flags = WEIR_LIST,
	 .at = offsetof(struct wg_peer_options, reserved)},
};

static const struct weir_schema peer_schema =
	WEIR_SCHEMA(struct wg_peer_options, peer_options, NULL);

static const char *const strategies[] = {
	[FORCE_IP] = "force_ip",     [FORCE_IP4] = "force_ip4",
	[FORCE_IP6] = "force_ip6",   [FORCE_IP46] = "force_ip46",
	[FORCE_IP64] = "force_ip64", NULL};

static const char *const kernel_tuns[] = {[KERNEL_TUN_OFF] = "off",
					  [KERNEL_TUN_ON] = "on",
					  [KERNEL_TUN_AUTO] = "auto",
					  NULL};

#define WG(field) offsetof(struct outbound_conf, wg.field)

static const struct weir_option options[] = {
	{.name = "config",
	 .help = "a wg-quick file that says all of this instead; its commands "
		 "are never run",
	 .type = WEIR_PATH,
	 .at = WG(config)},
	{.name = "strict",
	 .help = "refuse a wg-quick file that wants commands to be run",
	 .preset = "false",
	 .type = WEIR_BOOL,
	 .at = WG(strict)},
	{.name = "private_key",
	 .help = "this end's key, as wg genkey prints it",
	 .type = WEIR_KEY,
	 .flags = WEIR_SECRET,
	 .at = WG(private_key)},
	{.name = "private_key_file",
	 .help = "a file that holds the key and that others cannot read",
	 .type = WEIR_PATH,
	 .at = WG(private_key_file)},
	{.name = "address",
	 .help = "this end's addresses in the tunnel",
	 .type = WEIR_CIDR,
	 .flags = WEIR_LIST | WEIR_HOST_BITS,
	 .at = WG(address)},
	{.name = "mtu",
	 .help = "largest packet in the tunnel in bytes; 1420 if absent, "
		 "less with via",
	 .type = WEIR_INT,
	 .at = WG(mtu),
	 .min = QUICK_MTU_MIN,
	 .max = QUICK_MTU_MAX},
	{.name = "listen_port",
	 .help = "UDP port that the tunnel uses here; 0: any that is free",
	 .preset = "0",
	 .type = WEIR_INT,
	 .at = WG(listen_port),
	 .min = 0,
	 .max = WG_PORT_MAX},
	{.name = "peers",
	 .help = "the other ends",
	 .type = WEIR_RECORD,
	 .flags = WEIR_LIST,
	 .at = WG(peers),
	 .record = &peer_schema},
	{.name = "interface",
	 .help = "name under which wg shows and changes the tunnel; none if "
		 "absent",
	 .type = WEIR_STRING,
	 .at = WG(interface),
	 .min = 1,
	 .max = IFNAMSIZ - 1},
	{.name = "domain_strategy",
	 .help = "which addresses of a name are used; with two digits, the "
		 "first family is preferred",
	 .preset = "force_ip",
	 .type = WEIR_ENUM,
	 .at = offsetof(struct outbound_conf, strategy),
	 .choices = strategies},
	{.name = "dns",
	 .help = "name servers that are asked through the tunnel; without any, "
		 "weir's own are asked outside of it",
	 .type = WEIR_ADDR,
	 .flags = WEIR_LIST | WEIR_NO_NAME,
	 .at = offsetof(struct outbound_conf, dns)},
	{.name = "dial_timeout",
	 .help = "how long to look up a name and connect to it",
	 .preset = "16s",
	 .type = WEIR_TIME,
	 .at = offsetof(struct outbound_conf, dial_timeout_ms),
	 .min = 10,
	 .max = DAY_MS},
	{.name = "workers",
	 .help = "threads that seal and open long runs of packets beside the "
		 "loop, for machines with CPUs to spare; 0: none",
	 .preset = "0",
	 .type = WEIR_INT,
	 .at = WG(workers),
	 .min = 0,
	 .max = WG_WORKERS_MAX},
	{.name = "congestion",
	 .help = "how TCP in the tunnel finds the rate of the path; default: "
		 "as the netstack is told; with kernel_tun the kernel's TCP "
		 "decides",
	 .preset = "bbr",
	 .type = WEIR_ENUM,
	 .at = WG(congestion),
	 .choices = wg_congestions},
	{.name = "kernel_tun",
	 .help = "carry sessions by the kernel's TCP over a TUN of the tunnel's "
		 "own, which takes CAP_NET_ADMIN; auto: where that is there",
	 .preset = "off",
	 .type = WEIR_ENUM,
	 .at = offsetof(struct outbound_conf, kernel_tun),
	 .choices = kernel_tuns},
};

/* The MTU and the addresses may stand in a wg-quick file. */
static bool check_kernel(const struct outbound_conf *c, struct weir_error *e)
{
	struct wg_settings *s = wg_settings_new(&c->wg, NULL, NULL, e);
	bool ok = s && mtu_suits_kernel(s, e);

	if (s && !ok && !c->wg.mtu)
		e->option = "config";
	wg_settings_free(s);
	return ok;
}

static bool conf_check(const void *conf, struct weir_error *e)
{
	const struct outbound_conf *c = conf;

	if (!c->wg.config && !c->wg.peers.count)
		return weir_error(e, "peers",
				  "is missing: a tunnel leads to a peer");
	return wg_options_check(&c->wg, e) &&
	       (c->kernel_tun != KERNEL_TUN_ON || check_kernel(c, e));
}

const struct weir_schema outbound_schema =
	WEIR_SCHEMA(struct outbound_conf, options, conf_check);
