/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of an inbound of type wireguard, and the rules that span them. */
#include "inbound.h"

#include <net/if.h>

#define NAME_BYTES_MAX 63
#define LEVEL_MAX 255

static const struct weir_option peer_options[] = {
	{.name = "name",
	 .help = "the user that the peer's sessions belong to",
	 .type = WEIR_STRING,
	 .flags = WEIR_REQUIRED,
	 .at = offsetof(struct wg_peer_options, name),
	 .min = 1,
	 .max = NAME_BYTES_MAX},
	{.name = "public_key",
	 .help = "by which the peer is known",
	 .type = WEIR_KEY,
	 .flags = WEIR_REQUIRED,
	 .at = offsetof(struct wg_peer_options, public_key)},
	{.name = "pre_shared_key",
	 .help = "a secret that both ends were given beside their keys",
	 .type = WEIR_KEY,
	 .flags = WEIR_SECRET,
	 .at = offsetof(struct wg_peer_options, pre_shared_key)},
	{.name = "allowed_ips",
	 .help = "the peer's addresses in the tunnel; no two peers share one",
	 .type = WEIR_CIDR,
	 .flags = WEIR_LIST | WEIR_REQUIRED,
	 .at = offsetof(struct wg_peer_options, allowed_ips)},
	{.name = "endpoint",
	 .help = "where the peer is, an address or a name, with its port; "
		 "without it the peer must speak first",
	 .type = WEIR_ADDR,
	 .flags = WEIR_WITH_PORT,
	 .at = offsetof(struct wg_peer_options, endpoint)},
	{.name = "keepalive",
	 .help = "send something this often, so that firewalls on the way keep "
		 "the tunnel open; 0: only what is needed",
	 .preset = "0",
	 .type = WEIR_TIME,
	 .at = offsetof(struct wg_peer_options, keepalive_ms),
	 .max = WG_KEEPALIVE_MS_MAX},
	{.name = "level",
	 .help = "the policy level of the peer's sessions; 0: the inbound's",
	 .preset = "0",
	 .type = WEIR_INT,
	 .flags = WEIR_LEVEL,
	 .at = offsetof(struct wg_peer_options, level),
	 .min = 0,
	 .max = LEVEL_MAX},
	{.name = "reserved",
	 .help = "three bytes that the peer has in each message: numbers, hex "
		 "or base64",
	 .type = WEIR_STRING,
	 .flags = WEIR_LIST,
	 .at = offsetof(struct wg_peer_options, reserved)},
};

static const struct weir_schema peer_schema =
	WEIR_SCHEMA(struct wg_peer_options, peer_options, NULL);

#define WG(field) offsetof(struct inbound_conf, wg.field)

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
	{.name = "listen",
	 .help = "UDP address and port that peers send to, on every address of "
		 "both families where it is [::]",
	 .type = WEIR_ADDR,
	 .flags = WEIR_NO_NAME | WEIR_WITH_PORT,
	 .at = offsetof(struct inbound_conf, listen)},
	{.name = "listen_port",
	 .help = "UDP port on every address, instead of listen",
	 .type = WEIR_INT,
	 .at = WG(listen_port),
	 .min = 1,
	 .max = WG_PORT_MAX},
	{.name = "private_key",
	 .help = "the server's key, as wg genkey prints it",
	 .type = WEIR_KEY,
	 .flags = WEIR_SECRET,
	 .at = WG(private_key)},
	{.name = "private_key_file",
	 .help = "a file that holds the key and that others cannot read",
	 .type = WEIR_PATH,
	 .at = WG(private_key_file)},
	{.name = "address",
	 .help = "the server's own addresses in the tunnel; they answer pings",
	 .type = WEIR_CIDR,
	 .flags = WEIR_LIST | WEIR_HOST_BITS,
	 .at = WG(address)},
	{.name = "mtu",
	 .help = "largest packet in the tunnel in bytes; 1420 if absent",
	 .type = WEIR_INT,
	 .at = WG(mtu),
	 .min = QUICK_MTU_MIN,
	 .max = QUICK_MTU_MAX},
	{.name = "peers",
	 .help = "who may come in",
	 .type = WEIR_RECORD,
	 .flags = WEIR_LIST,
	 .at = WG(peers),
	 .record = &peer_schema},
	{.name = "interface",
	 .help = "name under which wg shows and changes the server; none if "
		 "absent",
	 .type = WEIR_STRING,
	 .at = WG(interface),
	 .min = 1,
	 .max = IFNAMSIZ - 1},
	{.name = "allow_private",
	 .help = "let peers reach private and local addresses of the server's "
		 "networks",
	 .preset = "false",
	 .type = WEIR_BOOL,
	 .at = offsetof(struct inbound_conf, allow_private)},
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
		 "as the netstack is told",
	 .preset = "bbr",
	 .type = WEIR_ENUM,
	 .at = WG(congestion),
	 .choices = wg_congestions},
};

static bool conf_check(const void *conf, struct weir_error *e)
{
	const struct inbound_conf *c = conf;

	if (c->wg.listen_port && c->listen.kind != WEIR_ADDR_NONE)
		return weir_error(e, "listen_port",
				  "give it or listen, not both");
	if (!c->wg.config && !c->wg.listen_port &&
	    c->listen.kind == WEIR_ADDR_NONE)
		return weir_error(e, "listen",
				  "is missing: where peers send to, such as "
				  "\"[::]:%u\"",
				  PORT_PRESET);
	return wg_options_check(&c->wg, e);
}

const struct weir_schema inbound_schema =
	WEIR_SCHEMA(struct inbound_conf, options, conf_check);
