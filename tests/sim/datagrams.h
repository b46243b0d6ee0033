/* SPDX-License-Identifier: GPL-2.0-or-later */
/* datagrams.h - datagrams between a client on the link and a server behind the
 * stack. All carry the beginning of one payload. */
#ifndef SIM_DATAGRAMS_H
#define SIM_DATAGRAMS_H

#include "client.h"

#include <check.h>

static uint8_t packet[PACKET_MOST], payload[PACKET_MOST];

static void begin(void)
{
	tun_begin();
	for (int i = 0; i < PACKET_MOST; i++)
		payload[i] = (uint8_t)(i * 7 + i / 256);
}

static struct path path_of(int v6, uint16_t port)
{
	return v6 ? path6(5000, "2001:db8::53", port)
		  : path4(5000, "203.0.113.53", port);
}

static struct weir_end *send_udp(const struct path *p, uint32_t len)
{
	sim_input(&tun, packet, make_udp(packet, p, payload, len));
	return sim.ends;
}

static void reply(struct weir_end *e, const struct weir_addr *from,
		  uint32_t len, uint16_t segment)
{
	struct weir_datagram d = {from, payload, len, segment};

	ck_assert_int_eq(e->flow->send(e->self, &d, 1), 1);
}

#endif
