/* SPDX-License-Identifier: GPL-2.0-or-later */
/* freedom.c - what the sockets of an instance share, made and given back. */
#include "freedom.h"

#include <stdlib.h>

#define INSIDE "inside_"

/* The whole name of each counter; sockets that are not inside a tunnel leave
 * INSIDE out. */
static const struct {
	size_t at;
	const char *name;
} counters[] = {
#define COUNTER(field)                                                         \
	{                                                                      \
		offsetof(struct freedom_counters, field), INSIDE #field        \
	}
	COUNTER(tcp_connects),	 COUNTER(tcp_failures),
	COUNTER(tcp_sent_bytes), COUNTER(tcp_received_bytes),
	COUNTER(udp_flows),	 COUNTER(udp_sent),
	COUNTER(udp_received),	 COUNTER(udp_dropped),
	COUNTER(udp_sent_bytes), COUNTER(udp_received_bytes),
	COUNTER(icmp_flows),	 COUNTER(icmp_sent),
	COUNTER(icmp_received),	 COUNTER(icmp_dropped),
#undef COUNTER
};

void freedom_init(struct freedom *f, struct weir_instance *instance,
		  const struct weir_host *host, bool inside)
{
	size_t skip = inside ? 0 : sizeof INSIDE - 1;

	*f = (struct freedom){
		.instance = instance, .host = host, .inside = inside};
	f->resume.run = udp_resume;
	for (size_t i = 0; i < sizeof counters / sizeof counters[0]; i++)
		*(uint64_t **)((char *)&f->n + counters[i].at) =
			host->counter(instance, counters[i].name + skip);
}

const char *freedom_why(char *text, const char *step, int err)
{
	snprintf(text, FREEDOM_WHY_BYTES, "%s: %s", step, strerror(err));
	return text;
}

struct weir_query *freedom_resolve(
	struct freedom *f, const char *name, unsigned families,
	void (*done)(void *arg, int err, const struct weir_addr *addrs, int n),
	void *arg)
{
	if (f->inside)
		return NULL;
	return f->host->resolve(f->instance, name, families, done, arg);
}

bool freedom_start(struct freedom *f)
{
	/* Large and mostly never touched: the kernel gives pages on use. */
	f->room = malloc((size_t)RECEIVE_VECTORS * RECEIVE_ROOM);
	f->received = f->room ? received_new(f->room) : NULL;
	f->echo_id = (uint16_t)f->host->now_us();
	return f->received && keepalive_init(f);
}

void freedom_fini(struct freedom *f)
{
	keepalive_fini(f);
	free(f->received);
	free(f->room);
}
