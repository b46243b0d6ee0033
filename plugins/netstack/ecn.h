/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ecn.h - congestion that routers mark instead of dropping (RFC 3168). One
 * struct a connection; conn.h embeds it. */
#ifndef NETSTACK_ECN_H
#define NETSTACK_ECN_H

#include "packet.h"

#define ECN_MASK 3u /* of the IPv4 TOS or the IPv6 traffic class */
#define ECN_NONE 0u
#define ECN_ECT0 2u /* a router may mark it */
#define ECN_CE 3u   /* one did */

struct conn;
struct tcp_seg;

struct ecn {
	bool on : 1;   /* both sides said so in the handshake */
	bool echo : 1; /* CE came: say so until the peer says CWR */
	bool tell : 1; /* the window shrank: CWR in the next new data */
};

/* The field of an IP header. */
static inline uint8_t ecn_field(const uint8_t *ip, bool v6)
{
	return (v6 ? ip[1] >> 4 : ip[1]) & ECN_MASK;
}

/* Does a SYN ask for it? */
bool ecn_asked(const struct packet *p);

/* What a segment says. Once it was found acceptable: take it in. True: it says
 * that something of ours was marked. */
uint8_t ecn_see(const struct packet *p);
bool ecn_take(struct conn *c, uint32_t seq, uint32_t payload);

/* Something of ours goes out; it has gone out. */
void ecn_mark(struct conn *c, struct tcp_seg *seg);
void ecn_marked(struct conn *c, const struct tcp_seg *seg);

/* Does the congestion control heed it? What is sent says so. */
bool ecn_is_heeded(const struct conn *c);

#endif
