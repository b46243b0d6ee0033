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

/* Fresh random bytes from the kernel. */
bool port_random(void *to, size_t len);

#endif
