/* SPDX-License-Identifier: GPL-2.0-or-later */
/* channel.h - the channel of c-ares to the name servers, and whether it still
 * asks the right ones. */
#ifndef WEIR_CORE_CHANNEL_H
#define WEIR_CORE_CHANNEL_H

#include <ares.h>
#include <sys/types.h>
#include <time.h>

#include "config.h"

/* The resolv.conf that a channel was made from. */
struct channel_file {
	uint64_t looked_us;
	bool known; /* the rest is set */
	dev_t dev;
	ino_t ino;
	off_t bytes;
	struct timespec modified;
};

struct channel_conf {
	const struct config *config;
	ares_sock_state_cb socket_state;
	void *arg; /* its */
};

/* To be ended with ares_destroy. NULL with the error filled in. */
ares_channel channel_new(const struct channel_conf *, struct channel_file *,
			 struct weir_error *);

/* Whether a new channel would have other servers. To be asked when something
 * went wrong: it looks at the file, once a second at most. */
bool channel_is_stale(const struct config *, struct channel_file *);

#endif
