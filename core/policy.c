/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Policy levels, and how long a flow of datagrams is kept. */
#include "policy.h"

#define PORT_DNS 53
#define PORT_NTP 123
#define PORT_HTTPS 443 /* QUIC, DTLS tunnels */
#define PORT_DNS_DTLS 853
#define PORT_STUN 3478
#define IDLE_QUESTION_MS 10000
#define IDLE_CONNECTION_MS 30000

const struct weir_policy *policy_of(const struct config *c, uint32_t level)
{
	const struct config_level *levels = c->levels.items;
	const struct weir_policy *zero = NULL;

	for (size_t i = 0; i < c->levels.count; i++) {
		if (levels[i].level == level)
			return &levels[i].policy;
		if (levels[i].level == 0)
			zero = &levels[i].policy;
	}
	return zero;
}

static uint32_t idle_of_port(uint16_t port)
{
	switch (port) {
	case PORT_DNS:
	case PORT_NTP:
	case PORT_STUN:
		return IDLE_QUESTION_MS;
	case PORT_HTTPS:
	case PORT_DNS_DTLS:
		return IDLE_CONNECTION_MS;
	default:
		return UINT32_MAX;
	}
}

uint32_t policy_flow_idle_ms(const struct weir_policy *p, enum weir_net net,
			     uint16_t port)
{
	uint32_t idle_ms =
		net == WEIR_NET_ICMP ? IDLE_CONNECTION_MS : idle_of_port(port);

	return idle_ms < p->idle_ms ? idle_ms : p->idle_ms;
}
