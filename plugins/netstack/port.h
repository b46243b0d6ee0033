/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port.h - lwIP's platform. lwIP is one set of globals a process; so are the
 * clock and the secret that it needs from us. */
#ifndef NETSTACK_PORT_H
#define NETSTACK_PORT_H

#include "siphash.h"

#include <weir/host.h>

/* Start lwIP with the first instance; later calls do nothing. */
bool port_start(const struct weir_host *host, struct weir_error *e);

/* The next initial sequence number is to be above this one; NULL: anywhere. */
void port_isn_above(const uint32_t *seq);

/* TCP's timestamp at that time, in ticks of 65.5 ms (RFC 7323, 5.4: 1 ms to
 * 1 s). A copy that fills a hole outdates whatever was sent in the ticks before
 * it (PAWS): on a path that reorders the peer would drop what is merely late.
 * Nothing is measured by timestamps, and what they tell apart, a segment and
 * its copy, was sent at least a round trip apart. */
static inline uint32_t port_stamp(uint64_t now_us)
{
	return (uint32_t)(now_us >> 16);
}
uint32_t port_stamp_now(void);

/* Fresh random bytes from the kernel. */
bool port_random(void *to, size_t len);

#endif
