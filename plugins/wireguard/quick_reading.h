/* SPDX-License-Identifier: GPL-2.0-or-later */
/* quick_reading.h - a wg-quick file while it is being read; private to
 * quick*.c. */
#ifndef WIREGUARD_QUICK_READING_H
#define WIREGUARD_QUICK_READING_H

#include "quick.h"
#include "value.h"

#define QUICK_KEYS_MAX 24u

enum quick_section { QUICK_NOWHERE, QUICK_INTERFACE, QUICK_PEER, QUICK_OTHER };

/* One prefix of one peer, to find the peers that want the same. */
struct quick_claim {
	struct weir_cidr prefix;
	size_t peer; /* index */
	unsigned line;
};

/* Of what is no key or section; a secret is longer. */
#define QUICK_SHOWN_BYTES 32

struct quick_reading {
	const char *file;
	bool strict;
	const struct quick_report *report;
	struct quick *quick;
	unsigned line;
	enum quick_section section;
	struct quick_peer *peer;	/* the last; NULL before the first */
	unsigned given[QUICK_KEYS_MAX]; /* line of each key; 0: not yet */
	bool has_interface;
	struct weir_list claims; /* struct quick_claim */
	size_t errors;
};

/* quick.c. Both return false. `line` 0: the file as a whole. */
WEIR_PRINTF(3, 4)
bool quick_error(struct quick_reading *, unsigned line, const char *fmt, ...);
WEIR_PRINTF(3, 4)
void quick_warning(struct quick_reading *, unsigned line, const char *fmt, ...);
/* Append a copy of an item; NULL where there is no memory, which is told. */
void *quick_append(struct quick_reading *, struct weir_list *, const void *item,
		   size_t size);

/* quick_key.c: one KEY = VALUE. */
void quick_key(struct quick_reading *, struct slice name, struct slice value);
/* A [Peer], or the file, ends: what may not be missing. */
void quick_peer_end(struct quick_reading *);
void quick_interface_end(struct quick_reading *);
/* A new [Peer] may be given everything again. */
void quick_peer_begin(struct quick_reading *);

/* quick_same.c: what two peers may not share. */
void quick_refuse_shared(struct quick_reading *);

#endif
