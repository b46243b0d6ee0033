/* SPDX-License-Identifier: GPL-2.0-or-later */
/* lwipopts.h - how lwIP is built here: its TCP, the IP output beneath it and
 * nothing else. The sizes are bounds that our own rooms stay well within:
 * windows are set a connection (receive.c), what is queued is send.c's. */
#ifndef NETSTACK_LWIPOPTS_H
#define NETSTACK_LWIPOPTS_H

/* No threads, no timers of its own, memory from malloc. */
#define NO_SYS 1
#define SYS_LIGHTWEIGHT_PROT 0
#define LWIP_TIMERS 0
#define MEM_LIBC_MALLOC 1
#define MEMP_MEM_MALLOC 1
#define MEM_ALIGNMENT 8
#define MEMP_NUM_TCP_PCB 70000
#define MEMP_NUM_TCP_SEG 1000000
#define PBUF_POOL_SIZE 0
#define PBUF_POOL_BUFSIZE 2048
#define LWIP_SUPPORT_CUSTOM_PBUF 1

/* Ours: demultiplexing, UDP, ICMP, reassembly. */
#define LWIP_NETCONN 0
#define LWIP_SOCKET 0
#define LWIP_ARP 0
#define LWIP_ETHERNET 0
#define LWIP_RAW 0
#define LWIP_UDP 0
#define LWIP_ICMP 0
#define LWIP_DHCP 0
#define LWIP_IGMP 0
#define LWIP_DNS 0
#define LWIP_STATS 0
#define LWIP_IPV4 1
#define LWIP_IPV6 1
#define LWIP_IPV6_SCOPES 0
#define LWIP_IPV6_MLD 0
#define LWIP_IPV6_AUTOCONFIG 0
#define LWIP_IPV6_SEND_ROUTER_SOLICIT 0
#define LWIP_IPV6_DUP_DETECT_ATTEMPTS 0
#define LWIP_ND6_ALLOW_RA_UPDATES 0
#define LWIP_ND6_TCP_REACHABILITY_HINTS 0
#define IP_REASSEMBLY 0
#define LWIP_IPV6_REASS 0
/* With trains lwIP would cut segments of 64 KB into fragments. */
#define IP_FRAG 0
#define LWIP_IPV6_FRAG 0

#define IP_DEFAULT_TTL 64
#define LWIP_TCP 1
/* One function for all events and no argument beside the first: a pointer for
 * each would take 64 bytes of every connection. */
#define LWIP_CALLBACK_API 0
#define LWIP_EVENT_API 1
#define LWIP_TCP_SACK_OUT 1
#define LWIP_TCP_MAX_SACK_NUM 4
#define LWIP_TCP_TIMESTAMPS 1
/* Probes of a silent peer, where a link asks for them (conn.c). */
#define LWIP_TCP_KEEPALIVE 0
#define TCP_KEEPIDLE_DEFAULT 60000UL
#define TCP_KEEPINTVL_DEFAULT 15000UL
#define TCP_KEEPCNT_DEFAULT 4U
#define LWIP_WND_SCALE 1
#define TCP_RCV_SCALE 8
#define TCP_WND (0xffffu << TCP_RCV_SCALE) /* 16 MB */
#define TCP_SND_BUF (32u * 1024 * 1024)
#define TCP_SND_QUEUELEN 65000
#define TCP_SNDLOWAT (256 * 1024)
#define TCP_SNDQUEUELOWAT 100
#define TCP_WND_UPDATE_THRESHOLD (64 * 1024)
#define TCP_MSS 65480
#define TCP_CALCULATE_EFF_SEND_MSS 1
#define TCP_OVERSIZE 0
#define TCP_QUEUE_OOSEQ 0 /* reorder.c */
#define TCP_LISTEN_BACKLOG 0
#define TCP_MSL 15000UL
#define LWIP_DISABLE_TCP_SANITY_CHECKS 1

#define LWIP_CHECKSUM_CTRL_PER_NETIF 1
#define LWIP_CHKSUM checksum_lwip
#define LWIP_NETIF_TX_SINGLE_PBUF 0
#define PBUF_LINK_HLEN 0
/* Room in each header pbuf for what flight.h keeps of a segment. */
#define PBUF_LINK_ENCAPSULATION_HLEN 48

#define LWIP_HOOK_FILENAME "hooks.h"

#endif
