/* SPDX-License-Identifier: GPL-2.0-or-later */
/* settings.h - what a WireGuard device is told by the user, whether it stood
 * in weir's own file, in a wg-quick file or in a file of a key.
 *
 * A struct wg_settings owns all it points to except what belongs to the
 * options it was made of, which live longer. Keys are wiped once they were
 * applied, and when it is freed. */
#ifndef WIREGUARD_SETTINGS_H
#define WIREGUARD_SETTINGS_H

#include <weir/option.h>

#include "quick.h"
#include "wg.h"

#define WG_PORT_MAX 65535
#define WG_KEEPALIVE_MS_MAX (65535 * 1000)
#define WG_MTU_PRESET 1420

/* One of `peers`, as the core decodes it; what the inbound and the outbound do
 * not share is left zero. */
struct wg_peer_options {
	const char *name; /* the user; inbound */
	int64_t level;	  /* of the policy; inbound */
	uint8_t public_key[WG_KEY_BYTES];
	uint8_t pre_shared_key[WG_KEY_BYTES];
	struct weir_addr endpoint;
	struct weir_list allowed_ips; /* struct weir_cidr */
	uint64_t keepalive_ms;
	struct weir_list reserved; /* const char * */
};

/* What both components take. */
struct wg_options {
	const char *config;
	bool strict;
	uint8_t private_key[WG_KEY_BYTES];
	const char *private_key_file;
	struct weir_list address; /* struct weir_cidr */
	int64_t mtu;		  /* 0: not given */
	int64_t listen_port;	  /* 0: any */
	struct weir_list peers;	  /* struct wg_peer_options */
	const char *interface;	  /* NULL: no socket for wg */
	int64_t workers;
	int congestion; /* enum weir_congestion */
};

struct wg_peer_settings {
	const char *name; /* NULL: none */
	uint32_t level;
	uint8_t public_key[WG_KEY_BYTES];
	uint8_t psk[WG_KEY_BYTES];
	struct weir_addr endpoint; /* may be a name */
	uint32_t scope;		   /* of it, an interface's index */
	const struct weir_cidr *allowed;
	uint32_t allowed_count;
	uint16_t keepalive_s;
	uint8_t reserved[WG_RESERVED_BYTES];
};

struct wg_settings {
	uint8_t private_key[WG_KEY_BYTES];
	uint16_t listen_port;
	uint32_t mark, mtu_bytes; /* 0: not given */
	struct weir_list address; /* struct weir_cidr */
	struct weir_list dns;	  /* struct weir_addr, of the wg-quick file */
	struct wg_peer_settings *peers;
	uint32_t peer_count;
	struct quick *quick; /* what some of these point into, or NULL */
};

/* The choices of `congestion`. */
extern const char *const wg_congestions[];

/* Rules that span options; reads the files that they name. For the `check` of
 * a schema: makes a device and forgets it. */
bool wg_options_check(const struct wg_options *, struct weir_error *);

/* NULL with the error filled in. `warn` is told what a wg-quick file asks for
 * that weir does not do; it may be NULL. */
struct wg_settings *wg_settings_new(const struct wg_options *,
				    void (*warn)(void *arg, const char *line),
				    void *arg, struct weir_error *);
void wg_settings_free(struct wg_settings *); /* NULL is fine */

/* The device has its keys: wipe those that stand in the options. */
void wg_options_forget(const struct wg_options *);

/* What was said of the peer with this key; NULL: nothing. */
struct wg_peer_settings *wg_settings_peer(const struct wg_settings *,
					  const uint8_t key[WG_KEY_BYTES]);

/* Hand keys and peers to a device; each peer's user pointer is its struct
 * wg_peer_settings. Endpoints that are names are left out. */
bool wg_settings_apply(struct wg_settings *, struct wg_device *,
		       uint64_t now_us, struct weir_error *);

#endif
