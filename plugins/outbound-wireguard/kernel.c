/* SPDX-License-Identifier: GPL-2.0-or-later */
/* kernel.c - the kernel's own TCP, UDP and ICMP inside a tunnel.
 *
 * To the tunnel this is a stack like the service netstack: packets go in,
 * sessions are opened. Behind it is a TUN with the tunnel's addresses and MTU
 * and a routing table of its own (plugins/tun); sessions are sockets bound to
 * that TUN and those addresses, as an outbound of type freedom has them
 * (plugins/freedom). Nobody can come in by it (guard.c). */
#include "kernel.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdlib.h>

#include "address.h"
#include "routing.h"

#define DEVICE_NAME "weirwg%d"

static bool has_family(const struct kernel *k, enum family family)
{
	for (size_t i = 0; i < k->sockets_conf.send_through.count; i++)
		if (addr_family(&k->sources[i]) == family)
			return true;
	return false;
}

static struct kernel *kernel_of(struct weir_link *link)
{
	return (struct kernel *)link;
}

/* ---- as weir_netstack_ops has them */

static struct weir_link *kernel_attach(void *self,
				       const struct weir_link_conf *conf,
				       const struct weir_link_ops *ops,
				       void *link, struct weir_error *e)
{
	struct kernel *k = self;

	(void)conf;
	k->link_ops = ops;
	k->link = link;
	if (kernel_resume(k))
		return (struct weir_link *)k;
	weir_error(e, NULL, "cannot watch %s: %s", k->device.name,
		   strerror(errno));
	return NULL;
}

static struct routing_plan plan_of(const struct kernel *k)
{
	return (struct routing_plan){
		.name = k->device.name,
		.index = k->routed,
		.addresses = k->addresses.items,
		.count = k->addresses.count,
	};
}

static void device_drop(struct kernel *k)
{
	const struct outbound *o = k->outbound;
	struct routing_plan plan = plan_of(k);
	struct weir_error e;

	kernel_pause(k);
	if (k->routed && !routing_undo(&plan, &e))
		o->host->log(o->instance, WEIR_WARN,
			     "%s: rules are left that lead nowhere, until weir "
			     "is started again: %s",
			     k->device.name, e.text);
	k->routed = 0;
	tun_close(&k->device);
}

/* Without the device the sockets fail by themselves. */
static void kernel_detach(struct weir_link *link)
{
	struct kernel *k = kernel_of(link);

	upkeep_free(k->upkeep);
	k->upkeep = NULL;
	device_drop(k);
}

static void *kernel_open(struct weir_link *link, struct weir_end *end,
			 const struct weir_addr *target, enum weir_net net)
{
	struct kernel *k = kernel_of(link);

	kernel_resume(k);
	if (!has_family(k, addr_family(target))) {
		k->outbound->host->fail(end, ENETUNREACH,
					"the tunnel has no address of this "
					"family");
		return NULL;
	}
	if (net == WEIR_NET_TCP)
		return connect_open(&k->sockets, end, target);
	if (net == WEIR_NET_UDP)
		udp_open(&k->sockets, end);
	else
		icmp_open(&k->sockets, end, target);
	return NULL;
}

static void kernel_abandon(struct weir_link *link, void *pending)
{
	struct pending *p = pending;

	(void)link;
	p->abandon(p);
}

static void kernel_writable(struct weir_link *link)
{
	kernel_resume(kernel_of(link));
}

const struct weir_netstack_ops kernel_stack = {
	.size = sizeof kernel_stack,
	.attach = kernel_attach,
	.detach = kernel_detach,
	.open = kernel_open,
	.abandon = kernel_abandon,
	.writable = kernel_writable,
	.room = kernel_room,
	.put = kernel_put,
	.flush = kernel_flush,
};

/* ---- its life */

static void warn_if_own(const struct kernel *k, const struct ifaddrs *other)
{
	const struct sockaddr_in *at = (const void *)other->ifa_addr;
	const struct weir_cidr *own = k->addresses.items;
	const struct outbound *o = k->outbound;
	char text[WEIR_ADDR_TEXT];

	for (size_t i = 0; i < k->addresses.count; i++)
		if (own[i].base.kind == WEIR_ADDR_IP4 &&
		    memcmp(own[i].base.ip, &at->sin_addr, 4) == 0)
			o->host->log(o->instance, WEIR_WARN,
				     "%s is an address of %s already; where "
				     "rp_filter is 1, only one of both "
				     "receives",
				     weir_addr_text(&own[i].base, text),
				     other->ifa_name);
}

/* The check of the way back (rp_filter) takes the first rule for an address, by
 * whichever interface a packet came; so tunnels cannot share one. IPv6 has no
 * such check. */
