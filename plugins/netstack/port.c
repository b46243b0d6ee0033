/* SPDX-License-Identifier: GPL-2.0-or-later */
/* port.c - what lwIP asks of its platform: a clock, randomness, initial
 * sequence numbers, and what to do when an assertion fails.
 *
 * Sequence numbers follow RFC 6528: a keyed hash of the connection plus a
 * clock of 4 us. A connection that was faster than that clock may have used
 * numbers ahead of it; one that takes its place within TIME_WAIT begins above
 * them. The variables here are the plugin's only ones, as lwIP is one per
 * process itself. */
#include "port.h"

#include "table.h"

#include "lwip/init.h"
#include "lwip/ip_addr.h"
#include "lwip/priv/tcp_priv.h"
#include "lwip/sys.h"

#include "lwip/hooks.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#define ISN_TICK_US 4u
#define ISN_GAP 65537u /* beyond what an unscaled window may still take */

static uint64_t (*clock_us)(void);
static struct siphash_key isn_key;
static const uint32_t *isn_above;

bool port_random(void *to, size_t len)
{
	uint8_t *at = to;

	while (len) {
		ssize_t n = getrandom(at, len, 0);

		if (n < 0 && errno != EINTR)
			return false;
		if (n > 0) {
			at += n;
			len -= (size_t)n;
		}
	}
	return true;
}

bool port_start(const struct weir_host *host, struct weir_error *e)
{
	if (clock_us)
		return true;
	if (!port_random(&isn_key, sizeof isn_key))
		return weir_error(e, NULL, "no randomness: %s",
				  strerror(errno));
	clock_us = host->now_us;
	lwip_init();
	return true;
}

u32_t sys_now(void)
{
	return (u32_t)(clock_us() / 1000);
}

uint32_t port_stamp_now(void)
{
	return port_stamp(clock_us());
}

unsigned lwip_random(void)
{
	unsigned value = 1;

	port_random(&value, sizeof value);
	return value;
}

void port_isn_above(const uint32_t *seq)
{
	isn_above = seq;
}

u32_t hook_isn(const ip_addr_t *local, u16_t local_port,
	       const ip_addr_t *remote, u16_t remote_port)
{
	struct tuple t = {.local_port = local_port, .remote_port = remote_port};
	u32_t isn;

	if (IP_IS_V6(local)) {
		memcpy(t.local, ip_2_ip6(local)->addr, 16);
		memcpy(t.remote, ip_2_ip6(remote)->addr, 16);
	} else {
		memcpy(t.local, &ip_2_ip4(local)->addr, 4);
		memcpy(t.remote, &ip_2_ip4(remote)->addr, 4);
	}
	isn = (u32_t)siphash(&isn_key, &t, sizeof t) +
	      (u32_t)(clock_us() / ISN_TICK_US);
	if (isn_above && TCP_SEQ_LEQ(isn, *isn_above))
		isn = *isn_above + ISN_GAP;
	return isn;
}

void lwip_assert_failed(const char *what, const char *file, int line)
{
	fprintf(stderr, "netstack: lwIP: %s (%s:%d)\n", what, file, line);
	abort();
}

/* lwIP asks for its timers to be started: the wheel does their work. */
void tcp_timer_needed(void)
{
}
