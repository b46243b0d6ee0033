/* SPDX-License-Identifier: GPL-2.0-or-later */
/* wg_fake.h - a device of plugins/wireguard/wg.h that only remembers what it
 * was told: for tests of those who tell. */
#ifndef WEIR_WG_FAKE_H
#define WEIR_WG_FAKE_H

#include <weir/option.h>

#include "plugins/wireguard/wg.h"

struct wg_peer {
	struct wg_peer_info info;
	uint8_t public_key[WG_KEY_BYTES], psk[WG_KEY_BYTES];
	struct weir_list allowed; /* struct weir_cidr */
	bool gone;
};

struct wg_device {
	uint8_t private_key[WG_KEY_BYTES];
	struct wg_peer **peers; /* those that have gone stay, marked */
	size_t count, room;
	unsigned sets;
	int refuse; /* every set, with this errno; 0: none */
};

void wg_fake_clear(struct wg_device *);

#endif
