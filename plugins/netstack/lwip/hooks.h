/* SPDX-License-Identifier: GPL-2.0-or-later */
/* hooks.h - where lwIP asks us. Included by lwIP itself. */
#ifndef NETSTACK_HOOKS_H
#define NETSTACK_HOOKS_H

#include "lwip/arch.h"
#include "lwip/err.h"
#include "lwip/ip_addr.h"

struct tcp_pcb;
struct tcp_hdr;
struct pbuf;

/* Before a segment is processed; not ERR_OK drops it (recovery.c). */
err_t hook_segment(struct tcp_pcb *pcb, struct tcp_hdr *tcp, u16_t options_len,
		   u16_t first_len, struct pbuf *p);

/* An initial sequence number (port.c). */
u32_t hook_isn(const ip_addr_t *local, u16_t local_port,
	       const ip_addr_t *remote, u16_t remote_port);

/* A pcb ends (conn.c). */
void hook_pcb_freed(const void *pcb);

#define LWIP_HOOK_TCP_INPACKET_PCB(pcb, hdr, optlen, opt1len, opt2, p)         \
	hook_segment(pcb, hdr, optlen, opt1len, p)
#define LWIP_HOOK_TCP_ISN hook_isn

#endif
