/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The options of an inbound of type tun, and the rules that span them. */
#include "options.h"

#include <weir/netstack.h>

#include <limits.h>
#include <net/if.h>

static bool name_is_pattern(const char *percent)
{
	return percent[1] == 'd' && !strchr(percent + 2, '%');
}

static bool conf_check(const void *conf, struct weir_error *e)
{
	const struct tun_conf *c = conf;
	const char *percent;

	if (!c->name)
		return true;
	if (c->fd >= 0)
		return weir_error(e, "name",
				  "a TUN that is handed in has its name: give "
				  "fd or name, not both");
	percent = strchr(c->name, '%');
	if (strpbrk(c->name, "/: \t\n\v\f\r") || !strcmp(c->name, ".") ||
	    !strcmp(c->name, "..") || (percent && !name_is_pattern(percent)))
		return weir_error(
			e, "name",
			"\"%s\" is not an interface name: 1 to 15 "
			"characters without spaces, slashes and colons, "
			"and %%d for a number at most once",
			c->name);
	return true;
}

static const char *const congestions[] = {
	[WEIR_CONGESTION_DEFAULT] = "default",
	[WEIR_CONGESTION_CUBIC] = "cubic",
	[WEIR_CONGESTION_BBR] = "bbr",
	NULL,
};

static const struct weir_option tun_options[] = {
	{.name = "name",
	 .help = "interface to make or take over, weir0 if absent; %d stands "
		 "for the first free number",
	 .type = WEIR_STRING,
	 .at = offsetof(struct tun_conf, name),
	 .min = 1,
	 .max = IFNAMSIZ - 1},
	{.name = "mtu",
	 .help = "largest packet in bytes",
	 .preset = "1500",
	 .type = WEIR_INT,
	 .at = offsetof(struct tun_conf, mtu),
	 .min = 1280,
	 .max = 65520},
	{.name = "address",
	 .help = "addresses of the interface, with their prefix lengths",
	 .preset = "[198.18.0.1/15, \"fd00:198:18::1/64\"]",
	 .type = WEIR_CIDR,
	 .flags = WEIR_LIST | WEIR_HOST_BITS,
	 .at = offsetof(struct tun_conf, address)},
	{.name = "fd",
	 .help = "open file of a TUN made by someone else, whose link, "
		 "addresses and routes are then left alone; also by the "
		 "variable WEIR_TUN_FD",
	 .preset = "-1",
	 .type = WEIR_INT,
	 .at = offsetof(struct tun_conf, fd),
	 .min = -1,
	 .max = INT_MAX},
	{.name = "offload",
	 .help = "hand over trains of segments and unfinished checksums where "
		 "the kernel can",
	 .preset = "true",
	 .type = WEIR_BOOL,
	 .at = offsetof(struct tun_conf, offload)},
	{.name = "congestion",
	 .help = "how TCP finds the rate of the path to the clients; default "
		 "leaves it to the service",
	 .preset = "default",
	 .type = WEIR_ENUM,
	 .at = offsetof(struct tun_conf, congestion),
	 .choices = congestions},
};

const struct weir_schema tun_schema =
	WEIR_SCHEMA(struct tun_conf, tun_options, conf_check);
