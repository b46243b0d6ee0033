/* SPDX-License-Identifier: GPL-2.0-or-later */
/* stack.c - instances of the service and the links attached to them.
 *
 * All that is shared between links is memory: buffers, blocks, fragments, and
 * the bounds on them. Each link has tables of its own, so two networks with
 * the same addresses do not meet. */
#include "stack.h"

#include "buffer.h"
#include "flow.h"
#include "frag.h"
#include "memory.h"
#include "netif.h"
#include "port.h"

#include <stdlib.h>

#define MTU_LEAST 576u
#define MTU_MOST 65535u
#define MAX_FLOWS_PRESET 65536u
#define REPLIES_A_SECOND 1000u
#define REPLY_BURST_US SECOND_US

static const char *const count_names[COUNTS] = {
	[COUNT_DROP] = "drop_none",
	[COUNT_DROP + DROP_LENGTH] = "drop_length",
	[COUNT_DROP + DROP_VERSION] = "drop_version",
	[COUNT_DROP + DROP_CHECKSUM] = "drop_checksum",
	[COUNT_DROP + DROP_ADDRESS] = "drop_address",
	[COUNT_DROP + DROP_OPTION] = "drop_option",
	[COUNT_DROP + DROP_PROTOCOL] = "drop_protocol",
	[COUNT_DROP + DROP_HEADER] = "drop_header",
	[COUNT_CONNECTIONS] = "connections",
	[COUNT_CONNECTIONS_TOTAL] = "connections_total",
	[COUNT_HALF_OPEN] = "half_open",
	[COUNT_FLOWS] = "flows",
	[COUNT_FLOWS_TOTAL] = "flows_total",
	[COUNT_FLOWS_EVICTED] = "flows_evicted",
	[COUNT_SYN_DROPPED] = "syn_dropped",
	[COUNT_SYN_PUT_OFF] = "syn_put_off",
	[COUNT_HALF_OPEN_EVICTED] = "half_open_evicted",
	[COUNT_NO_CONNECTION] = "no_connection",
	[COUNT_MEMORY_DROPPED] = "memory_dropped",
	[COUNT_FRAGMENTS_DROPPED] = "fragments_dropped",
	[COUNT_OUTPUT_DROPPED] = "output_dropped",
	[COUNT_FLOW_REFUSED] = "flow_refused",
	[COUNT_RETRANSMITS] = "retransmits",
	[COUNT_HELD_BYTES] = "held_bytes",
	[COUNT_MEMORY] = "memory_bytes",
	[COUNT_RENEGED] = "out_of_order_dropped",
	[COUNT_MEMORY_PEAK] = "memory_peak_bytes",
	[COUNT_CHALLENGES] = "challenge_acks",
	[COUNT_CHALLENGES_SPARED] = "challenge_acks_spared",
	[COUNT_PMTU_LOWERED] = "path_mtu_lowered",
	[COUNT_PMTU_IGNORED] = "path_mtu_ignored",
	[COUNT_BLACK_HOLES] = "black_holes",
	[COUNT_BLACK_HOLES_UNDONE] = "black_holes_undone",
};

static void stack_counters(struct netstack *s)
{
	for (int i = 0; i < COUNTS; i++)
		s->count[i] = s->host->counter(s->instance, count_names[i]);
}

struct netstack *stack_new(struct weir_instance *instance,
			   const struct weir_host *host,
			   const struct netstack_conf *conf,
			   struct weir_error *e)
{
	struct netstack *s;

	if (!port_start(host, e))
		return NULL;
	s = calloc(1, sizeof *s);
	if (!s) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	s->instance = instance;
	s->host = host;
	s->conf = conf;
	memory_init(s);
	stack_counters(s);
	if (!port_random(&s->key, sizeof s->key) ||
	    !wheel_init(&s->wheel, instance, host) || !frag_init(s)) {
		weir_error(e, NULL, "out of memory");
		stack_free(s);
		return NULL;
	}
	tcp_timer_init(s);
	trim_init(s);
	return s;
}

void stack_free(struct netstack *s)
{
	while (s->links)
		link_detach(s->links);
	frag_fini(s);
	trim_all(s);
	sieve_fini(&s->sieve);
	wheel_fini(&s->wheel);
	free(s);
}

static bool copy_addresses(struct weir_link *link,
			   const struct weir_link_conf *conf,
			   struct weir_error *e)
{
	size_t size = conf->address_count * sizeof *link->addresses;

	link->addresses = malloc(size ? size : 1);
	if (!link->addresses)
		return weir_error(e, NULL, "out of memory");
	if (size)
		memcpy(link->addresses, conf->addresses, size);
	link->address_count = conf->address_count;
	return true;
}

