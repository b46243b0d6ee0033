/* SPDX-License-Identifier: GPL-2.0-or-later */
/* send.h - what the rest of the stack needs of the sending side. */
#ifndef NETSTACK_SEND_H
#define NETSTACK_SEND_H

#include <stdint.h>

struct netstack;

void send_trim(struct netstack *s, uint32_t n); /* give n free blocks back */

#endif