static void warn_of_shared(const struct kernel *k)
{
	struct ifaddrs *all;

	if (getifaddrs(&all))
		return;
	for (const struct ifaddrs *i = all; i; i = i->ifa_next)
		if (i->ifa_addr && i->ifa_addr->sa_family == AF_INET)
			warn_if_own(k, i);
	freeifaddrs(all);
}

static struct address_plan addresses_of(const struct kernel *k)
{
	return (struct address_plan){
		.name = k->device.name,
		.mtu_bytes = k->mtu_bytes,
		.addresses = k->addresses.items,
		.count = k->addresses.count,
		.unrouted = true,
	};
}

static bool device_make(struct kernel *k, unsigned index, struct weir_error *e)
{
	const struct outbound *o = k->outbound;
	struct routing_plan routes;
	struct address_plan plan;
	size_t skipped;

	if (!tun_open(&k->device, DEVICE_NAME, index, true, e))
		return false;
	warn_of_shared(k);
	plan = addresses_of(k);
	if (!address_apply(&plan, &skipped, e))
		return false;
	if (skipped)
		o->host->log(o->instance, WEIR_WARN,
			     "%s: IPv6 is switched off here; its IPv6 "
			     "addresses were left out",
			     k->device.name);
	k->routed = if_nametoindex(k->device.name);
	routes = plan_of(k);
	return routing_apply(&routes, e);
}

/* The sockets find the device again by its old index, which another interface
 * may have by now. */
static bool device_remake(void *arg, struct weir_error *e)
{
	struct kernel *k = arg;
	unsigned index = k->routed;
	bool ok;

	device_drop(k);
	k->gone = true;
	ok = device_make(k, index, e);
	if (!ok) {
		device_drop(k);
		ok = device_make(k, 0, e);
	}
	if (!ok) {
		device_drop(k);
		return false;
	}
	k->gone = false;
	return !k->link || kernel_resume(k) ||
	       weir_error(e, NULL, "cannot watch it: %s", strerror(errno));
}

static bool upkeep_start(struct kernel *k, struct weir_error *e)
{
	const struct upkeep_conf conf = {
		.instance = k->outbound->instance,
		.host = k->outbound->host,
		.device = &k->device,
		.addresses = addresses_of(k),
		.routed = true,
		.remake = device_remake,
		.arg = k,
	};

	k->upkeep = upkeep_new(&conf, e);
	return k->upkeep;
}

/* A copy of the addresses, since rules are removed last; the first of each
 * family is what sockets send from. */
static bool addresses_take(struct kernel *k, const struct weir_list *from,
			   struct weir_error *e)
{
	struct weir_list *list = &k->sockets_conf.send_through;
	struct weir_cidr *a;

	if (!from->count)
		return weir_error(e, "address",
				  "is missing: a TUN needs one for its "
				  "sockets");
	a = calloc(from->count, sizeof *a);
	k->sources = calloc(FAMILIES, sizeof *k->sources);
	k->addresses.items = a;
	list->items = k->sources;
	if (!a || !k->sources)
		return weir_error(e, NULL, "out of memory");
	memcpy(a, from->items, from->count * sizeof *a);
	k->addresses.count = from->count;
	for (size_t i = 0; i < from->count; i++)
		if (!has_family(k, addr_family(&a[i].base)))
			k->sources[list->count++] = a[i].base;
	k->guard.addresses = a;
	k->guard.count = from->count;
	return true;
}

static bool sockets_make(struct kernel *k, struct weir_error *e)
{
	const struct outbound *o = k->outbound;

	freedom_init(&k->sockets, o->instance, o->host, true);
	k->sockets_conf.dial_timeout_ms = o->conf->dial_timeout_ms;
	k->sockets.conf = &k->sockets_conf;
	k->sockets.device = k->device.name;
	return freedom_start(&k->sockets) ||
	       weir_error(e, NULL, "out of memory");
}

struct kernel *kernel_new(struct outbound *o, const struct weir_list *addresses,
			  uint32_t mtu_bytes, struct weir_error *e)
{
	struct kernel *k = calloc(1, sizeof *k);

	if (!k) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	k->outbound = o;
	k->mtu_bytes = mtu_bytes;
	k->device.fd = -1;
	k->refused = o->host->counter(o->instance, "inside_refused");
	k->dropped = o->host->counter(o->instance, "inside_dropped");
	if (addresses_take(k, addresses, e) && device_make(k, 0, e) &&
	    sockets_make(k, e) && upkeep_start(k, e)) {
		k->merge.trains = k->device.offloads & WEIR_LINK_TSO;
		return k;
	}
	kernel_free(k);
	return NULL;
}

void kernel_free(struct kernel *k)
{
	if (!k)
		return;
	kernel_detach((struct weir_link *)k);
	freedom_fini(&k->sockets);
	free(k->sources);
	free(k->addresses.items);
	free(k);
}
