/* SPDX-License-Identifier: GPL-2.0-or-later */
/* passage.h - a stream that was dialled, handed on as an end of one's own. */
#ifndef PASSAGE_H
#define PASSAGE_H

#include <weir/stream.h>

/* Part of what an outbound keeps of a session: `ops` with the passage itself
 * go to stream_ready. */
struct passage {
	const struct weir_stream_ops *inner_ops; /* NULL: the dial is gone */
	void *inner;
	void (*close)(void *owner, int err);
	void *owner;
	struct weir_stream_ops ops;
};

/* `close` is the end's: called once and last, with the owner. */
void passage_init(struct passage *, const struct weir_stream_ops *inner_ops,
		  void *inner, void (*close)(void *owner, int err),
		  void *owner);

/* The inner end is gone, ours still waits for its close: it moves nothing. */
void passage_cut(struct passage *);

#endif
