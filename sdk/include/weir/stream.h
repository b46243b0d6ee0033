/* SPDX-License-Identifier: MIT */
/* weir/stream.h - the two shapes in which traffic crosses the core: a byte
 * stream (TCP) and a flow of datagrams (UDP, ICMP echo).
 *
 * An *end* is one side of a session: the inbound made one, the outbound made
 * the other, the core stands between them. Whoever makes an end gives the core
 * a table of functions and a pointer of its own, and owns both until the core
 * calls `close`: exactly once, last, and also after the end itself reported a
 * failure. The core never calls an end from inside a call that the end makes
 * to the core; it may call the *other* end.
 *
 * Not consuming is the back-pressure: bytes stay where they arrived until the
 * other side takes them. An end tells of news by host->notify():
 *   WEIR_READABLE  there are bytes, or the end of the stream, to read, after a
 *                  read or peek that found nothing (an edge, not a level);
 *   WEIR_WRITABLE  there is room again after a short write, or a reserve that
 *                  offered none.
 * A new end counts as readable and writable; no first notice is needed. */
#ifndef WEIR_STREAM_H
#define WEIR_STREAM_H

#include <weir/base.h>

#define WEIR_READABLE 1u
#define WEIR_WRITABLE 2u

#define WEIR_PEEK_EOF (-1)

/* Since 1.5: memory in which bytes of a stream lie. Who writes them may send
 * from there instead of copying. The writer calls keep() within write_loans,
 * and give_back() once for each keep, before its close returns; only a
 * component that lent to itself may take longer. Until then the bytes stay as
 * they are, even when the end that lent them was told to consume or to close.
 * A keep holds `pinned` bytes of memory, however few bytes were taken of it;
 * the writer accounts for them. */
struct weir_loan {
	void (*keep)(struct weir_loan *);
	void (*give_back)(struct weir_loan *);
	uint32_t pinned;
};

/* A stream end offers at least one way to read (peek + consume, or read) and
 * one way to write (write, or reserve + commit). Sniffing and peek_loans need
 * peek, write_loans needs write. Optional functions may be NULL. Errors of an
 * established stream are not returned but reported with host->fail(). The core
 * still reads what came before the error; after that the stream shows neither
 * bytes nor its end. */
struct weir_stream_ops {
	uint32_t size;

	/* Inbounds that hold the handshake: complete it now, the outbound has
	 * connected. NULL: the stream was open from the start. After an errno
	 * (> 0) the core closes the session. */
	int (*accept)(void *s);

	/* Show the bytes received so far, left in place: up to `max` views,
	 * valid until consume, close or the end of the turn. Returns their
	 * number, 0 where there is nothing now, WEIR_PEEK_EOF after the last
	 * byte of all. */
	int (*peek)(void *s, struct iovec *view, int max);

	/* Done with the first n bytes that peek shows: the window reopens. */
	void (*consume)(void *s, size_t n);

	/* Take bytes; returns how many, >= 0. Short means full: WRITABLE comes
	 * when there is room. */
	ssize_t (*write)(void *s, const struct iovec *v, int n);

	/* No more writes will come: send what is held, then FIN. */
	void (*finish)(void *s);

	/* The last call. err 0: an orderly end (queued bytes are still sent);
	 * otherwise reset. For an end that still holds its handshake `err` is
	 * why the outbound failed: refuse with it (RST for ECONNREFUSED, ICMP
	 * for ENETUNREACH, EHOSTUNREACH and EACCES, nothing for WEIR_ESILENT
	 * and ETIMEDOUT). */
	void (*close)(void *s, int err);

	/* Optional: receive straight into the caller's memory. Returns > 0
	 * bytes, 0 at the end of the stream, -EAGAIN where there is nothing. */
	ssize_t (*read)(void *s, const struct iovec *room, int n);

	/* Optional: room inside the sender itself, to be filled by the other
	 * end's read and then committed (at most what was reserved; the next
	 * call on this end). Returns the number of views, 0 when full. */
	int (*reserve)(void *s, struct iovec *room, int max);
	void (*commit)(void *s, size_t n);

	/* 1.5, optional: peek, and the loan of each view, NULL where it has to
	 * be copied. Loans are valid as long as the views. */
	int (*peek_loans)(void *s, struct iovec *view, struct weir_loan **loan,
			  int max);
	/* 1.5, optional: write, of views that came with these loans. */
	ssize_t (*write_loans)(void *s, const struct iovec *v,
			       struct weir_loan *const *loan, int n);

	/* 1.6, optional: how many of the bytes written the far side has not
	 * acknowledged; asked after finish, for as long as there are any. */
	size_t (*unacked)(void *s);
};

/* One datagram, or a train of equal ones (GSO/GRO): segment != 0 says that
 * `data` is to be cut every `segment` bytes; the last may be shorter. `peer` is
 * the far endpoint: the destination on the way out, the replier on the way
 * back. Everything is borrowed for the call. For WEIR_NET_ICMP the data is an
 * echo message from its identifier on (identifier, sequence, payload: RFC 792,
 * RFC 4443) and ports are 0. */
struct weir_datagram {
	const struct weir_addr *peer;
	const void *data;
	uint32_t len;
	uint16_t segment;
};

/* One client endpoint, any number of peers (full cone). Nothing is queued:
 * full means dropped and counted by the end that was full. */
struct weir_flow_ops {
	uint32_t size;

	/* Returns how many of v[0..n) were taken; the rest is dropped. */
	int (*send)(void *f, const struct weir_datagram *v, int n);

	/* The last call. */
	void (*close)(void *f, int err);

	/* Optional, inbounds: what this client sent to `peer` could not be
	 * delivered (an errno: ECONNREFUSED, EHOSTUNREACH, EMSGSIZE, ...). */
	void (*unreachable)(void *f, const struct weir_addr *peer, int err);
};

#endif
