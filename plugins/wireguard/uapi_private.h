/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uapi_private.h - one connection between the files of the UAPI. */
#ifndef WIREGUARD_UAPI_PRIVATE_H
#define WIREGUARD_UAPI_PRIVATE_H

#include "uapi.h"

/* A set while it is being read: nothing of it is in force yet. */
struct uapi_change {
	struct wg_set set; /* its pointers are filled in last */
	bool has_port, has_mark;
	uint16_t port;
	uint32_t mark;
	struct wg_peer_set *peers;
	uint32_t peer_room;
	struct wg_allowed *allowed; /* of all peers, in their order */
	uint32_t allowed_count, allowed_room;
};

/* One line "key=value", NUL-terminated each. 0, or an errno. */
int uapi_change_line(struct uapi_change *, const char *key, const char *value);
/* All of it, or nothing. 0, or an errno. */
int uapi_change_apply(struct uapi_change *, const struct uapi_device *,
		      uint64_t now_us);
void uapi_change_clear(struct uapi_change *); /* wipes */

/* A get on its way: which peers there were when it was asked, and how far the
 * answer has come. Peers may come and go between two pieces. */
struct uapi_report {
	uint8_t (*keys)[WG_KEY_BYTES];
	size_t count, peer;    /* the next one */
	bool has_device;       /* its own lines are out */
	bool in_peer;	       /* the head of `peer` is out */
	struct weir_cidr told; /* and this prefix of it; of no kind: none */
	bool done;
};

/* False: no memory. */
bool uapi_report_begin(struct uapi_report *, const struct uapi_device *);
/* As much as fits; sets `done` with the last line before errno. */
size_t uapi_report_next(struct uapi_report *, const struct uapi_device *,
			char *room, size_t size);
void uapi_report_end(struct uapi_report *);

#endif
