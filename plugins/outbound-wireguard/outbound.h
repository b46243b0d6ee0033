/* SPDX-License-Identifier: GPL-2.0-or-later */
/* outbound.h - what the files of this plugin share.
 *
 * A session to an address is opened by the stack itself. One to a name is a
 * bridge (bridge.c): the name is looked up (names.c, with dns.c where servers
 * inside the tunnel are to be asked), then the outbound dials itself with the
 * address. */
#ifndef OUTBOUND_WIREGUARD_OUTBOUND_H
#define OUTBOUND_WIREGUARD_OUTBOUND_H

#include <weir/plugin.h>

#include "tunnel.h"

enum strategy { FORCE_IP, FORCE_IP4, FORCE_IP6, FORCE_IP46, FORCE_IP64 };

enum kernel_tun { KERNEL_TUN_OFF, KERNEL_TUN_ON, KERNEL_TUN_AUTO };

struct outbound_conf {
	struct wg_options wg;
	int strategy;	      /* enum strategy */
	int kernel_tun;	      /* enum kernel_tun */
	struct weir_list dns; /* struct weir_addr */
	uint64_t dial_timeout_ms;
};

struct bridge;
struct dns;
struct kernel;
struct names;
struct via;

struct outbound {
	struct weir_instance *instance;
	const struct weir_host *host;
	const struct outbound_conf *conf;
	bool begun; /* the tunnel is made */
	struct tunnel tunnel;
	struct via *via;       /* NULL: the tunnel has sockets of its own */
	struct kernel *kernel; /* NULL: the service netstack */
	struct names *names;
	struct bridge *bridges; /* whose open was not answered yet */
	uint64_t *streams, *flows, *pings, *failures, *unresolved;
	int socket_err; /* of the last try to open it */
};

/* ---- options.c */

extern const struct weir_schema outbound_schema;

/* ---- mtu.c */

/* The preset of a tunnel through an outbound that carries packets of so many
 * bytes; 0: it does not say. */
uint32_t mtu_through(const struct wg_settings *, uint32_t outer_bytes);
/* Does the kernel take the addresses on an interface with this MTU? */
bool mtu_suits_kernel(const struct wg_settings *, struct weir_error *);

/* ---- names.c */

struct lookup;

typedef void lookup_done(void *arg, int err, const struct weir_addr *, int n);

/* NULL: out of memory. `servers` (struct weir_addr): asked through the tunnel;
 * none: the core is asked. */
struct names *names_new(struct outbound *, const struct weir_list *servers);
void names_free(struct names *); /* NULL is fine; every lookup is gone */

/* Addresses in the order that the strategy wants, ports 0. Never answers inside
 * the call; gone once answered or cancelled. NULL: out of memory. */
struct lookup *names_lookup(struct names *, const char *name, lookup_done *,
			    void *arg);
void names_cancel(struct lookup *);

/* ---- dns.c: one question at a time to servers behind the tunnel */

struct dns_question;

/* addrs: of the one type that was asked for. */
typedef void dns_done(void *arg, int err, const struct weir_addr *, int n,
		      uint32_t ttl_s);

struct dns *dns_new(struct outbound *, const struct weir_list *servers);
void dns_free(struct dns *); /* NULL is fine; every question is gone */
/* Never answers inside the call. NULL: out of memory, or no such name can
 * be. */
struct dns_question *dns_ask(struct dns *, const char *name, bool v6,
			     dns_done *, void *arg);
void dns_cancel(struct dns_question *);

/* ---- dns_stream.c: one question over TCP */

struct dns_stream;

/* The answer, borrowed for the call; NULL: there is none. The stream is gone
 * after it. */
typedef void dns_stream_done(void *arg, const uint8_t *answer, uint32_t len);

/* Never answers inside the call. NULL: out of memory, or no stream can be. */
struct dns_stream *dns_stream_new(struct outbound *,
				  const struct weir_addr *server,
				  const unsigned char *question, uint32_t len,
				  dns_stream_done *, void *arg);
void dns_stream_free(struct dns_stream *); /* NULL is fine */

/* ---- bridge.c */

/* Answers `end` later. NULL: it was answered already, with a failure. */
struct bridge *bridge_open(struct outbound *, struct weir_end *,
			   const struct weir_addr *target, enum weir_net);
/* True: `pending` was one, and is gone. */
bool bridge_abandon(struct outbound *, void *pending);

/* ---- kernel.c: the kernel's TCP inside, instead of the service netstack */

/* Makes a TUN with these addresses (struct weir_cidr) and routes of its own.
 * NULL with the error filled in. */
struct kernel *kernel_new(struct outbound *, const struct weir_list *addresses,
			  uint32_t mtu_bytes, struct weir_error *);
void kernel_free(struct kernel *); /* NULL is fine */
extern const struct weir_netstack_ops kernel_stack;

/* ---- via.c: the wire through another outbound */

/* Whether `via` is set; an outbound that cannot carry it counts as set. */
bool via_is_set(struct outbound *);
struct via *via_new(struct outbound *); /* NULL: out of memory */
void via_free(struct via *);		/* NULL is fine */
extern const struct tunnel_wire via_wire;

#endif
