/* SPDX-License-Identifier: GPL-2.0-or-later */
/* ack.h - when an acknowledgement leaves that nothing takes along. */
#ifndef NETSTACK_ACK_H
#define NETSTACK_ACK_H

#include <stdbool.h>
#include <stdint.h>

struct conn;
struct netstack;

/* The first bytes of a sender: whole packets are acknowledged at once. */
#define EARLY_SEGMENTS 32u
bool ack_is_early(const struct conn *c);
uint32_t ack_delay_us(const struct conn *c);

void ack_later(struct conn *c);	    /* when the batch is through */
void ack_forget(struct conn *c);    /* it goes away */
void ack_flush(struct netstack *s); /* the batch is through */

#endif
