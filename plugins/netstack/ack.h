/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ack.h - when an acknowledgement leaves that nothing takes along. */
#ifndef NETSTACK_ACK_H
#define NETSTACK_ACK_H

#include <stdbool.h>
#include <stdint.h>

struct conn;

/* The first bytes of a sender: whole packets are acknowledged at once. */
#define EARLY_SEGMENTS 32u
bool ack_is_early(const struct conn *c);
uint32_t ack_delay_us(const struct conn *c);

/* An ACK is wanted now. May it wait for the end of the burst? Then it does. */
bool ack_waits(struct conn *c);

void ack_flush(struct conn *c); /* the burst is over */
void ack_sent(struct conn *c);	/* one went out, or data that says it */

#endif