static bool set_congestion(struct weir_link *link,
			   const struct weir_link_conf *conf,
			   struct weir_error *e)
{
	link->congestion = (uint8_t)link->stack->conf->congestion;
	if (!WEIR_HAS(conf, congestion))
		return true;
	switch (conf->congestion) {
	case WEIR_CONGESTION_DEFAULT:
		return true;
	case WEIR_CONGESTION_CUBIC:
		link->congestion = CHOICE_CUBIC;
		return true;
	case WEIR_CONGESTION_BBR:
		link->congestion = CHOICE_BBR;
		return true;
	default:
		return weir_error(e, "congestion",
				  "this netstack does not know number %u",
				  (unsigned)conf->congestion);
	}
}

static bool link_setup(struct weir_link *link,
		       const struct weir_link_conf *conf, struct weir_error *e)
{
	uint32_t seed[2];

	if (conf->mtu_bytes < MTU_LEAST)
		return weir_error(e, "mtu", "%u is too small; the least is %u",
				  conf->mtu_bytes, MTU_LEAST);
	link->mtu = conf->mtu_bytes < MTU_MOST ? conf->mtu_bytes : MTU_MOST;
	link->offloads = conf->offloads;
	if (!(link->offloads & WEIR_LINK_CSUM))
		link->offloads = 0; /* trains need it */
	link->keepalive = conf->keepalive;
	link->max_flows = conf->max_flows ? conf->max_flows : MAX_FLOWS_PRESET;
	if (!set_congestion(link, conf, e))
		return false;
	if (!port_random(seed, sizeof seed))
		return weir_error(e, NULL, "no randomness");
	link->ip4_id = (uint16_t)seed[0];
	link->ip6_id = seed[1];
	if (!table_init(&link->conns) || !table_init(&link->flows))
		return weir_error(e, NULL, "out of memory");
	return copy_addresses(link, conf, e) && netif_open(link, e);
}

struct weir_link *link_attach(void *self, const struct weir_link_conf *conf,
			      const struct weir_link_ops *ops, void *owner,
			      struct weir_error *e)
{
	struct netstack *s = self;
	struct weir_link *link = calloc(1, sizeof *link);

	if (!link) {
		weir_error(e, NULL, "out of memory");
		return NULL;
	}
	link->stack = s;
	link->ops = ops;
	link->owner = owner;
	link->id = s->next_link_id++;
	link->next = s->links;
	s->links = link;
	if (!link_setup(link, conf, e)) {
		link_detach(link);
		return NULL;
	}
	return link;
}

void link_detach(struct weir_link *link)
{
	struct weir_link **at = &link->stack->links;

	gro_detach(link);
	flow_detach_all(link);
	netif_close(link);
	frag_detach(link);
	while (*at != link)
		at = &(*at)->next;
	*at = link->next;
	table_fini(&link->conns);
	table_fini(&link->flows);
	free(link->addresses);
	free(link->narrow);
	free(link);
}

const struct weir_cidr *link_own_address(const struct weir_link *link,
					 const struct weir_addr *a)
{
	for (uint32_t i = 0; i < link->address_count; i++) {
		struct weir_addr own = link->addresses[i].base;

		own.port = a->port;
		if (weir_addr_equal(&own, a))
			return &link->addresses[i];
	}
	return NULL;
}

const struct weir_cidr *link_address(const struct weir_link *link, bool v6)
{
	unsigned kind = v6 ? WEIR_ADDR_IP6 : WEIR_ADDR_IP4;

	for (uint32_t i = 0; i < link->address_count; i++)
		if (link->addresses[i].base.kind == kind)
			return &link->addresses[i];
	return NULL;
}

/* A bucket that fills with time: reply_us is when it was empty last. */
bool link_may_reply(struct weir_link *link)
{
	uint64_t now_us = stack_now_us(link->stack);
	uint64_t cost_us = SECOND_US / REPLIES_A_SECOND;

	if (link->reply_us + REPLY_BURST_US < now_us)
		link->reply_us = now_us - REPLY_BURST_US;
	if (link->reply_us + cost_us > now_us)
		return false;
	link->reply_us += cost_us;
	return true;
}

void link_output(struct weir_link *link, const struct weir_egress *v, int n)
{
	int taken = link->ops->output(link->owner, v, n);

	if (taken < n)
		stack_add(link->stack, COUNT_OUTPUT_DROPPED,
			  (uint64_t)(n - (taken > 0 ? taken : 0)));
}
