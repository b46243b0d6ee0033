/* SPDX-License-Identifier: GPL-2.0-or-later */
/* uapi.h - the language that `wg` speaks to a device: bytes in, bytes out.
 *
 * One struct uapi is one connection. It takes requests one after the other and
 * takes no more bytes while an answer waits to be fetched, so that what is
 * held for a client has a bound whatever it sends. */
#ifndef WIREGUARD_UAPI_H
#define WIREGUARD_UAPI_H

#include "wg.h"

#define UAPI_LINE_MAX 256u	  /* bytes of a line; twice the longest */
#define UAPI_ENTRIES_MAX 131072u  /* peers named in one set */
#define UAPI_PREFIXES_MAX 524288u /* allowed IPs in one set */
#define UAPI_OUTPUT_MIN 1024u	  /* least room that uapi_output needs */

/* What of a device is not the engine's. */
struct uapi_ops {
	/* The port that is bound (0: none yet) and the mark (0: none). */
	void (*socket_get)(void *arg, uint16_t *port, uint32_t *mark);
	/* Bind to this port (0: any) with this mark. 0, or an errno, and then
	 * the former socket is still in use. */
	int (*socket_set)(void *arg, uint16_t port, uint32_t mark);
	/* Optional: a set was applied; or refused, and why. */
	void (*applied)(void *arg);
	void (*refused)(void *arg, const char *why);
};

/* A device as the language sees it; lives as long as its connections. */
struct uapi_device {
	struct wg_device *wg;
	const struct uapi_ops *ops;
	void *arg;
};

struct uapi;

struct uapi *uapi_new(const struct uapi_device *); /* NULL: no memory */
void uapi_free(struct uapi *);			   /* wipes; NULL is fine */

/* Returns how many of `len` bytes were taken: fewer where an answer waits. */
size_t uapi_input(struct uapi *, const char *data, size_t len, uint64_t now_us);

/* The next piece of the answer, into at least UAPI_OUTPUT_MIN bytes. 0: there
 * is none, input goes on. Wipe it once it is sent: it may hold keys. */
size_t uapi_output(struct uapi *, char *room, size_t size);

#endif
