/* SPDX-License-Identifier: GPL-2.0-or-later */
/* options.h - what an inbound of type tun can be told. */
#ifndef INBOUND_TUN_OPTIONS_H
#define INBOUND_TUN_OPTIONS_H

#include <weir/option.h>

struct tun_conf {
	const char *name;	  /* NULL: not given */
	int64_t mtu;		  /* bytes */
	int64_t fd;		  /* -1: none */
	struct weir_list address; /* struct weir_cidr */
	bool offload;
	int congestion; /* enum weir_congestion */
};

extern const struct weir_schema tun_schema;

#endif
