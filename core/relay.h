/* SPDX-License-Identifier: GPL-2.0-or-later */
/* relay.h - two streams, one pump.
 *
 * The relay borrows both ends from its session and holds no bytes of its own,
 * but for one case: a reader that cannot show its bytes in place and a writer
 * that cannot offer room meet in a bounded buffer. */
#ifndef WEIR_CORE_RELAY_H
#define WEIR_CORE_RELAY_H

#include <weir/stream.h>

enum relay_side { RELAY_IN, RELAY_OUT }; /* the client's end, the far end */

struct relay_hold {
	size_t len, off;
	char bytes[];
};

struct relay_end {
	const struct weir_stream_ops *ops;
	void *s;
	bool eof;		 /* nothing more to read */
	bool finished;		 /* told that no more will be written */
	uint64_t bytes;		 /* read from it */
	struct relay_hold *hold; /* read from it, not yet written */
};

struct relay {
	struct relay_end end[2];
	size_t hold_bytes; /* bound of hold */
};

/* Whether such an end can be read and written, by functions that are all there:
 * peek has its consume, reserve its commit. */
bool relay_can(const struct weir_stream_ops *);
/* Move what can be moved, both ways. True: there is more to move although
 * neither end will say so, since the turn's share was used up. */
bool relay_pump(struct relay *);
bool relay_done(const struct relay *); /* both directions came to their end */
void relay_fini(struct relay *);

#endif
